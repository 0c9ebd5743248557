//! Hourly polling of a carrier: runs, planners, shards, batches and what the carrier answered.

mod batcher;
mod halving;
mod messages;
mod pause;
mod planners;
mod poll_state;
mod rate_limiter;
mod result;
mod run;
mod shard;
mod totals;
mod turns;

pub use batcher::{Batch, Batcher};
pub use halving::{Cause, Halving};
pub use messages::{BatchMessage, MAX_BATCH, PlanMessage, PollItem};
pub use pause::{Pause, Refusal};
pub use planners::{Place, planners};
pub use poll_state::{ENDED_DAYS, GIVE_UP, PollState, Polling, Unknown};
pub use rate_limiter::RateLimiter;
pub use result::{PollResult, PolledReport, Stalled, poll_event_id, stalled_event_id};
pub use run::Run;
pub use shard::{SHARDS, shard};
pub use totals::{PollCounts, Totals};
pub use turns::Turns;

#[cfg(test)]
mod tests;

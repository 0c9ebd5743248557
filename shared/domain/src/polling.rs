//! Which orders the carrier is asked about, when, and what comes of it.

mod batcher;
mod messages;
mod rate_limiter;
mod totals;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::core::hash::Fingerprint;
use crate::core::id::{AccountCode, Awb, EventId, OrderId, OrderKey, ReportId};
use crate::core::timestamp::Timestamp;
use crate::orders::order::{Order, Poll};
use crate::tracking::report::{Report, SourceName};

pub use batcher::{Batch, Batcher};
pub use messages::{BatchMessage, PollItem, ShardMessage};
pub use rate_limiter::RateLimiter;
pub use totals::{PollCounts, Totals};

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// In how many parts the orders that are asked about are kept and planned.
pub const SHARDS: u8 = 16;
/// The most AWBs that Shipway is asked about in one call.
pub const MAX_BATCH: usize = 50;
/// The most bytes that they may have with what separates them: they stand in a URL, which may have 2048.
const MAX_BATCH_BYTES: usize = 1500;
/// An order of which anybody but us has spoken within this time is fresh,
const FRESH: Duration = DAY;
/// and is asked about only every so many hours.
const FRESH_EVERY: u64 = 4;
/// An AWB that the carrier does not know is asked for again after so long, the last one repeated,
const BACKOFF: [Duration; 3] = [HOUR, Duration::from_secs(4 * 60 * 60), DAY];
/// and no longer after this.
pub const GIVE_UP: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The shard that an order is kept in, below [`SHARDS`].
pub fn shard(key: &OrderKey) -> u8 {
    u8::try_from(number(key) % u64::from(SHARDS)).unwrap_or_default()
}

/// A number that an order always has.
fn number(key: &OrderKey) -> u64 {
    Fingerprint::of("poll").with(&key.account).with(&key.order).number()
}

impl Order {
    /// Whether the carrier is asked about it: it wants to be, has a parcel, and has not come to its end.
    pub fn is_polled(&self) -> bool {
        self.profile.poll == Some(Poll::Shipway)
            && self.profile.awb.is_some()
            && !self.state.tracking.status.is_end()
    }
}

/// What is kept of an order that the carrier is asked about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Active {
    /// The parcel.
    pub awb: Awb,
    /// The carrier's newest claim that its timeline has.
    pub seen: Option<ReportId>,
    /// When anybody but us last spoke of it.
    pub heard_at: Option<Timestamp>,
    /// When its timeline last grew; at first, when it was created.
    pub moved_at: Timestamp,
    /// Since when the carrier does not know the AWB.
    pub unknown: Option<Unknown>,
    /// Since when it is no longer asked about.
    pub stale_since: Option<Timestamp>,
    /// The event that told of its tracking still.
    pub stalled: Option<EventId>,
}

/// An AWB that the carrier does not know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unknown {
    /// Since when.
    pub since: Timestamp,
    /// In how many runs it was asked for.
    pub tries: u32,
    /// Not asked for again before this.
    pub ask_after: Timestamp,
    /// The last run that asked.
    pub run: String,
}

/// What of a run decides who is asked about in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Its id.
    pub id: String,
    /// When it began.
    pub started_at: Timestamp,
    /// Whether somebody started it by hand: then fresh orders are asked about too.
    pub manual: bool,
}

impl Run {
    /// The run of the hour that this time is in, which began with it however late somebody opens it: so an order that
    /// waits for an hour is asked about in the next one.
    pub fn hourly(time: Timestamp) -> Self {
        let hour = Timestamp::EPOCH.after(Duration::from_secs(hour_of(time) * HOUR.as_secs()));
        let named: String = hour.to_string().chars().take("2026-11-24T03".len()).collect();
        Self { id: format!("hourly-{named}"), started_at: hour, manual: false }
    }

    /// A run that somebody asks for now.
    pub fn manual(now: Timestamp) -> Self {
        Self { id: format!("manual-{now}"), started_at: now, manual: true }
    }
}

impl Active {
    /// Of an order that nobody was asked about yet.
    pub fn new(awb: Awb, created_at: Timestamp) -> Self {
        Self {
            awb,
            seen: None,
            heard_at: None,
            moved_at: created_at,
            unknown: None,
            stale_since: None,
            stalled: None,
        }
    }

    /// Whether a run asks about it.
    pub fn is_due(&self, key: &OrderKey, run: &Run) -> bool {
        // What this run itself found does not count: a shard that is planned again makes the same batches.
        let waits = |unknown: &Unknown| unknown.run != run.id && unknown.ask_after > run.started_at;
        let waits = self.unknown.as_ref().is_some_and(waits);
        self.stale_since.is_none()
            && !waits
            && (run.manual || !self.is_fresh(run) || is_turn(key, run))
    }

    fn is_fresh(&self, run: &Run) -> bool {
        self.heard_at.is_some_and(|heard| run.started_at.since(heard) < FRESH)
    }

    /// A run found that the carrier does not know the AWB. The same run finds it once, however often it asks.
    #[must_use]
    pub fn not_found(&self, run: &Run) -> Self {
        if self.unknown.as_ref().is_some_and(|unknown| unknown.run == run.id) {
            return self.clone();
        }
        let (since, tries) = self
            .unknown
            .as_ref()
            .map_or((run.started_at, 0), |before| (before.since, before.tries));
        let wait = usize::try_from(tries).ok().and_then(|tries| BACKOFF.get(tries)).unwrap_or(&DAY);
        let stale = run.started_at.since(since) >= GIVE_UP;
        Self {
            unknown: Some(Unknown {
                since,
                tries: tries.saturating_add(1),
                ask_after: run.started_at.after(*wait),
                run: run.id.clone(),
            }),
            stale_since: self.stale_since.or_else(|| stale.then_some(run.started_at)),
            ..self.clone()
        }
    }
}

/// Every few hours each fresh order has its turn.
fn is_turn(key: &OrderKey, run: &Run) -> bool {
    // Without the bits of the shard: else all orders of an hour would be in the same few shards.
    number(key) / u64::from(SHARDS) % FRESH_EVERY == hour_of(run.started_at) % FRESH_EVERY
}

/// Whole hours since 1970.
fn hour_of(time: Timestamp) -> u64 {
    time.since(Timestamp::EPOCH).as_secs() / HOUR.as_secs()
}

/// When batch number `k` of a shard may be asked at the earliest: all batches of a run share one budget.
pub fn not_before(run: &Run, shard: u8, k: u64, calls_per_second: f64) -> Timestamp {
    let n = k.saturating_mul(u64::from(SHARDS)).saturating_add(u64::from(shard));
    #[expect(clippy::cast_precision_loss, reason = "a wait, not an amount")]
    let wait = Duration::try_from_secs_f64(n as f64 / calls_per_second).unwrap_or(Duration::MAX);
    run.started_at.after(wait)
}

/// What the carrier was found to claim about several orders at once: a message of the events queue, without a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollResult {
    /// [`PollResult::VERSION`].
    pub v: u8,
    /// Who was asked.
    pub source: SourceName,
    /// When it answered.
    pub received_at: Timestamp,
    /// Claims that are new to us.
    pub reports: Vec<PolledReport>,
    /// Orders that have stood still for too long.
    pub stalled: Vec<Stalled>,
}

impl PollResult {
    /// The form that this program writes.
    pub const VERSION: u8 = 1;

    /// The message's body.
    pub fn to_message(&self) -> String {
        // String keys and no floats: writing cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads a message; `None` if this program does not understand it.
    pub fn read(message: &str) -> Option<Self> {
        serde_json::from_str(message).ok().filter(|found: &Self| found.v == Self::VERSION)
    }
}

/// A claim about an order that is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolledReport {
    /// Whose order it is.
    pub account: AccountCode,
    /// The order.
    pub order_id: OrderId,
    /// The claim.
    pub report: Report,
}

/// An order that has stood still for too long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stalled {
    /// Whose order it is.
    pub account: AccountCode,
    /// The order.
    pub order_id: OrderId,
    /// When it last moved.
    pub since: Timestamp,
}

/// The event that brings one account's claims of a [`PollResult`]: the same claims are the same event.
pub fn poll_event_id<'a>(
    account: &AccountCode,
    reports: impl IntoIterator<Item = &'a ReportId>,
) -> EventId {
    let mut ids: Vec<&ReportId> = reports.into_iter().collect();
    ids.sort();
    ids.into_iter().fold(Fingerprint::of("batch").with(account), |hash, id| hash.with(id)).into()
}

/// The event that tells of an order's tracking still since then.
pub fn stalled_event_id(still: &Stalled) -> EventId {
    let hash = Fingerprint::of("stalled").with(&still.account).with(&still.order_id);
    hash.with(still.since.millis().to_be_bytes()).into()
}

#[cfg(test)]
mod tests;

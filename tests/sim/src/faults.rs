//! What can go wrong in a run, each with its own probability.
//!
//! A seed switches every kind off, to a low or to a high probability. Runs thus differ in the kinds
//! that meet, and some have one kind only (swarm testing, Groce et al., ISSTA 2012).

use fastrand::Rng;

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident: $low:expr, $high:expr;)*) => {
        /// Probabilities.
        #[derive(Debug, Clone, Copy, PartialEq)]
        pub(crate) struct Faults { $($(#[$doc])* pub(crate) $name: f64,)* }

        impl Faults {
            /// Draws each probability: half of the kinds are off.
            pub(crate) fn draw(random: &mut Rng) -> Self {
                let drawn = Self { $($name: level(random, $low, $high),)* };
                if random.u8(..8) == 0 { Self::OF_LEASES } else { drawn }
            }

            pub(crate) const NONE: Self = Self { $($name: 0.0,)* };
        }
    };
}

faults! {
    /// A sandbox is killed during an invocation: before or after one of its calls, or in between.
    kill: 0.03, 0.2;
    /// A sandbox stands still during an invocation, for up to a minute.
    freeze: 0.02, 0.1;
    /// A sandbox is replaced by a new one after an invocation.
    recycle: 0.05, 0.5;
    /// A call to AWS fails before it has an effect.
    fail_before: 0.01, 0.1;
    /// A call has its effect, but its answer is lost.
    lose_answer: 0.01, 0.1;
    /// A call is throttled.
    throttle: 0.01, 0.2;
    /// A call gets no answer for longer than its timeout; it may still have its effect later.
    hang: 0.005, 0.03;
    /// A write to DynamoDB meets a transaction.
    conflict: 0.01, 0.15;
    /// Reads of an index, and eventually consistent ones, lag by up to seconds.
    stale_reads: 0.2, 0.9;
    /// A transaction commits while a query reads its rows.
    torn_read: 0.1, 0.6;
    /// A queue delivers a message twice.
    duplicate: 0.02, 0.2;
    /// A queue delivers messages out of order.
    reorder: 0.1, 0.8;
    /// A receive returns fewer messages than there are.
    short_batch: 0.1, 0.5;
    /// Single entries of a batch are refused, or rows of a batch are not read.
    refuse_entry: 0.02, 0.2;
    /// An invocation by API Gateway or the scheduler fails before it starts.
    invoke: 0.01, 0.1;
    /// The answer of the API is lost on its way to the caller, who tries again.
    lose_response: 0.02, 0.15;
    /// The scheduler fires twice, late or not at all.
    schedule: 0.05, 0.4;
    /// A customer's server fails in one of many ways.
    receiver: 0.05, 0.5;
    /// The carrier's API fails in one of many ways.
    carrier: 0.1, 0.6;
    /// WhatsApp's Cloud API refuses, fails or loses its answer.
    cloud_api: 0.2, 0.6;
    /// A clock is off by up to two seconds.
    skew: 0.2, 0.8;
    /// A setting changes while the system runs.
    settings: 0.2, 0.8;
    /// Operators redrive, retry and trigger.
    operator: 0.2, 0.8;
    /// A message comes from the release before, or the one after: without an optional field, or with
    /// an unknown one.
    other_release: 0.05, 0.5;
    /// A sender repeats a request that was accepted.
    repeat: 0.05, 0.3;
}

impl Faults {
    /// Those that let a lease pass to another worker. They seldom meet by chance.
    const OF_LEASES: Self =
        Self { freeze: 0.2, duplicate: 0.3, receiver: 0.4, cloud_api: 0.3, ..Self::NONE };
}

fn level(random: &mut Rng, low: f64, high: f64) -> f64 {
    match random.u8(..4) {
        0 => low,
        1 => high,
        _ => 0.0,
    }
}

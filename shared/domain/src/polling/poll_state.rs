//! The poll row of an order, and the rules that make it due in a run.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::run::{HOUR, Run};
use super::shard::turn;
use crate::core::id::{Awb, EventId, OrderKey, ReportId};
use crate::core::timestamp::Timestamp;
use crate::orders::order::{Order, Poll};
use crate::tracking::state::ParcelState;
use crate::tracking::status::Status;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// An order is fresh for this long after a webhook reported on it.
const FRESH: Duration = DAY;
/// A fresh order is polled once in this many hours.
const FRESH_EVERY: u64 = 4;
/// Waits before an unknown AWB is polled again; the last one repeats.
const BACKOFF: [Duration; 3] = [HOUR, Duration::from_secs(4 * 60 * 60), DAY];
/// An AWB that stays unknown for this long is no longer polled.
pub const GIVE_UP: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// An order is polled for this many days after it was cancelled or lost.
pub const ENDED_DAYS: u64 = 30;
/// An order that was cancelled or lost is polled once in this many hours, up to this age.
const ENDED_EVERY: [(Duration, u64); 3] = [
    (DAY, 4),
    (Duration::from_secs(7 * 24 * 60 * 60), 24),
    (Duration::from_secs(ENDED_DAYS * 24 * 60 * 60), 120),
];

/// Why an order is polled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Polling {
    /// It is on its way.
    Moving,
    /// It was cancelled or lost, from which it may come back.
    Ended,
}

impl Order {
    /// The parcels that are polled: on their way in either direction, or ended not long ago in a
    /// way from which they may come back. Parcels that stand still beside a finished order are
    /// polled as long. A replaced parcel that no report ever moved may be a typing error.
    pub fn polled_parcels(&self) -> impl Iterator<Item = (&ParcelState, Polling)> {
        let is_polled = self.profile.poll == Some(Poll::Shipway);
        let is_finished = self.state.tracking.status.is_final();
        let is_own = |parcel: &&ParcelState| {
            !parcel.released && (!parcel.replaced || parcel.since.is_some())
        };
        let parcels = self.state.parcels.iter().filter(move |_| is_polled).filter(is_own);
        parcels.filter_map(move |parcel| {
            let polling = polling(parcel.status)?;
            Some((parcel, if is_finished { Polling::Ended } else { polling }))
        })
    }

    /// `None` if the parcel is not polled.
    pub fn polling(&self, awb: &Awb) -> Option<Polling> {
        let mut polled = self.polled_parcels();
        polled.find(|(parcel, _)| parcel.awb.is_same_parcel(awb)).map(|(_, polling)| polling)
    }
}

fn polling(status: Status) -> Option<Polling> {
    match status {
        Status::Cancelled | Status::Lost => Some(Polling::Ended),
        status if status.is_final() => None,
        _ => Some(Polling::Moving),
    }
}

/// The polling state of an order that is polled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollState {
    pub awb: Awb,
    /// The carrier's newest report in the timeline.
    pub seen: Option<ReportId>,
    /// The last report by webhook. Reports that polling found or that came by API do not count.
    pub heard_at: Option<Timestamp>,
    /// When the timeline last grew; the creation time before the first report.
    pub moved_at: Timestamp,
    /// Set while the carrier does not know the AWB.
    pub unknown: Option<Unknown>,
    /// Polling ended at this time; see [`GIVE_UP`].
    pub stale_since: Option<Timestamp>,
    /// The event that notified of the stalled order.
    pub stalled: Option<EventId>,
    /// When the order was cancelled or lost.
    pub ended_at: Option<Timestamp>,
}

/// An AWB that the carrier does not know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unknown {
    pub since: Timestamp,
    /// The number of runs that polled it.
    pub tries: u32,
    /// Backoff: not polled again before this time.
    pub ask_after: Timestamp,
    /// The last run that polled it.
    pub run: String,
}

impl PollState {
    pub fn new(awb: Awb, created_at: Timestamp) -> Self {
        Self {
            awb,
            seen: None,
            heard_at: None,
            moved_at: created_at,
            unknown: None,
            stale_since: None,
            stalled: None,
            ended_at: None,
        }
    }

    /// True if this run polls the order.
    pub fn is_due(&self, key: &OrderKey, run: &Run) -> bool {
        // The run's own result does not count: a shard that is planned again makes the same
        // batches.
        let backs_off = self
            .unknown
            .as_ref()
            .is_some_and(|unknown| unknown.run != run.id && unknown.ask_after > run.started_at);
        let is_turn = match self.hours_between_polls(run) {
            Some(hours) => run.manual || is_turn(key, run, hours),
            None => false,
        };
        self.stale_since.is_none() && !backs_off && is_turn
    }

    /// `None` once the order is no longer polled.
    fn hours_between_polls(&self, run: &Run) -> Option<u64> {
        let Some(ended_at) = self.ended_at else {
            return Some(if self.is_fresh(run) { FRESH_EVERY } else { 1 });
        };
        let age = run.started_at.since(ended_at);
        ENDED_EVERY.iter().find(|(until, _)| age < *until).map(|(_, hours)| *hours)
    }

    fn is_fresh(&self, run: &Run) -> bool {
        self.heard_at.is_some_and(|heard_at| run.started_at.since(heard_at) < FRESH)
    }

    /// The row after the carrier did not know the AWB. Idempotent within a run.
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
        // A carrier forgets the parcels of cancelled orders.
        let is_stale = self.ended_at.is_none() && run.started_at.since(since) >= GIVE_UP;
        Self {
            unknown: Some(Unknown {
                since,
                tries: tries.saturating_add(1),
                ask_after: run.started_at.after(*wait),
                run: run.id.clone(),
            }),
            stale_since: self.stale_since.or_else(|| is_stale.then_some(run.started_at)),
            ..self.clone()
        }
    }
}

/// True once in `hours` hours, at a time that differs between orders.
fn is_turn(key: &OrderKey, run: &Run, hours: u64) -> bool {
    turn(key, hours) == run.hour() % hours
}

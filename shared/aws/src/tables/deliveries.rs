//! The deliveries table: one row a delivery, with its frozen body and its attempts, 30 days.
//!
//! Each attempt costs two writes: the claim, which counts the attempt and takes a lease, and the
//! outcome, which only the lease's owner may write. A delivery that waits for longer than a minute
//! is in the index `due`, and its next message comes from `sweep`. From then on it stays there until
//! it ends: its former message may come once more, and must not be the only one that it has.

mod body;
mod claim;
mod due;
mod erase;
mod filter;
mod latest;
mod list;
mod listed;
mod of_order;
mod restart;
mod row;
mod sends;
mod summary;

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use domain::core::timestamp::Timestamp;
use domain::core::trace::TraceParent;
use domain::messaging::send::Unsent;
use domain::webhooks::delivery::Delivery;
use domain::webhooks::kind::Kind;
use domain::webhooks::lease::{DeliveryState, NextAttempt};
use domain::webhooks::retry::DeadReason;
use serde::Serialize;

use body::pack;
pub use body::unpack;
pub use due::{Due, DuePage, ParkedFrom};
pub use erase::ErasedBody;
pub use filter::DeliveryFilter;
pub use list::{DeliveryPage, Direction, Place};
pub use of_order::Candidates;
pub use row::{DeliveryRow, LoggedAttempt};
pub use sends::Unfinished;
pub use summary::DeliverySummary;

use crate::error::IoError;
use crate::tables::attr::{Item, bytes, item, json, number, text};
use crate::tables::expression::attr;
use crate::tables::update::Changes;
use crate::tables::write::Write;

/// A delivery in the index that is still not claimed this long after its message was to arrive has
/// lost that message, and is queued again.
pub const LOST_AFTER: Duration = Duration::from_secs(15 * 60);

#[derive(Debug, Clone)]
pub struct Deliveries {
    client: Client,
    table: String,
}

/// The right to make one attempt.
#[derive(Debug, Clone)]
pub struct Lease {
    /// The number of the attempt in this run, from 1.
    pub attempt: u32,
    /// The body to post: the bytes from the row's creation, without the orders that were erased.
    /// Empty if no order is left.
    pub body: Vec<u8>,
    /// The row still has the erased orders.
    is_cut: bool,
    pub kind: Kind,
    pub created_at: Timestamp,
    /// When the first attempt of this run was claimed.
    pub began_at: Timestamp,
    /// Since when the endpoint's settings cannot be used.
    pub unusable_since: Option<Timestamp>,
    /// Since when the delivery has been parked.
    pub parked_since: Option<Timestamp>,
    /// After this time the message of a rule is not sent.
    pub expires_at: Option<Timestamp>,
    /// The trace of the event.
    pub trace: TraceParent,
    /// The row is in the index `due`.
    is_in_index: bool,
    /// The row's partition in the index `by_day`.
    day: String,
    run: u32,
    /// The end of the lease, by the clock of the worker that claimed it.
    pub until: Timestamp,
    id: String,
    owner: String,
}

#[derive(Debug, Clone)]
pub enum ClaimOutcome {
    Leased(Lease),
    /// Claim again after this time: another worker has the lease, or the next attempt is not due.
    Wait(Duration),
    /// A message with an attempt that has no result: it may have been sent.
    Unfinished(Unfinished),
    /// The message is not needed: the delivery has ended, waits in the index, or has no row any
    /// more.
    Obsolete,
}

/// One POST.
#[derive(Debug, Clone, Serialize)]
pub struct Attempt {
    pub at: Timestamp,
    /// The status code of the response, if there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why there was no response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'static str>,
    pub latency_ms: u64,
    /// The start of the response body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<String>,
}

/// An attempt as the row's `attempt_log` has it, without what is obvious: most rows have a
/// kilobyte, a write unit.
#[derive(Serialize)]
struct Logged<'a> {
    #[serde(skip_serializing_if = "is_first")]
    run: u32,
    #[serde(flatten)]
    attempt: &'a Attempt,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde")]
fn is_first(run: &u32) -> bool {
    *run == 1
}

/// The state of a delivery after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryOutcome {
    Delivered,
    Retry(NextAttempt),
    /// Given up for this reason.
    Dead(DeadReason),
    /// The message was not sent, and will not be.
    Failed(Unsent),
    /// The messaging provider may have the message.
    Unknown,
}

impl Deliveries {
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Records an attempt and releases the lease. `false` if another worker has the lease by now.
    pub async fn record(
        &self,
        lease: &Lease,
        attempt: &Attempt,
        outcome: DeliveryOutcome,
        now: Timestamp,
    ) -> Result<bool, IoError> {
        let changes = logged(Changes::new(), lease, attempt)?
            .set("updated_at", number(now.millis()))
            .remove("parked_since")
            .remove("unusable_since");
        let changes = match outcome {
            DeliveryOutcome::Delivered => ended(changes, DeliveryState::Delivered).remove("reason"),
            DeliveryOutcome::Dead(reason) => ended(changes, DeliveryState::Dead)
                .set("reason", text(reason.as_str()))
                .set("dead", text(lease.day.as_str())),
            DeliveryOutcome::Failed(unsent) => ended(changes, DeliveryState::Failed)
                .set_or_remove("reason", unsent.reason().map(text)),
            DeliveryOutcome::Unknown => ended(changes, DeliveryState::Unknown).remove("reason"),
            DeliveryOutcome::Retry(next) => {
                let retrying = text(DeliveryState::Retrying.as_str());
                wait_for(changes, next, lease).set("state", retrying).remove("reason")
            }
        };
        self.release(lease, changes).await
    }

    /// Releases a lease without an attempt, because the endpoint's settings cannot be used: the row
    /// says so, and the attempt does not count. `false` if another worker has the lease by now.
    pub async fn postpone(
        &self,
        lease: &Lease,
        next: NextAttempt,
        now: Timestamp,
    ) -> Result<bool, IoError> {
        let changes = wait_for(no_longer_parked(lease), next, lease)
            .remove("parked_since")
            .set("updated_at", number(now.millis()))
            .set("reason", text(DeadReason::UnusableSettings.as_str()))
            .set_if_absent("unusable_since", number(now.millis()))
            .add("attempts", number(-1));
        self.release(lease, changes).await
    }

    /// Releases a lease for a later attempt, or a worker of the slow lane: this attempt does not
    /// count. `false` if another worker has the lease by now.
    pub async fn put_back(
        &self,
        lease: &Lease,
        next: NextAttempt,
        now: Timestamp,
    ) -> Result<bool, IoError> {
        let changes = wait_for(no_longer_parked(lease), next, lease)
            .remove("reason")
            .remove("unusable_since")
            .set("updated_at", number(now.millis()))
            .add("attempts", number(-1));
        self.release(lease, changes).await
    }

    /// Releases a lease because the endpoint is paused: the delivery is parked. Only an attempt that
    /// was made is recorded, and counts. `false` if another worker has the lease by now.
    pub async fn park(
        &self,
        delivery: &Delivery,
        lease: &Lease,
        attempt: Option<&Attempt>,
        now: Timestamp,
    ) -> Result<bool, IoError> {
        let changes = due::enter_parking(Changes::new(), delivery, now)
            .set("state", text(DeliveryState::Parked.as_str()))
            .set("updated_at", number(now.millis()))
            .set_if_absent("parked_since", number(now.millis()))
            .remove("next_attempt_at")
            .remove("reason")
            .remove("unusable_since");
        let changes = match attempt {
            Some(attempt) => logged(changes, lease, attempt)?,
            None => changes.add("attempts", number(-1)),
        };
        self.release(lease, changes).await
    }

    async fn release(&self, lease: &Lease, changes: Changes) -> Result<bool, IoError> {
        let changes = changes.remove("owner").remove("lease_until");
        let changes = match (lease.is_cut, lease.body.is_empty()) {
            (false, _) => changes,
            (true, false) => changes.set("body", bytes(pack(&lease.body))),
            (true, true) => changes.remove("body"),
        };
        let update = Write::update(&self.table, delivery_key(&lease.id), changes)
            .only_if(attr("owner").equals(text(&lease.owner)));
        Ok(update.send(&self.client).await?.is_applied())
    }
}

fn logged(changes: Changes, lease: &Lease, attempt: &Attempt) -> Result<Changes, IoError> {
    Ok(changes.append("attempt_log", json(&Logged { run: lease.run, attempt })?))
}

fn ended(changes: Changes, state: DeliveryState) -> Changes {
    due::leave_index(changes.set("state", text(state.as_str()))).remove("next_attempt_at")
}

fn no_longer_parked(lease: &Lease) -> Changes {
    match lease.parked_since {
        Some(_) => Changes::new().set("state", text(DeliveryState::Pending.as_str())),
        None => Changes::new(),
    }
}

fn wait_for(changes: Changes, next: NextAttempt, lease: &Lease) -> Changes {
    let changes = changes.set("next_attempt_at", number(next.at.millis()));
    match (next.waits_in_flight(), lease.is_in_index) {
        (false, _) => due::enter_index(changes, &lease.id, next.at),
        (true, true) => due::enter_index(changes, &lease.id, next.at.after(LOST_AFTER)),
        (true, false) => changes,
    }
}

fn delivery_key(id: &str) -> Item {
    item([("pk", text(id))])
}

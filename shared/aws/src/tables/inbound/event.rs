//! An event of the inbound log, and how far it has been processed.

use std::collections::BTreeSet;

use domain::core::hash::Fingerprint;
use domain::core::id::{AccountCode, EventId, OrderKey, ReportId};
use domain::core::timestamp::Timestamp;
use domain::core::trace::TraceParent;
use domain::orders::api_event::{ApiEvent, Reconciliation};
use domain::orders::erasure::Erasure;
use domain::tracking::report::SourceName;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

use crate::tables::orders::TracedDelivery;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[derive(IntoStaticStr, EnumString, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum EventState {
    /// Stored, not yet processed.
    Received,
    /// Applied, and the webhooks it causes are queued.
    Processed,
    /// At least one of its reports has no order yet.
    Unmatched,
    /// It contains nothing about an order.
    Ignored,
    /// It contradicts itself or an earlier event. Only a manual retry processes it.
    Quarantined,
    /// It could not be read, or its webhooks could not be queued.
    Failed,
}

impl EventState {
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The value of the row attribute and of API responses.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    /// True if the event itself needs no more work.
    pub fn is_settled(self) -> bool {
        matches!(self, Self::Processed | Self::Unmatched | Self::Ignored | Self::Quarantined)
    }

    /// True if the event may need an operator's attention: the index `notable` has it.
    pub fn is_notable(self) -> bool {
        matches!(self, Self::Unmatched | Self::Quarantined | Self::Failed)
    }
}

/// The result of processing an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    pub state: EventState,
    /// Never contains content of the event.
    pub reason: Option<String>,
    /// The reports that have no order yet.
    pub waiting: BTreeSet<ReportId>,
    /// It is about an order whose shopper was erased: its body must go too.
    pub is_erasable: bool,
    /// The deliveries that it caused, by which erasing finds them; those that are noted with its
    /// orders are not here.
    pub deliveries: BTreeSet<TracedDelivery>,
}

impl From<EventState> for Progress {
    fn from(state: EventState) -> Self {
        Self {
            state,
            reason: None,
            waiting: BTreeSet::new(),
            is_erasable: false,
            deliveries: BTreeSet::new(),
        }
    }
}

impl Progress {
    pub fn because(state: EventState, reason: impl Into<String>) -> Self {
        Self { reason: Some(reason.into()), ..state.into() }
    }

    pub fn unmatched(waiting: BTreeSet<ReportId>) -> Self {
        Self { waiting, ..EventState::Unmatched.into() }
    }
}

/// An event as received.
#[derive(Clone)]
pub struct InboundEvent {
    /// The dedup key: a hash of the fields that identify the event.
    pub id: EventId,
    pub source: SourceName,
    /// Absent if the account of each update follows from the update itself.
    pub account: Option<AccountCode>,
    pub received_at: Timestamp,
    pub state: EventState,
    /// Never contains content of the event.
    pub reason: Option<String>,
    /// The header of its request, if that was valid.
    pub traceparent: Option<TraceParent>,
    /// The exact bytes.
    pub body: Vec<u8>,
}

impl InboundEvent {
    /// The trace of its request, or one of its own.
    pub fn trace(&self) -> TraceParent {
        self.traceparent.unwrap_or_else(|| TraceParent::of(&self.id))
    }

    /// The event that makes `process` reconcile an order, at this revision, with the reports parked
    /// under its new names.
    ///
    /// Each write of an order has its own event id: dedup must not drop a later reconciliation as a
    /// repeat of an earlier one. The time separates two concurrent requests that prepare the same
    /// revision.
    pub fn reconciliation(
        account: &AccountCode,
        rev: u64,
        content: Reconciliation,
        now: Timestamp,
    ) -> Self {
        let id = Fingerprint::of("adoption").with(account).with(&content.order_id);
        let id = id.with(rev.to_be_bytes()).with(now.millis().to_be_bytes());
        // An order may take names of several others at once.
        let id = content.taken.iter().fold(id, |id, taken| id.with(&taken.from));
        Self {
            id: id.into(),
            source: SourceName::API,
            account: Some(account.clone()),
            received_at: now,
            state: EventState::Received,
            reason: None,
            traceparent: None,
            body: ApiEvent::Reconciliation(content).to_body(),
        }
    }

    /// One erasure of an order, however often it is requested.
    pub fn erasure(key: &OrderKey, erasure: &Erasure, now: Timestamp) -> Self {
        let id = Fingerprint::of("erasure").with(&key.account).with(&key.order);
        let id = id.with(erasure.scope.as_str()).with(erasure.created_at.millis().to_be_bytes());
        Self {
            id: id.into(),
            source: SourceName::API,
            account: Some(key.account.clone()),
            received_at: now,
            state: EventState::Received,
            reason: None,
            traceparent: None,
            body: ApiEvent::Erasure(erasure.clone()).to_body(),
        }
    }
}

/// Without the body, which contains names and phone numbers.
impl std::fmt::Debug for InboundEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InboundEvent")
            .field("id", &self.id)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// The result of the dedup by event id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    New,
    /// The same event is stored already, in this state.
    Duplicate(EventState),
    /// An event with this id and another body is stored already.
    Conflict,
}

//! One run of an event's processing.

use aws::clock::now;
use aws::tables::inbound::{EventState, InboundEvent, Progress, StoredEvent};
use domain::core::id::{AccountCode, OrderId, OrderKey};
use domain::core::timestamp::Timestamp;
use domain::orders::api_event::ApiEvent;
use domain::orders::erasure::Erasure;
use domain::tracking::report::SourceName;
use domain::tracking::timeline::Origin;

/// Its functions return no progress if another run has to go on.
pub(crate) struct Run<'a> {
    pub(crate) event: &'a InboundEvent,
    pub(crate) stored: &'a StoredEvent,
    pub(crate) deadline: Timestamp,
}

impl Run<'_> {
    pub(crate) fn has_time(&self) -> bool {
        now() < self.deadline
    }

    /// An erasure is no progress of one run: it takes several.
    pub(crate) fn erasure(&self) -> Option<Erasure> {
        let is_ours = self.event.source == SourceName::API;
        match is_ours.then(|| serde_json::from_slice(&self.event.body))?.ok()? {
            ApiEvent::Erasure(erasure) => Some(erasure),
            _ => None,
        }
    }

    pub(crate) fn origin(&self) -> Origin {
        let InboundEvent { id, received_at, .. } = self.event;
        Origin { event_id: id.clone(), logged_as: None, received_at: *received_at }
    }

    pub(crate) fn order(&self, order: &OrderId) -> Option<OrderKey> {
        let account = self.event.account.clone()?;
        Some(OrderKey { account, order: order.clone() })
    }
}

pub(crate) fn log_progress(event: &InboundEvent, progress: &Progress) {
    let (state, reason) = (progress.state, progress.reason.as_deref());
    let (source, trace_id) = (event.source.as_str(), event.trace().trace_id());
    if state == EventState::Failed {
        tracing::error!(event_id = %event.id, trace_id, source, reason, "event.failed");
    } else {
        let state = state.as_str();
        let account = event.account.as_ref().map(AccountCode::as_str);
        let deliveries = progress.deliveries.len();
        tracing::info!(
            event_id = %event.id,
            trace_id,
            source,
            account,
            state,
            reason,
            deliveries,
            "event.settled"
        );
    }
}

//! Checks of the rules after a change, as messages of the events queue.

use serde::{Deserialize, Serialize};

use crate::core::id::{OrderKey, ReportId};
use crate::core::timestamp::Timestamp;
use crate::core::trace::TraceParent;
use crate::messaging::rules::decision::message_id;
use crate::messaging::send::SendId;
use crate::webhooks::notification::Change;

/// A change that may send a message. It is checked apart from the event that made it: a check that
/// waits or fails delays no webhook and repeats no event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleCheck {
    /// [`RuleCheck::VERSION`].
    v: u8,
    pub order: OrderKey,
    /// An order that was erased and created again is another one.
    pub order_created_at: Timestamp,
    /// The entry of the order's timeline that caused the change.
    pub entry: ReportId,
    /// The order's version after the change.
    version: u64,
    pub trace: TraceParent,
}

impl RuleCheck {
    /// Older releases, which cannot read it, leave a message of a later version in the queue.
    pub const VERSION: u8 = 3;

    pub fn of(change: &Change<'_>, trace: TraceParent) -> Self {
        Self {
            v: Self::VERSION,
            order: change.order.key.clone(),
            order_created_at: change.order.state.created_at,
            entry: change.entry.id.clone(),
            version: change.transition.version,
            trace,
        }
    }

    pub fn to_message(&self) -> String {
        // String keys and no floats: serialization cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// `None` for an unreadable message or another version.
    pub fn read(message: &str) -> Option<Self> {
        serde_json::from_str(message).ok().filter(|check: &Self| check.v == Self::VERSION)
    }

    /// The id of the change's message: there is at most one.
    pub fn message_id(&self) -> SendId {
        message_id(&self.order, self.order_created_at, self.version)
    }
}

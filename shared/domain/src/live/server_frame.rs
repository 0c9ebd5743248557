//! The frames that a client gets. None has personal data or words of a source.

use serde::Serialize;

use crate::core::id::{OrderId, OrderKey};
use crate::core::timestamp::Timestamp;
use crate::orders::order::Order;
use crate::tracking::entry::Transition;
use crate::tracking::status::Status;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerFrame<'a> {
    /// Updates follow; missed ones came before.
    Registered,
    Pong,
    OrderUpdate(OrderNews),
    MessageStatusUpdate(MessageNews),
    Error {
        code: &'static str,
        message: &'a str,
    },
}

/// An order's status at a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderNews {
    pub order_id: OrderId,
    pub status: Status,
    pub previous_status: Option<Status>,
    pub version: u64,
    /// The status for people.
    pub message: &'static str,
    /// The time of the status.
    pub timestamp: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MessageNews {
    /// That of the record: the provider's has the phone number.
    pub message_id: String,
    pub order_id: Option<OrderId>,
    pub status: String,
    pub timestamp: Timestamp,
}

impl ServerFrame<'_> {
    /// The text of the frame.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl OrderNews {
    pub fn of(key: &OrderKey, change: &Transition) -> Self {
        Self {
            order_id: key.order.clone(),
            status: change.status,
            previous_status: Some(change.previous_status),
            version: change.version,
            message: change.status.title(),
            timestamp: change.occurred_at,
        }
    }

    /// The current state.
    pub(super) fn current(order: &Order) -> Self {
        let (state, tracking) = (&order.state, &order.state.tracking);
        Self {
            order_id: order.key.order.clone(),
            status: tracking.status,
            previous_status: state.previous_status,
            version: state.version,
            message: tracking.status.title(),
            timestamp: tracking.since.unwrap_or(state.created_at),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{minute, order_id};

    fn json_of(frame: &ServerFrame<'_>) -> serde_json::Value {
        serde_json::from_str(&frame.to_text()).unwrap_or_default()
    }

    #[test]
    fn frames_are_as_documented() {
        assert_eq!(json_of(&ServerFrame::Registered), json!({"type": "registered"}));
        assert_eq!(json_of(&ServerFrame::Pong), json!({"type": "pong"}));
        let news = OrderNews {
            order_id: order_id("ORD-1"),
            status: Status::OutForDelivery,
            previous_status: Some(Status::InTransit),
            version: 4,
            message: Status::OutForDelivery.title(),
            timestamp: minute(0),
        };
        let expected = json!({
            "type": "order_update", "orderId": "ORD-1", "status": "out_for_delivery",
            "previousStatus": "in_transit", "version": 4, "message": "Out For Delivery",
            "timestamp": "2026-01-20T10:00:00.000Z",
        });
        assert_eq!(json_of(&ServerFrame::OrderUpdate(news)), expected);
        let news = MessageNews {
            message_id: "m1".to_owned(),
            order_id: None,
            status: "read".to_owned(),
            timestamp: minute(0),
        };
        let expected = json!({
            "type": "message_status_update", "messageId": "m1", "orderId": null,
            "status": "read", "timestamp": "2026-01-20T10:00:00.000Z",
        });
        assert_eq!(json_of(&ServerFrame::MessageStatusUpdate(news)), expected);
    }
}

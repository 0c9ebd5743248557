//! The events that are published: the frames of sockets, on channels.

use serde::{Deserialize, Serialize};

use super::setting::PusherSetting;
use crate::live::{LiveUpdate, Scope};

/// Pusher's limit of an event's data. That of Soketi is higher.
const MAX_DATA: usize = 10 * 1024;
/// Most events of a request.
const BATCH: usize = 10;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PusherEvent {
    name: &'static str,
    channel: String,
    /// JSON, as a string.
    data: String,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Kind {
    OrderUpdate,
    MessageStatusUpdate,
}

impl Kind {
    fn on_order(&self) -> &'static str {
        match self {
            Self::OrderUpdate => "status_changed",
            Self::MessageStatusUpdate => "message_status_update",
        }
    }

    fn on_shipments(&self) -> &'static str {
        match self {
            Self::OrderUpdate => "shipment-update",
            Self::MessageStatusUpdate => "message_status_update",
        }
    }
}

/// An update's events: one on the channel of its order, and one on that of its account.
pub fn events_of(update: &LiveUpdate, setting: &PusherSetting) -> Vec<PusherEvent> {
    let data = &update.frame;
    let kind = serde_json::from_str::<Kind>(data).ok().filter(|_| data.len() <= MAX_DATA);
    let (Some(about), Some(kind)) = (&update.about, kind) else { return Vec::new() };
    let order = about.order.as_ref().map(|_| about);
    let channels = [
        order.and_then(|order| Some((kind.on_order(), setting.channel(order)?))),
        order.and_then(|order| Some((kind.on_order(), setting.public_channel(order)?))),
        setting
            .channel(&Scope::account(&about.account))
            .map(|channel| (kind.on_shipments(), channel)),
    ];
    let event = |(name, channel)| PusherEvent { name, channel, data: data.clone() };
    channels.into_iter().flatten().map(event).collect()
}

/// The bodies of the requests that publish these events, with the number of events of each.
pub fn batches(events: &[PusherEvent]) -> impl Iterator<Item = (usize, Vec<u8>)> {
    #[derive(Serialize)]
    struct Body<'a> {
        batch: &'a [PusherEvent],
    }
    events
        .chunks(BATCH)
        .map(|batch| (batch.len(), serde_json::to_vec(&Body { batch }).unwrap_or_default()))
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use serde_json::{Value, json};

    use super::super::setting::tests::setting;
    use super::*;
    use crate::live::{MessageNews, OrderNews, ServerFrame};
    use crate::testing::{minute, order_id};
    use crate::tracking::status::Status;

    fn update(frame: &ServerFrame<'_>, about: Value) -> LiveUpdate {
        let about: Scope = serde_json::from_value(about).unwrap();
        LiveUpdate::new(Vec::new(), frame).about(about)
    }

    fn order_update() -> ServerFrame<'static> {
        ServerFrame::OrderUpdate(OrderNews {
            order_id: order_id("ORD1001"),
            status: Status::Delivered,
            previous_status: Some(Status::InTransit),
            version: 4,
            message: Status::Delivered.title(),
            timestamp: minute(0),
        })
    }

    fn message_update() -> ServerFrame<'static> {
        ServerFrame::MessageStatusUpdate(MessageNews {
            message_id: "m1".to_owned(),
            order_id: None,
            status: "read".to_owned(),
            timestamp: minute(0),
        })
    }

    fn names(events: &[PusherEvent]) -> Vec<(&str, &str)> {
        events.iter().map(|event| (event.name, event.channel.as_str())).collect()
    }

    #[test]
    fn an_update_is_told_on_the_channels_of_its_order_and_account() {
        let pusher = setting(json!({"account": "STORE001", "public_channels": true}));
        let (frame, message) = (order_update(), message_update());
        let of_order = json!({"account": "STORE001", "order": "ORD1001"});
        let events = events_of(&update(&frame, of_order.clone()), &pusher);
        let expected = [
            ("status_changed", "private-order-ORD1001"),
            ("status_changed", "order-ORD1001"),
            ("shipment-update", "private-shipments"),
        ];
        assert_eq!(names(&events), expected);
        assert!(events.iter().all(|event| event.data == frame.to_text()));
        let other = update(&frame, json!({"account": "STORE002", "order": "ORD1001"}));
        let expected = [
            ("status_changed", "private-order-ORD1001@STORE002"),
            ("shipment-update", "private-shipments@STORE002"),
        ];
        assert_eq!(names(&events_of(&other, &setting(json!({})))), expected);
        let expected = [
            ("message_status_update", "private-order-ORD1001"),
            ("message_status_update", "private-shipments"),
        ];
        let private = setting(json!({"account": "STORE001"}));
        assert_eq!(names(&events_of(&update(&message, of_order), &private)), expected);
        let without_order = update(&message, json!({"account": "STORE001"}));
        assert_eq!(names(&events_of(&without_order, &private)), expected[1..]);
    }

    #[test]
    fn tells_nothing_else() {
        let pusher = setting(json!({}));
        let unmarked = LiveUpdate::new(Vec::new(), &order_update());
        assert_eq!(events_of(&unmarked, &pusher), []);
        let account = json!({"account": "A"});
        assert_eq!(events_of(&update(&ServerFrame::Pong, account.clone()), &pusher), []);
        let mut long = update(&message_update(), account);
        long.frame = long.frame.replace("m1", &"m".repeat(MAX_DATA));
        assert_eq!(events_of(&long, &pusher), []);
    }

    #[test]
    fn a_request_has_ten_events_at_most() {
        let update = update(&order_update(), json!({"account": "A", "order": "O"}));
        let events: Vec<_> = (0..6).flat_map(|_| events_of(&update, &setting(json!({})))).collect();
        let batches: Vec<_> = batches(&events).collect();
        assert_eq!(batches.iter().map(|(count, _)| *count).collect::<Vec<_>>(), [10, 2]);
        let body: Value = serde_json::from_slice(&batches[1].1).unwrap();
        let event = json!({
            "name": "shipment-update", "channel": "private-shipments@A", "data": update.frame,
        });
        assert_eq!(body["batch"][1], event);
    }
}

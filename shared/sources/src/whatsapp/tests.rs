#![expect(clippy::unwrap_used)]

use domain::core::timestamp::Timestamp;
use domain::messaging::channel::{Content, InboundMessage, OtherUpdate, StatusUpdate};
use serde_json::{Value as RawJson, json};

use super::*;
use crate::testing::time;

mod any;
mod bodies;
mod contents;
mod fields;
mod unusual_values;

const NUMBER: &str = "106540352242922";
const OURS: &str = "wamid.HBgLMTY1MDU1NTEyMzQVAgARGBI5QTNDQTVCM0Q0Q0Q2RTY3RTcA";

/// A body with one change per value.
fn body(values: &[RawJson]) -> RawJson {
    let changes: Vec<_> =
        values.iter().map(|value| json!({"field": "messages", "value": value})).collect();
    json!({"object": "whatsapp_business_account", "entry": [{"id": "102290129340398", "changes": changes}]})
}

/// A value about our number with these fields.
fn value(more: RawJson) -> RawJson {
    with(json!({"messaging_product": "whatsapp", "metadata": {"phone_number_id": NUMBER}}), more)
}

fn with(mut object: RawJson, more: RawJson) -> RawJson {
    let RawJson::Object(more) = more else { unreachable!("{more}") };
    object.as_object_mut().unwrap().extend(more);
    object
}

fn status() -> RawJson {
    json!({"id": OURS, "status": "delivered", "timestamp": "1750030080", "recipient_id": "16505551234"})
}

fn message() -> RawJson {
    let text = json!({"body": "Where is my order?"});
    json!({"from": "16505551234", "id": "wamid.A", "timestamp": "1750030200", "type": "text", "text": text})
}

fn read(body: &[u8]) -> Result<Reading, Unreadable> {
    let request = Request::stored(None, body);
    WhatsApp.parse(&request, Timestamp::EPOCH).map(|parsed| parsed.reading)
}

fn updates_of(body: &RawJson) -> Items<ChannelUpdate> {
    let Reading::Updates(updates) = read(body.to_string().as_bytes()).unwrap() else {
        unreachable!("ignored: {body}")
    };
    updates
}

/// The events in values about our number, and the number of skipped items.
fn events(values: &[RawJson]) -> (Vec<ChannelEvent>, usize) {
    let updates = updates_of(&body(values));
    assert!(updates.items.iter().all(|update| update.number.as_deref() == Some(NUMBER)));
    (updates.items.into_iter().map(|update| update.event).collect(), updates.skipped)
}

/// The status with some fields replaced, if it can be read.
fn status_with(more: RawJson) -> Option<StatusUpdate> {
    match events(&[value(json!({"statuses": [with(status(), more)]}))]) {
        (mut all, 0) if all.len() == 1 => match all.remove(0) {
            ChannelEvent::Status(status) => Some(status),
            other => unreachable!("{other:?}"),
        },
        (none, odd) => {
            assert_eq!((none.len(), odd), (0, 1));
            None
        }
    }
}

/// The message with some fields replaced, and these contacts beside it, if it can be read.
fn message_with(more: RawJson, contacts: RawJson) -> Option<InboundMessage> {
    match events(&[value(json!({"messages": [with(message(), more)], "contacts": contacts}))]) {
        (mut all, 0) if all.len() == 1 => match all.remove(0) {
            ChannelEvent::InboundMessage(inbound) => Some(*inbound),
            other => unreachable!("{other:?}"),
        },
        (none, odd) => {
            assert_eq!((none.len(), odd), (0, 1));
            None
        }
    }
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

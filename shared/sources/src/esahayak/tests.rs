#![expect(clippy::unwrap_used)]

use domain::core::id::AccountCode;
use domain::core::timestamp::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::testing::time;

mod any;
mod bodies;
mod dedup;
mod unusual_values;

/// The body of `events/esahayak/stamp_uploaded.json`.
fn body() -> Value {
    serde_json::from_str(include_str!("../../../../events/esahayak/stamp_uploaded.json")).unwrap()
}

/// [`body`] with some fields replaced.
fn with(changes: Value) -> Value {
    let mut body = body();
    let Value::Object(changes) = changes else { return changes };
    body.as_object_mut().unwrap().extend(changes);
    body
}

/// [`body`] without one field.
fn without(name: &str) -> Value {
    let mut body = body();
    body.as_object_mut().unwrap().remove(name);
    body
}

/// [`body`] with another type, and with `details` beside its order.
fn event(kind: &str, details: Value) -> Value {
    let mut data = json!({"order": {"id": "order_12345", "status": "WORDS"}});
    data.as_object_mut().unwrap().extend(details.as_object().unwrap().clone());
    with(json!({"type": kind, "data": data}))
}

fn read(body: &[u8]) -> Result<Reading, Unreadable> {
    read_for("STORE001", body)
}

fn read_for(account: &str, body: &[u8]) -> Result<Reading, Unreadable> {
    let account = AccountCode::parse(account).unwrap();
    let request = Request::stored(Some(&account), body);
    Esahayak.parse(&request, Timestamp::EPOCH).map(|parsed| parsed.reading)
}

/// The dedup key of an object, even one that is no envelope.
fn dedup_key(headers: &[(&str, &str)], body: &[u8]) -> DedupKey {
    let request = Request { headers, body, ..Request::default() };
    super::dedup_key(&request, &read_object(body).unwrap())
}

fn read_value(body: &Value) -> Result<Reading, Unreadable> {
    read(body.to_string().as_bytes())
}

fn report(body: &Value) -> Report {
    only(read_value(body))
}

fn only(reading: Result<Reading, Unreadable>) -> Report {
    let Reading::Reports(mut reports) = reading.unwrap() else { unreachable!("ignored") };
    assert_eq!((reports.items.len(), reports.skipped), (1, 0));
    reports.items.remove(0)
}

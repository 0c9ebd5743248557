#![expect(clippy::unwrap_used)]

use domain::core::id::AccountCode;
use domain::core::timestamp::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::testing::time;

mod any;
mod attempts;
mod bodies;
mod unusual_values;

/// The demo parcel in transit, `events/shiprocket/in_transit.json`.
fn body() -> Value {
    serde_json::from_str(include_str!("../../../../events/shiprocket/in_transit.json")).unwrap()
}

/// [`body`] with some fields replaced.
fn with(changes: Value) -> Value {
    let mut body = body();
    let Value::Object(changes) = changes else { return changes };
    body.as_object_mut().unwrap().extend(changes);
    body
}

/// [`body`] with these fields in place of its status fields.
fn with_status(fields: Value) -> Value {
    let mut body = body();
    let object = body.as_object_mut().unwrap();
    object.retain(|name, _| !name.contains("status"));
    object.extend(fields.as_object().unwrap().clone());
    body
}

fn read(body: &[u8]) -> Result<Reading, Unreadable> {
    read_for("STORE001", body)
}

fn read_for(account: &str, body: &[u8]) -> Result<Reading, Unreadable> {
    let account = AccountCode::parse(account).unwrap();
    let request = Request::stored(Some(&account), body);
    Shiprocket.parse(&request, Timestamp::EPOCH).map(|parsed| parsed.reading)
}

fn report(body: &Value) -> Report {
    let Reading::Reports(mut reports) = read(body.to_string().as_bytes()).unwrap() else {
        unreachable!("ignored")
    };
    assert_eq!((reports.items.len(), reports.skipped), (1, 0));
    reports.items.remove(0)
}

fn status_of(fields: Value) -> Status {
    report(&with_status(fields)).status
}

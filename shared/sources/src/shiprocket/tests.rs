#![expect(clippy::unwrap_used)]

use domain::core::id::AccountCode;
use domain::core::timestamp::Timestamp;
use serde_json::{Value, json};

use super::*;

mod any;
mod bodies;
mod odd;

/// The demo parcel on its way, as in `events/shiprocket/in_transit.json`.
fn body() -> Value {
    serde_json::from_str(include_str!("../../../../events/shiprocket/in_transit.json")).unwrap()
}

/// The demo parcel's body with some fields replaced.
fn with(changes: Value) -> Value {
    let mut body = body();
    let Value::Object(changes) = changes else { return changes };
    body.as_object_mut().unwrap().extend(changes);
    body
}

/// A body without what says how the parcel stands, and this.
fn standing(words: Value) -> Value {
    let mut body = body();
    let fields = body.as_object_mut().unwrap();
    fields.retain(|name, _| !name.contains("status"));
    fields.extend(words.as_object().unwrap().clone());
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

fn status_of(words: Value) -> Status {
    report(&standing(words)).status
}

fn time(text: &str) -> Option<Timestamp> {
    Some(Timestamp::parse(text).unwrap())
}

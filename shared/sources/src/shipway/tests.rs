#![expect(clippy::unwrap_used)]

use domain::core::id::{AccountCode, Awb, OrderId, ReportId};
use domain::core::timestamp::Timestamp;
use domain::tracking::status::{Leg, Status};
use serde_json::{Value, json};

use super::*;
use crate::testing::time;

mod any;
mod bodies;
mod ids;
mod unusual_values;

/// 24 November 2026, 10:30:40 in India.
const NOW: &str = "2026-11-24T05:00:40Z";

/// The demo parcel's full body, `events/shipway/full.json`.
fn full() -> Value {
    serde_json::from_str(include_str!("../../../../events/shipway/full.json")).unwrap()
}

/// The full body with some fields replaced.
fn with(changes: Value) -> Value {
    let mut body = full();
    body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    body
}

/// The full body with these scans.
fn with_scans(scans: Value) -> Value {
    let mut body = full();
    body["api_input"]["scans"] = scans;
    body
}

fn feed(items: Value) -> Value {
    json!({"hash": "ff9eee4e5674e80ff7a08ef685209267", "status_feed": items})
}

fn read_bytes(body: &[u8]) -> Result<Reading, Unreadable> {
    read_at(NOW, "STORE001", body)
}

fn read_at(at: &str, account: &str, body: &[u8]) -> Result<Reading, Unreadable> {
    let account = AccountCode::parse(account).unwrap();
    let request = Request::stored(Some(&account), body);
    Shipway.parse(&request, Timestamp::parse(at).unwrap()).map(|parsed| parsed.reading)
}

fn read(body: &Value) -> Result<Reading, Unreadable> {
    read_bytes(body.to_string().as_bytes())
}

fn reports_of(body: &Value) -> Items<Report> {
    let Reading::Reports(reports) = read(body).unwrap() else { unreachable!("ignored: {body}") };
    reports
}

fn report(body: &Value) -> Report {
    let mut reports = reports_of(body);
    assert_eq!((reports.items.len(), reports.skipped), (1, 0), "{body}");
    reports.items.remove(0)
}

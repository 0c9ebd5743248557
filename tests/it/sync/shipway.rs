//! The double of Shipway's API, as tests tell it what to answer and see what it was asked.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::http::client;
use crate::support::stack;

/// A call that it got.
#[derive(Debug, Clone, Deserialize)]
pub struct Call {
    /// UTC, as text.
    pub at: String,
    /// Who asked, by the email.
    pub user: String,
    /// What was asked for.
    pub awbs: Vec<String>,
    /// What it was answered.
    pub status: u16,
}

#[derive(Deserialize)]
struct Log {
    calls: Vec<Call>,
}

/// What it says of a parcel: this code, and that it happened at this time.
pub fn item(code: &str, date: &str) -> Value {
    let activities = json!([{"date": date, "activity": "Scanned", "location": "Exampletown"}]);
    json!({"tracking_details": {"shipment_status": code, "shipment_track_activities": activities}})
}

/// Has it know parcels, or forget those with `null`.
pub async fn knows(parcels: impl IntoIterator<Item = (String, Value)>) {
    let parcels: serde_json::Map<String, Value> = parcels.into_iter().collect();
    control(&json!({"awb": parcels})).await;
}

/// Has it answer in another way the next so many calls that ask for an AWB which begins so.
pub async fn answers(asking: &str, times: u32, mut mode: Value) {
    mode["asking"] = json!(asking);
    mode["times"] = json!(times);
    control(&json!({"mode": mode})).await;
}

/// Lets a shop ask; what its secret parameter has to say.
pub async fn lets_in(email: &str) -> Value {
    let license_key = format!("canary-secret-{email}");
    control(&json!({"credentials": {format!("{email}:{license_key}"): null}})).await;
    json!({"email": email, "license_key": license_key})
}

/// What these shops asked so far, the oldest call first.
pub async fn calls(users: &[&str]) -> Vec<Call> {
    let answer = client().get(format!("{}/_calls", stack().shipway_url)).send().await.unwrap();
    let log: Log = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    log.calls.into_iter().filter(|call| users.contains(&call.user.as_str())).collect()
}

async fn control(told: &Value) {
    let url = format!("{}/_control", stack().shipway_url);
    let answer = client().post(url).body(told.to_string()).send().await.unwrap();
    assert!(answer.status().is_success(), "{told}");
}

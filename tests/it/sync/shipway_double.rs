//! Control of the double of Shipway's API.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::http::client;
use crate::support::stack;

/// A recorded call.
#[derive(Debug, Clone, Deserialize)]
pub struct Call {
    /// UTC.
    pub at: String,
    /// The email address of the credentials.
    pub user: String,
    pub awbs: Vec<String>,
    /// The HTTP status of the answer.
    pub status: u16,
}

#[derive(Deserialize)]
struct Log {
    calls: Vec<Call>,
}

/// A parcel's item in an answer, with one scan.
pub fn tracking_item(code: &str, date: &str) -> Value {
    let activities = json!([{"date": date, "activity": "Scanned", "location": "Exampletown"}]);
    json!({"tracking_details": {"shipment_status": code, "shipment_track_activities": activities}})
}

/// Sets the items of parcels by AWB; `null` removes a parcel.
pub async fn set_parcels(parcels: impl IntoIterator<Item = (String, Value)>) {
    let parcels: serde_json::Map<String, Value> = parcels.into_iter().collect();
    control(&json!({"awb": parcels})).await;
}

/// Changes the answers to the next `times` calls for an AWB with this prefix.
pub async fn set_answer_mode(awb_prefix: &str, times: u32, mut mode: Value) {
    mode["asking"] = json!(awb_prefix);
    mode["times"] = json!(times);
    control(&json!({"mode": mode})).await;
}

/// Adds credentials. Returns the value of their secret parameter.
pub async fn add_credentials(email: &str) -> Value {
    let license_key = format!("canary-secret-{email}");
    control(&json!({"credentials": {format!("{email}:{license_key}"): null}})).await;
    json!({"email": email, "license_key": license_key})
}

/// All calls of these users, oldest first.
pub async fn calls(users: &[&str]) -> Vec<Call> {
    let answer = client().get(format!("{}/_calls", stack().shipway_url)).send().await.unwrap();
    let log: Log = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    log.calls.into_iter().filter(|call| users.contains(&call.user.as_str())).collect()
}

async fn control(command: &Value) {
    let url = format!("{}/_control", stack().shipway_url);
    let answer = client().post(url).body(command.to_string()).send().await.unwrap();
    assert!(answer.status().is_success(), "{command}");
}

//! Calls to SSM: they have a low rate limit, so their number must not grow with the deliveries.

use aws::clock::system_time;
use aws::settings::Settings;
use deliver::{Deliver, HEALTH_TTL, HealthMonitor};
use egress::Http;
use process::Process;

use super::*;
use crate::support::{
    Parcel, inbound_event, insert_event, put_secret, put_setting, remove_parameters,
    seconds_from_now, unique,
};

/// The cache outlives the test.
fn settings(calls: &Calls, prefix: &str) -> Settings {
    Settings::new(stack().ssm(calls), prefix.to_owned(), Duration::from_secs(3600))
}

fn deliver(calls: &Calls) -> Deliver {
    let uncounted = Calls::default();
    let health = HealthMonitor::new(stack().health(), HEALTH_TTL);
    let dead_letters = stack().queue("deliveries_dlq", &uncounted);
    let settings = settings(calls, "/waypost/local");
    let http = Http::new(system_time).unwrap();
    Deliver::new(stack().deliveries(&uncounted), health, dead_letters, None, None, settings, http)
}

#[tokio::test]
async fn reads_the_settings_of_an_endpoint_once_for_many_deliveries() {
    let disabled = TestEndpoint::new(json!({"enabled": false}), json!([])).await;
    let ready = TestEndpoint::new(json!({}), json!([])).await;
    let unusable = TestEndpoint::new(json!({}), json!([])).await;
    unusable.set("secret", "whsec_short").await;
    for endpoint in [&ready, &disabled, &TestEndpoint::removed(), &unusable] {
        let calls = Calls::default();
        let deliver = deliver(&calls);
        for _ in 0..5 {
            let message = endpoint.delivery().to_message();
            deliver.handle(&message, seconds_from_now(60)).await.unwrap();
        }
        assert_eq!(calls.names(), ["ssm:GetParameters"], "{}", endpoint.name());
    }
}

#[tokio::test]
async fn a_cold_process_reads_a_hundred_endpoints_in_at_most_forty_two_calls() {
    let (parcel, account, stage) = (Parcel::new(), unique("ACC-"), unique("stage-"));
    stack().create_order_in(&account, &parcel.order()).await;
    for number in 0..100 {
        let name = format!("{stage}/endpoints/shop-{number}");
        put_setting(&format!("{name}/url"), "https://shop.example.com/").await;
        put_setting(&format!("{name}/settings"), "{}").await;
        put_secret(&format!("{name}/secret"), SIGNING_SECRET).await;
        put_secret(&format!("{name}/legacy_secret"), "legacy").await;
    }
    let (calls, uncounted) = (Calls::default(), Calls::default());
    let prefix = format!("/waypost/{stage}");
    let process = Process::new(
        stack().events(&uncounted),
        stack().queue("events", &uncounted),
        stack().orders(&uncounted),
        stack().messages(&uncounted),
        stack().queue("deliveries", &uncounted),
        stack().deliveries(&uncounted),
        settings(&calls, &prefix),
    );
    let report = parcel.in_transit().to_string();
    let id = insert_event(&inbound_event("shiprocket", Some(&account), report)).await;
    let message = json!({"v": 1, "event_id": id}).to_string();
    let outcome = process.handle(&message, seconds_from_now(60)).await.unwrap();
    assert_eq!(outcome, RecordOutcome::Ack);
    // One of them reads the accounts' rules, one the links of tracking pages.
    let read = calls.names().len();
    assert!((12..=42).contains(&read), "{read} calls; 22 on AWS, which filters by type");
    remove_parameters(&prefix).await;
}

//! Endpoint settings: changes, mistakes, removal and URLs that the SSRF guard rejects.

use aws::tables::inbound::EventState;
use serde_json::json;

use super::{attempts, enqueue, row, row_in, send, set_number, text};
use crate::support::{
    Calls, Parcel, SIGNING_SECRET, TestEndpoint, eventually, inbound_event, insert_event,
    process_event, stack, take_dead_letter, take_unreadable_dead_letter, unique,
};

#[tokio::test]
async fn applies_changed_endpoint_settings() {
    let headers = json!({"headers": {"X-Shop": "tea"}});
    let endpoint = TestEndpoint::new(headers, json!([])).await;
    endpoint.set("legacy_secret", "old-secret").await;
    let first = endpoint.delivery();
    enqueue(&first).await;
    let received = endpoint.received(1).await;
    assert_eq!(
        (&*received[0].headers["x-shop"], &*received[0].headers["x-vendor-server-secret"]),
        ("tea", "old-secret")
    );

    endpoint.set("settings", &json!({"enabled": false}).to_string()).await;
    // `deliver` caches settings for a second; until then it still delivers.
    eventually("the endpoint to be disabled", async || {
        let delivery = endpoint.delivery();
        enqueue(&delivery).await;
        let done = eventually("delivered or dead", async || {
            let row = row(&delivery.id).await;
            ["delivered", "dead"].contains(&text(&row, "state")).then_some(row)
        })
        .await;
        (text(&done, "reason") == "endpoint_disabled").then_some(())
    })
    .await;
}

/// The other endpoint gets its delivery, and no delivery is lost.
#[tokio::test]
async fn delivers_after_invalid_endpoint_settings_are_fixed() {
    let (parcel, account) = (Parcel::new(), unique("ACC-"));
    stack().create_order_in(&account, &parcel.order()).await;
    let valid = TestEndpoint::new(json!({"accounts": [account]}), json!([])).await;
    let invalid = json!({"accounts": [account], "format": "fax"});
    let invalid = TestEndpoint::new(invalid, json!([])).await;

    let report = parcel.in_transit().to_string();
    let id = insert_event(&inbound_event("shiprocket", Some(&account), report)).await;
    assert!(process_event(&id, None).await.0);
    let event = stack().events(&Calls::default()).load(&id).await.unwrap().unwrap();
    assert_eq!(
        (event.state, event.reason.unwrap().contains(invalid.name())),
        (EventState::Failed, true)
    );
    let first = valid.received(1).await;

    invalid.set("settings", &json!({"accounts": [account]}).to_string()).await;
    assert!(process_event(&id, None).await.0);
    let event = stack().events(&Calls::default()).load(&id).await.unwrap().unwrap();
    assert_eq!(event.state, EventState::Processed);
    assert_eq!(invalid.received(1).await[0].json(), first[0].json());
    assert_eq!(valid.received_so_far().await.len(), 1);
}

#[tokio::test]
async fn delivers_after_an_invalid_secret_is_corrected() {
    let endpoint = TestEndpoint::new(json!({"retry_count": 1}), json!([])).await;
    endpoint.set("secret", "whsec_short").await;
    let delivery = endpoint.delivery();
    enqueue(&delivery).await;
    let waiting = eventually("a row with the reason", async || {
        Some(row(&delivery.id).await).filter(|row| text(row, "reason") == "unusable_settings")
    })
    .await;
    assert_eq!((text(&waiting, "state"), waiting.contains_key("owner")), ("pending", false));
    endpoint.set("secret", SIGNING_SECRET).await;
    let delivered = row_in(&delivery.id, "delivered").await;
    assert_eq!(attempts(&delivered).len(), 1);
    assert_eq!(delivered["attempts"].as_n().unwrap(), "1");
    assert!(!delivered.contains_key("reason") && !delivered.contains_key("unusable_since"));
}

#[tokio::test]
async fn gives_up_on_an_endpoint_whose_secret_stays_invalid() {
    let endpoint = TestEndpoint::new(json!({}), json!([])).await;
    endpoint.set("secret", "whsec_short").await;
    let delivery = endpoint.delivery();
    enqueue(&delivery).await;
    eventually("a row with the reason", async || {
        Some(row(&delivery.id).await).filter(|row| text(row, "reason") == "unusable_settings")
    })
    .await;
    set_number(&delivery.id, "unusable_since", 0).await;
    let dead = row_in(&delivery.id, "dead").await;
    assert_eq!(text(&dead, "reason"), "unusable_settings");
    let (again, reason) = take_dead_letter(&delivery.id).await;
    assert_eq!((again.run, &*reason), (2, "unusable_settings"));
    assert!(endpoint.received_so_far().await.is_empty());
}

#[tokio::test]
async fn rejects_a_link_local_endpoint_url() {
    let endpoint = TestEndpoint::new(json!({}), json!([])).await;
    endpoint.set("url", "https://169.254.169.254/latest/meta-data").await;
    let delivery = endpoint.delivery();
    enqueue(&delivery).await;
    let row = row_in(&delivery.id, "dead").await;
    assert_eq!(
        (text(&row, "reason"), &attempts(&row)[0]["error"]),
        ("url_refused", &json!("url_address"))
    );
    take_dead_letter(&delivery.id).await;
}

#[tokio::test]
async fn dead_letters_removed_endpoints_and_unreadable_messages() {
    let removed = TestEndpoint::removed().delivery();
    enqueue(&removed).await;
    assert_eq!(text(&row_in(&removed.id, "dead").await, "reason"), "endpoint_removed");
    take_dead_letter(&removed.id).await;

    let unreadable = unique("{\"v\":99,\"unreadable\":");
    send(unreadable.clone()).await;
    take_unreadable_dead_letter(&unreadable).await;
}

//! Erasure of a shopper, and of a whole order.

mod bodies;
mod races;
mod retention;
mod shopper;
mod tables;

use std::time::Duration;

use aws::lambda::sqs_batch::RecordOutcome;
use aws::tables::inbound::EventMessage;
use domain::core::hash::Fingerprint;
use domain::core::id::EventId;
use domain::core::timestamp::Timestamp;
use serde_json::{Value, json};

use crate::support::{Answer, Calls, eventually, process_event, seconds_from_now, stack, unique};
use shopper::Shopper;
use tables::{rows_with, set_text};

const ORDERS: &str = "/api/external/orders";

/// Requests the erasure of a shopper, or with an empty `part` of the whole order.
async fn erase(account: &str, order: &str, part: &str) -> Answer {
    let path = format!("{ORDERS}/{order}{part}?accountCode={account}");
    stack().user("admin", "DELETE", &path, None).await
}

async fn erased(account: &str, order: &str, part: &str) -> Value {
    assert_eq!(erase(account, order, part).await.status, 202);
    eventually(&format!("{order} to be erased"), async || {
        let answer = erase(account, order, part).await;
        assert!(matches!(answer.status, 200 | 202), "{}", answer.json);
        (answer.status == 200).then_some(answer.json)
    })
    .await
}

async fn order(account: &str, order: &str) -> Answer {
    let path = format!("{ORDERS}/{order}?accountCode={account}");
    stack().user("admin", "GET", &path, None).await
}

fn erasure_event(account: &str, order: &str, scope: &str, created_at: &str) -> EventId {
    let created_at = Timestamp::parse(created_at).unwrap().millis().to_be_bytes();
    Fingerprint::of("erasure").with(account).with(order).with(scope).with(created_at).into()
}

/// Runs the last pass of an erasure, as if a minute had passed since the first.
async fn last_pass(account: &str, order: &str, scope: &str, event: &EventId) {
    let receipt = format!("erased:{}:{account}:{order}", account.len());
    set_text("orders", [&receipt, scope], "erased_at", &seconds_from_now(-60).to_string()).await;
    assert!(process_event(event, None).await.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leaves_no_trace_of_a_shopper_in_any_table() {
    let (account, shopper, other) = (unique("ACC-"), Shopper::new(), Shopper::new());
    let endpoints = shopper::endpoints(&account).await;
    let other_order = other.order(&account).await;
    let id = shopper.live_through_an_order(&account, &other_order).await;
    shopper::await_deliveries(&endpoints).await;
    let before = order(&account, &id).await.json;
    let found = rows_with(&shopper.canaries()).await;
    for table in ["orders", "inbound", "deliveries", "messages"] {
        assert!(found.iter().any(|row| row.starts_with(table)), "{table} of {found:#?}");
    }

    let receipt = erased(&account, &id, "/customer").await;
    let event = erasure_event(&account, &id, "customer", before["createdAt"].as_str().unwrap());
    last_pass(&account, &id, "customer", &event).await;
    assert_eq!(rows_with(&shopper.canaries()).await, [""; 0]);
    let counts = receipt["erased"].as_object().unwrap();
    assert!(
        counts
            .iter()
            .all(|(name, count)| { (count.as_u64().unwrap() > 0) == (name != "unmatchedReports") }),
        "{receipt:#}"
    );
    assert_eq!((&receipt["scope"], &receipt["state"]), (&json!("customer"), &json!("erased")));
    let audit = stack().user("admin", "GET", "/api/audit?limit=100", None).await.json;
    let mut audit = audit["items"].as_array().unwrap().iter();
    assert!(
        audit.any(|entry| entry["action"] == "order.erase_customer" && entry["target"] == id),
        "the audit log has the erasure"
    );

    // The order reads as before, without its shopper.
    let after = order(&account, &id).await.json;
    for field in ["status", "version", "items", "awb", "deliveryAttempts", "latestMessageStatus"] {
        assert_eq!(after[field], before[field], "{field}");
    }
    let story = |order: &Value| -> Vec<Value> {
        let entries = order["timeline"].as_array().unwrap().iter();
        entries
            .map(|it| json!([it["reportId"], it["status"], it["applied"], it["version"]]))
            .collect()
    };
    assert_eq!(story(&after), story(&before));
    assert_eq!(after["customer"], json!({"phone": null, "firstName": null, "lastName": null}));

    // The other shopper's data stays, also in the batches that had both.
    let kept = rows_with(&other.canaries()).await;
    assert!(kept.iter().any(|row| row.starts_with("deliveries")), "{kept:#?}");
    assert_eq!(order(&account, &other_order).await.json["customer"]["firstName"], other.name);
    shopper::check_deliveries(&endpoints, &id).await;

    // A repeat gets the receipt, with what the last pass found.
    let again = erase(&account, &id, "/customer").await;
    let rows = |counts: &Value| counts["orderRows"].as_u64();
    assert_eq!(again.status, 200);
    assert!(rows(&again.json["erased"]) >= rows(&receipt["erased"]), "{}", again.json);
}

/// Facts of a small order are in its state row.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_receipt_counts_rows_whatever_facts_they_have() {
    let (account, shopper) = (unique("ACC-"), Shopper::new());
    let id = shopper.order(&account).await;
    for status in ["in_transit", "out_for_delivery"] {
        shopper.status(&account, &id, status).await;
    }
    eventually("two notes in the timeline", async || {
        let order = order(&account, &id).await.json;
        let entries = order["timeline"].as_array()?.iter();
        (entries.filter(|it| it["note"].is_string()).count() == 2).then_some(())
    })
    .await;
    let receipt = erased(&account, &id, "/customer").await;
    // State, profile, and the entry in the search by phone number.
    assert_eq!(receipt["erased"]["orderRows"], 3, "{receipt}");
}

/// The receipt says `erased` before the last pass, which finds the conversation by the number.
#[tokio::test]
async fn the_log_hides_the_phone_number_that_the_last_pass_needs() {
    let (account, shopper) = (unique("ACC-"), Shopper::new());
    let id = shopper.order(&account).await;
    let created_at = order(&account, &id).await.json["createdAt"].as_str().unwrap().to_owned();
    erased(&account, &id, "/customer").await;
    let event = erasure_event(&account, &id, "customer", &created_at);
    let stored = stack().events(&Calls::default()).load(&event).await.unwrap().unwrap();
    assert!(String::from_utf8(stored.body).unwrap().contains(r#""phone":"#), "still to be used");
    let path = format!("/api/webhooks/logs/{event}?reveal=true");
    let shown = stack().user("admin", "GET", &path, None).await;
    assert_eq!((shown.status, &shown.json["status"]), (200, &json!("received")));
    let hidden = json!({"size": null, "redacted": false, "body": null, "erased_at": null});
    for (field, value) in hidden.as_object().unwrap() {
        assert_eq!(&shown.json[field], value, "{field}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_brings_an_erased_shopper_back() {
    let (account, shopper) = (unique("ACC-"), Shopper::new());
    let id = shopper.order(&account).await;
    let created_at = order(&account, &id).await.json["createdAt"].as_str().unwrap().to_owned();
    erased(&account, &id, "/customer").await;
    let event = erasure_event(&account, &id, "customer", &created_at);
    last_pass(&account, &id, "customer", &event).await;
    let path = format!("{ORDERS}/{id}?accountCode={account}");
    for (field, value) in shopper.personal_fields() {
        let answer = stack().user("admin", "PATCH", &path, Some(&json!({ &field: value }))).await;
        assert_eq!(answer.error(), (409, "erased", Some(field.as_str())));
    }
    let patch = json!({"paymentStatus": "paid", "customer": null});
    assert_eq!(stack().user("admin", "PATCH", &path, Some(&patch)).await.status, 200);

    // A late report counts, but its note and its body go.
    let event = shopper.report(&account, &id).await;
    assert!(process_event(&event, None).await.0);
    shopper.status(&account, &id, "in_progress").await;
    eventually("the late reports", async || {
        let order = order(&account, &id).await.json;
        let statuses = order["timeline"].as_array().unwrap().len() >= 2;
        (statuses && rows_with(&shopper.canaries()).await.is_empty()).then_some(())
    })
    .await;
    let admin =
        |method, path: String| async move { stack().user("admin", method, &path, None).await };
    let shown = admin("GET", format!("/api/webhooks/logs/{event}?reveal=true")).await;
    assert_eq!((shown.status, &shown.json["body"]), (200, &json!(null)));
    assert!(shown.json["erased_at"].is_string(), "{}", shown.json);
    let retried = admin("POST", format!("/api/webhooks/retry/{event}")).await;
    assert_eq!(retried.error(), (409, "erased", None));
    let answer = stack().process(&Calls::default());
    let message = EventMessage::write(&event);
    let handled = answer.handle(&message, seconds_from_now(60)).await;
    assert_eq!(handled, Ok(RecordOutcome::Ack), "a message that comes again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn erases_a_whole_order_and_frees_its_names() {
    let (account, shopper, other) = (unique("ACC-"), Shopper::new(), Shopper::new());
    let endpoints = shopper::endpoints(&account).await;
    let other_order = other.order(&account).await;
    let id = shopper.live_through_an_order(&account, &other_order).await;
    shopper::await_deliveries(&endpoints).await;
    let created_at = order(&account, &id).await.json["createdAt"].as_str().unwrap().to_owned();
    let receipt = erased(&account, &id, "").await;
    let event = erasure_event(&account, &id, "order", &created_at);
    last_pass(&account, &id, "order", &event).await;
    let names = [shopper.canaries(), vec![shopper.awb.clone()]].concat();
    assert_eq!(rows_with(&names).await, [""; 0], "{receipt:#}");
    assert_eq!(order(&account, &id).await.error(), (404, "not_found", None));
    assert_eq!(erase(&account, &id, "/customer").await.error(), (404, "not_found", None));
    assert_eq!(erase(&account, &id, "").await.json["state"], "erased");

    // The id and the AWB are free, and a late pass of the old erasure does not touch the new order.
    let body = shopper.body(&id);
    stack().create_order_in(&account, &body).await;
    assert!(process_event(&event, None).await.0);
    assert_eq!(order(&account, &id).await.json["awb"], shopper.awb.as_str());
    // It can be erased in turn.
    erased(&account, &id, "").await;
    assert_eq!(order(&account, &id).await.error(), (404, "not_found", None));
}

#[tokio::test]
async fn only_an_admin_erases() {
    let shopper = Shopper::new();
    let id = shopper.order("STORE001").await;
    for part in ["", "/customer"] {
        let path = format!("{ORDERS}/{id}{part}?accountCode=STORE001");
        let partner = stack().user("partner", "DELETE", &path, None).await;
        assert_eq!(partner.error(), (403, "forbidden", None));
        let vendor = stack().vendor("DELETE", &path, None).await;
        assert_eq!(vendor.error(), (403, "forbidden", None));
        let unknown = erase("STORE001", &unique("nowhere-"), part).await;
        assert_eq!(unknown.error(), (404, "not_found", None));
    }
    assert_eq!(stack().order(&id).await["customer"]["firstName"], shopper.name);
}

async fn pause() {
    tokio::time::sleep(Duration::from_millis(20)).await;
}

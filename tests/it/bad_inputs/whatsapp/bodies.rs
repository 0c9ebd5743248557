//! Unusual, partly malformed and large bodies of WhatsApp.

use futures::future::join_all;

use super::*;
use crate::bad_inputs::test_case::send_and_settle;
use crate::support::messages::statuses;

const VALUE: &str = "/entry/0/changes/0/value";

fn request(body: &Value) -> WebhookRequest {
    fixture().request(body.to_string())
}

/// A case with this value in a valid body.
fn case_with(name: &str, pointer: &str, value: Value, outcome: Outcome) -> TestCase<'static> {
    // Keeps bodies distinct when the value replaces all ids.
    let values = [("/aside", json!(unique(""))), (pointer, value)];
    fixture().case_with(name, &values, outcome)
}

#[tokio::test]
async fn ignores_or_fails_malformed_envelopes() {
    let case = |name: &str, pointer: &str, value: Value, outcome: Outcome| {
        case_with(name, pointer, value, outcome.without_change())
    };
    let ignored = |reason| accepted(Ignored).with_reason(reason);
    let failed = |field: &str| accepted(Failed).with_reason(&format!("missing {field}"));
    let (metadata, number) =
        (format!("{VALUE}/metadata"), format!("{VALUE}/metadata/phone_number_id"));
    let field = "/entry/0/changes/0/field";
    let cases = [
        case("object null", "/object", json!(null), failed("object")),
        case("entry null", "/entry", json!(null), failed("entry")),
        case("entry {}", "/entry", json!({}), failed("entry")),
        case("object \"page\"", "/object", json!("page"), ignored("other_object")),
        case("entry []", "/entry", json!([]), ignored("no_updates")),
        case("changes []", "/entry/0/changes", json!([]), ignored("no_updates")),
        case("other field", field, json!("security"), ignored("1 of field security")),
        case("value null", VALUE, json!(null), ignored("1 of 1 not understood")),
        case("no metadata", &metadata, json!(null), ignored("foreign_number")),
        case("foreign number", &number, json!("1"), ignored("foreign_number")),
    ];
    check(&fixture(), &cases).await;
}

#[tokio::test]
async fn applies_or_ignores_unusual_statuses() {
    let case = |name: &str, field: &str, value: Value, outcome: Outcome| {
        case_with(name, &format!("{VALUE}/statuses/0/{field}"), value, outcome)
    };
    let unchanged = || accepted(Processed).without_change();
    let ignored = accepted(Ignored).with_reason("1 of 1 not understood");
    let unknown_id = fixture().valid_request(&unique(""));
    let cases = [
        case("\"deleted\"", "status", json!("deleted"), unchanged()),
        case("upper case", "status", json!("DELIVERED"), unchanged()),
        case("two words", "status", json!("de livered"), ignored),
        case("timestamp \"abc\"", "timestamp", json!("abc"), accepted(Processed)),
        case("timestamp ms", "timestamp", json!("1768882530000"), accepted(Processed)),
        case("timestamp 0", "timestamp", json!("0"), accepted(Processed)),
        case("timestamp number", "timestamp", json!(1_768_882_530), accepted(Processed)),
        case("recipient with +", "recipient_id", json!("+canary-phone"), accepted(Processed)),
        case("no recipient", "recipient_id", json!(null), accepted(Processed)),
        TestCase::new("unknown message id", unknown_id, accepted(Processed)),
    ];
    check(&fixture(), &cases).await;
}

#[tokio::test]
async fn shows_the_furthest_status_after_any_order_of_arrival() {
    let sequences = [
        ("read first", ["read", "sent"], "read"),
        ("delivered after read", ["read", "delivered"], "read"),
        ("failed after delivered", ["delivered", "failed"], "delivered"),
        ("delivered after failed", ["failed", "delivered"], "delivered"),
        ("sent last", ["delivered", "sent"], "delivered"),
        ("deleted last", ["delivered", "deleted"], "delivered"),
    ];
    let each = async |(name, reported, expected): &(&str, [&str; 2], &str)| {
        let tag = unique("");
        let order = order(&tag);
        order.create().await;
        for (second, reported) in reported.iter().enumerate() {
            let status = status(&wamid(&tag), reported, 1_768_882_530 + second as u64);
            let request = request(&envelope(&json!({"statuses": [status]})));
            assert_eq!(send_and_settle(&fixture(), &request).await.1.state, Processed, "{name}");
        }
        assert_eq!(order.load().await["latestMessageStatus"], *expected, "{name}");
    };
    join_all(sequences.iter().map(each)).await;
}

#[tokio::test]
async fn applies_a_status_that_arrives_before_its_message_is_linked() {
    let tag = unique("");
    let case = TestCase::new("unknown", fixture().valid_request(&tag), accepted(Processed));
    check(&fixture(), &[case]).await;
    let order = order(&tag);
    order.create().await;
    assert_eq!(order.load().await["latestMessageStatus"], "delivered");
}

#[tokio::test]
async fn applies_nineteen_statuses_when_one_of_twenty_has_no_id() {
    let tag = unique("");
    let message_id = |n: usize| wamid(&format!("{tag}.{n}"));
    let mut updates: Vec<Value> = (0..20).map(|n| status(&message_id(n), "delivered", 1)).collect();
    updates[7] = json!({"id": {"wamid": tag}, "status": "delivered"});
    let outcome = accepted(Processed).with_reason("1 of 20 not understood");
    let request = request(&envelope(&json!({"statuses": updates})));
    check(&fixture(), &[TestCase::new("1 of 20", request, outcome)]).await;

    let order = TestOrder { message_id: None, ..order(&tag) };
    order.create().await;
    for n in 0..20 {
        order.link_message(&message_id(n)).await;
    }
    let id = order.body["orderId"].as_str().unwrap();
    let path = format!("/api/orders/{id}/messages?limit=100&account_code={ACCOUNT}");
    let page = stack().user("admin", "GET", &path, None).await.json;
    let count = |status: &str| statuses(&page).iter().filter(|shown| **shown == status).count();
    assert_eq!((count("delivered"), count("pending")), (19, 1), "{page}");
}

#[tokio::test]
async fn applies_mixed_and_large_bodies_up_to_the_limit() {
    // The last status is about the order's message.
    let updates = |tag: &str, count: usize| {
        let others = (1..count).map(|n| status(&wamid(&format!("{tag}.{n}")), "delivered", 1));
        others.chain([status(&wamid(tag), "delivered", 1)]).collect::<Vec<_>>()
    };
    let case = |name: &str, tag: &str, fields: Value| {
        TestCase::new(name, request(&envelope(&fields)), accepted(Processed)).for_order(order(tag))
    };
    let sized = |name: &str, size, outcome| {
        let tag = unique("");
        let request = fixture().request_of_size(&tag, size);
        TestCase::new(name, request, outcome).for_order(order(&tag))
    };
    let (mixed, thousand) = (unique(""), unique(""));
    let text = json!({
        "from": "canary-phone", "id": wamid(&unique("")), "timestamp": "1768882530",
        "type": "text", "text": {"body": "canary-body"},
    });
    let statuses_and_messages =
        json!({"statuses": updates(&mixed, 2), "messages": [text], "contacts": []});
    let cases = [
        case("statuses and messages", &mixed, statuses_and_messages),
        case("1000 statuses", &thousand, json!({"statuses": updates(&thousand, 1000)})),
        sized("3 MB", 3_000_000, accepted(Processed)),
        sized("3.5 MiB + 1", 3_670_017, rejected(413)),
    ];
    check(&fixture(), &cases).await;
}

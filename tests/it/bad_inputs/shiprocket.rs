//! Shiprocket's webhook.

mod bodies;
mod credentials;

use aws::tables::inbound::EventState::{Processed, Unmatched};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::mutations::{Mutation, Part, check_mutations, usual_outcome};
use super::request::WebhookRequest;
use super::source_fixture::{Fields, SourceFixture};
use super::test_case::{Outcome, TestCase, accepted, check, probed, rejected, unreadable};
use super::test_order::TestOrder;
use crate::support::{Parcel, stack, unique};

pub async fn fixture() -> &'static SourceFixture {
    static FIXTURE: OnceCell<SourceFixture> = OnceCell::const_new();
    let fixture = SourceFixture {
        source: "shiprocket",
        account: String::new(),
        path: String::new(),
        valid_body,
        order,
        credentials: |_| vec![("x-api-key", token().to_owned())],
        headers: &[],
        fields: Fields {
            ids: &["/awb"],
            status: "/shipment_status",
            time: "/current_timestamp",
            epoch_seconds: false,
            person: "/consignee",
            list: "/scans",
        },
    };
    FIXTURE.get_or_init(|| fixture.on_new_hook()).await
}

fn token() -> &'static str {
    stack().shiprocket_token()
}

fn parcel(tag: &str) -> Parcel {
    Parcel { order_id: format!("ORD-{tag}"), awb: format!("19{tag}") }
}

fn valid_body(tag: &str) -> Value {
    parcel(tag).report(18, "IN TRANSIT", "11:43:52")
}

/// An order without an AWB, so that reports match it by its id.
fn order(tag: &str) -> TestOrder {
    TestOrder {
        body: json!({"orderId": parcel(tag).order_id}),
        message_id: None,
        changed_status: "in_transit",
    }
}

/// A malformed id costs no report, as long as the body has another valid id.
fn expected(mutation: &Mutation) -> Outcome {
    match (mutation.part, mutation.name) {
        (Part::Body, "empty") => probed(),
        (_, "signature \"a,b\"") => rejected(401),
        _ => usual_outcome(mutation),
    }
}

#[tokio::test]
async fn handles_malformed_requests() {
    check_mutations(fixture().await, expected).await;
}

/// Ids match byte for byte after Unicode normalization. A report with an invalid id stays
/// unmatched.
#[tokio::test]
async fn matches_unusual_order_ids_exactly() {
    let source = fixture().await;
    let tag = unique("");
    let creation_body = |id: String| json!({"orderId": id, "accountCode": source.account});
    let report = |id: &Value| {
        let mut body = valid_body(&unique(""));
        body["order_id"] = id.clone();
        source.request(body.to_string())
    };
    let mut cases = Vec::new();
    for (name, id, reported_id) in [
        ("id with #", format!("{tag}#state"), None),
        ("another's #", format!("{tag}#"), None),
        ("dots", format!("..{tag}"), None),
        ("U+202E", format!("\u{202e}{tag}"), None),
        ("zero-width", format!("\u{200b}{tag}"), None),
        ("emoji", format!("\u{1f468}\u{200d}\u{1f469}{tag}"), None),
        ("<script>", format!("<script>{tag}"), None),
        ("NFC", format!("e\u{301}{tag}"), Some(format!("\u{e9}{tag}"))),
        ("NFD", format!("\u{e8}{tag}"), Some(format!("e\u{300}{tag}"))),
        ("128 B", format!("{tag:x>128}"), None),
    ] {
        let order = TestOrder {
            body: creation_body(id.clone()),
            message_id: None,
            changed_status: "in_transit",
        };
        cases.push(
            TestCase::new(name, report(&json!(reported_id.unwrap_or(id))), accepted(Processed))
                .for_order(order),
        );
    }
    for id in ["", " ", "a/b", "a\r\nb", "a\0b", "\u{1b}[2J", &"x".repeat(129)] {
        let answer = stack()
            .user("admin", "POST", "/api/external/orders", Some(&creation_body(id.to_owned())))
            .await;
        assert_eq!(answer.error(), (422, "invalid", Some("orderId")), "{id:?}");
        cases.push(TestCase::new(format!("{id:?}"), report(&json!(id)), accepted(Unmatched)));
    }
    check(source, &cases).await;
}

/// Such a number would lose digits as a float.
#[tokio::test]
async fn reads_a_thirty_digit_awb_exactly() {
    let source = fixture().await;
    let (awb, tag) = (format!("9{:0>29}", unique("")), unique(""));
    let other_digit = if awb.ends_with('1') { '2' } else { '1' };
    let report = |awb: &str| -> WebhookRequest {
        source.request(source.body_with_text(&unique(""), "/awb", awb))
    };
    let body = json!({"orderId": format!("ORD-{tag}"), "awb": awb, "accountCode": source.account});
    let order = TestOrder { body, message_id: None, changed_status: "in_transit" };
    let case = TestCase::new("30 digits", report(&awb), accepted(Processed)).for_order(order);
    check(
        source,
        &[
            case,
            TestCase::new(
                "another last digit",
                report(&format!("{}{other_digit}", &awb[..29])),
                accepted(Unmatched),
            ),
        ],
    )
    .await;
}

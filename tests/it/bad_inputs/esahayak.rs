//! eSahayak's webhook.

mod addresses;
mod bodies;

use aws::tables::inbound::EventState::{Ignored, Processed, Unmatched};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::mutations::{Mutation, Part, check_mutations, usual_outcome};
use super::request::WebhookRequest;
use super::source_fixture::{Fields, SourceFixture};
use super::test_case::{Outcome, TestCase, accepted, check, rejected, unreadable};
use super::test_order::TestOrder;
use crate::support::{stack, unique};

/// The header that repeats the event type of the body.
const EVENT_TYPE: (&str, &str) = ("x-esahayak-event", "stamp.uploaded");

pub async fn fixture() -> &'static SourceFixture {
    static FIXTURE: OnceCell<SourceFixture> = OnceCell::const_new();
    FIXTURE.get_or_init(on_new_hook).await
}

/// The source authenticates senders by address. The settings of the stack allow this machine.
pub async fn on_new_hook() -> SourceFixture {
    let fixture = SourceFixture {
        source: "esahayak",
        account: String::new(),
        path: String::new(),
        valid_body,
        order,
        credentials: |_| Vec::new(),
        headers: &[EVENT_TYPE],
        fields: Fields {
            ids: &["/id", "/data/order/id"],
            status: "/data/order/status",
            time: "/created_at",
            epoch_seconds: false,
            person: "/data/phone",
            list: "/data/documents",
        },
    };
    fixture.on_new_hook().await
}

fn valid_body(tag: &str) -> Value {
    json!({
        "id": format!("webhook_{tag}"), "type": EVENT_TYPE.1, "created_at": "2026-01-20T10:15:30Z",
        "data": {
            "order": {"id": format!("order_{tag}"), "status": "COMPLETED",
                      "created_at": "2026-01-20T10:00:00Z"},
            "stamp_request": {"id": format!("stamp_{tag}"), "state": "Assam", "amount": 1000},
        },
    })
}

fn order(tag: &str) -> TestOrder {
    TestOrder {
        body: json!({
            "orderId": format!("ORD-{tag}"), "refs": {"esahayak": format!("order_{tag}")},
        }),
        message_id: None,
        changed_status: "completed",
    }
}

/// Mutated ids that are still valid order ids.
const VALID_IDS: [&str; 6] = ["30 digits", "id with #", "U+202E", "NFC", "NFD", "zero-width"];

/// An event id may be any text that is not blank. An order id must be valid in our API.
fn expected(mutation: &Mutation) -> Outcome {
    match (mutation.part, mutation.name) {
        (Part::Id("/id"), "id \"\"" | "id \" \"") => unreadable().with_field("id"),
        (Part::Id("/data/order/id"), "duplicate keys") => accepted(Unmatched),
        (Part::Id("/data/order/id"), name) if VALID_IDS.contains(&name) => accepted(Unmatched),
        (Part::Id("/data/order/id"), _) => accepted(Ignored).with_reason("no_order_named"),
        _ => usual_outcome(mutation),
    }
}

#[tokio::test]
async fn handles_malformed_requests() {
    check_mutations(fixture().await, expected).await;
}

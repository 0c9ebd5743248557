//! eSahayak's webhook.

mod addresses;
mod bodies;

use aws::tables::inbound::EventState::{Ignored, Processed, Unmatched};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::case::{Case, Outcome, Subject, check, refused, taken, unreadable};
use super::common::{Odd, Place, check_all};
use super::post::Post;
use super::repeats::{a_replay_after_31_days_counts_no_more, copies_at_once_count_once};
use super::surface::{Fields, Surface};
use crate::support::{stack, unique};

const KIND: (&str, &str) = ("x-esahayak-event", "stamp.uploaded");

/// A hook of an account of its own. What proves who sends is the address: this machine's, here.
pub async fn surface() -> &'static Surface {
    static SURFACE: OnceCell<Surface> = OnceCell::const_new();
    SURFACE.get_or_init(make).await
}

pub async fn make() -> Surface {
    let account = unique("ACC-");
    let path = stack().hook("esahayak", &json!({"account": account}), &[]).await;
    let fields = Fields {
        ids: &["/id", "/data/order/id"],
        words: "/data/order/status",
        time: "/created_at",
        seconds: false,
        person: "/data/phone",
        list: "/data/documents",
    };
    Surface {
        source: "esahayak",
        account,
        path,
        good,
        subject,
        credentials: |_| Vec::new(),
        headers: &[KIND],
        fields,
    }
}

fn good(tag: &str) -> Value {
    json!({
        "id": format!("webhook_{tag}"), "type": KIND.1, "created_at": "2026-01-20T10:15:30Z",
        "data": {
            "order": {"id": format!("order_{tag}"), "status": "COMPLETED", "created_at": "2026-01-20T10:00:00Z"},
            "stamp_request": {"id": format!("stamp_{tag}"), "state": "Assam", "amount": 1000},
        },
    })
}

fn subject(tag: &str) -> Subject {
    let order =
        json!({"orderId": format!("ORD-{tag}"), "refs": {"esahayak": format!("order_{tag}")}});
    Subject { order, message: None, moved: "completed" }
}

/// Odd texts that an order's id at eSahayak may be all the same.
const IDS: [&str; 6] = ["30 digits", "id with #", "U+202E", "NFC", "NFD", "zero-width"];

/// An event's id may be anything that is there; an order's has to be one that an order may have.
fn expected(odd: &Odd) -> Outcome {
    match (odd.place, odd.name) {
        (Place::Body, _) | (_, "base64 without its flag") => unreadable(),
        (Place::Size, _) => refused(413),
        (Place::Id("/id"), "id \"\"" | "id \" \"") => unreadable().about("id"),
        (Place::Id("/data/order/id"), "duplicate keys") => taken(Unmatched),
        (Place::Id("/data/order/id"), name) if IDS.contains(&name) => taken(Unmatched),
        (Place::Id("/data/order/id"), _) => taken(Ignored).because("no_order_named"),
        _ => taken(Processed),
    }
}

#[tokio::test]
async fn what_is_odd_in_any_request() {
    check_all(surface().await, expected).await;
}

#[tokio::test]
async fn the_same_again() {
    let surface = surface().await;
    copies_at_once_count_once(surface).await;
    a_replay_after_31_days_counts_no_more(surface).await;
}

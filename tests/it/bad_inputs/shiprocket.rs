//! Shiprocket's webhook.

mod bodies;
mod credentials;

use aws::tables::inbound::EventState::{Processed, Unmatched};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::case::{Case, Outcome, Subject, check, refused, taken, unreadable};
use super::common::{Odd, Place, check_all};
use super::post::Post;
use super::repeats::{a_replay_after_31_days_counts_no_more, copies_at_once_count_once};
use super::surface::{Fields, Surface};
use crate::support::{Parcel, stack, unique};

/// A hook of an account of its own.
pub async fn surface() -> &'static Surface {
    static SURFACE: OnceCell<Surface> = OnceCell::const_new();
    SURFACE.get_or_init(make).await
}

async fn make() -> Surface {
    let account = unique("ACC-");
    let path =
        stack().hook("shiprocket", &json!({"account": account}), &[("x-api-key", token())]).await;
    let fields = Fields {
        ids: &["/awb"],
        words: "/shipment_status",
        time: "/current_timestamp",
        seconds: false,
        person: "/consignee",
        list: "/scans",
    };
    let credentials = |_: &[u8]| vec![("x-api-key", token().to_owned())];
    Surface {
        source: "shiprocket",
        account,
        path,
        good,
        subject,
        credentials,
        headers: &[],
        fields,
    }
}

fn token() -> &'static str {
    &stack().sources["shiprocket"]["api_key"]
}

fn parcel(tag: &str) -> Parcel {
    Parcel { order_id: format!("ORD-{tag}"), awb: format!("19{tag}") }
}

fn good(tag: &str) -> Value {
    parcel(tag).report(18, "IN TRANSIT", "11:43:52")
}

/// Its AWB is not known yet: the order's own id leads to it.
fn subject(tag: &str) -> Subject {
    Subject { order: json!({"orderId": parcel(tag).order_id}), message: None, moved: "in_transit" }
}

/// What is odd about one of its names costs no report, as long as another name is there.
fn expected(odd: &Odd) -> Outcome {
    match (odd.place, odd.name) {
        (Place::Body, _) | (_, "base64 without its flag") => unreadable(),
        (Place::Size, _) => refused(413),
        (_, "signature \"a,b\"") => refused(401),
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

/// An order has its id to the letter, but for its Unicode form. What no order can be called is kept, for nobody.
#[tokio::test]
async fn an_odd_id_is_one_orders_or_nobodys() {
    let surface = surface().await;
    let tag = unique("");
    let as_created = |id: String| json!({"orderId": id, "accountCode": surface.account});
    let post = |id: &Value| {
        let mut body = good(&unique(""));
        body["order_id"] = id.clone();
        surface.post(body.to_string())
    };
    let mut cases = Vec::new();
    for (name, id, known_as) in [
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
        let subject = Subject { order: as_created(id.clone()), message: None, moved: "in_transit" };
        cases.push(
            Case::new(name, post(&json!(known_as.unwrap_or(id))), taken(Processed)).on(subject),
        );
    }
    for id in ["", " ", "a/b", "a\r\nb", "a\0b", "\u{1b}[2J", &"x".repeat(129)] {
        let refused = stack()
            .user("admin", "POST", "/api/external/orders", Some(&as_created(id.to_owned())))
            .await;
        assert_eq!(refused.error(), (422, "invalid", Some("orderId")), "{id:?}");
        cases.push(Case::new(format!("{id:?}"), post(&json!(id)), taken(Unmatched)));
    }
    check(surface, &cases).await;
}

/// A number stays the digits it is.
#[tokio::test]
async fn a_long_number_is_no_float() {
    let surface = surface().await;
    let (awb, tag) = (format!("9{:0>29}", unique("")), unique(""));
    let post = |awb: &str| -> Post { surface.post(surface.with(&unique(""), "/awb", awb)) };
    let order =
        json!({"orderId": format!("ORD-{tag}"), "awb": awb, "accountCode": surface.account});
    let subject = Subject { order, message: None, moved: "in_transit" };
    let case = Case::new("30 digits", post(&awb), taken(Processed)).on(subject);
    check(
        surface,
        &[case, Case::new("and one", post(&format!("{}1", &awb[..29])), taken(Unmatched))],
    )
    .await;
}

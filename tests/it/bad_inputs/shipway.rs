//! Shipway's push.

use aws::tables::inbound::EventState::{Processed, Unmatched};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::case::{Case, Outcome, Subject, check, refused, taken, unreadable};
use super::common::{Odd, Place, check_all};
use super::repeats::{a_replay_after_31_days_counts_no_more, copies_at_once_count_once};
use super::surface::{Fields, Surface};
use crate::support::{stack, unique};

/// A hook of an account of its own, without a secret: nobody else knows its path.
pub async fn surface() -> &'static Surface {
    static SURFACE: OnceCell<Surface> = OnceCell::const_new();
    SURFACE.get_or_init(make).await
}

async fn make() -> Surface {
    let account = unique("ACC-");
    let path = stack().hook("shipway", &json!({"account": account}), &[]).await;
    let fields = Fields {
        ids: &["/awbno"],
        words: "/current_status",
        time: "/status_time",
        seconds: false,
        person: "/s_phone",
        list: "/scans",
    };
    Surface {
        source: "shipway",
        account,
        path,
        good,
        subject,
        credentials: |_| Vec::new(),
        headers: &[],
        fields,
    }
}

fn good(tag: &str) -> Value {
    json!({"order_id": format!("ORD-{tag}"), "awbno": format!("22{tag}"), "current_status": "INT",
           "status_time": "2026-01-20 10:15:30"})
}

/// Its AWB is not known yet: the order's own id leads to it.
fn subject(tag: &str) -> Subject {
    Subject { order: json!({"orderId": format!("ORD-{tag}")}), message: None, moved: "in_transit" }
}

fn expected(odd: &Odd) -> Outcome {
    match (odd.place, odd.name) {
        (Place::Body, _) | (_, "base64 without its flag") => unreadable(),
        (Place::Size, _) => refused(413),
        // Words are all that says what it is about.
        (Place::Words, _) => taken(Processed).moving_nothing(),
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

#[tokio::test]
async fn the_hash_is_in_the_body_and_exactly_it() {
    let surface = surface().await.at("STORE001", "/webhooks/shipway");
    let good = stack().sources["shipway"]["hash"].as_str();
    let case = |name: &str, hash: &str, expected| {
        let order = unique("ORD-");
        let body =
            format!(r#"{{{hash}"status_feed":[{{"order_id":"{order}","current_status":"DEL"}}]}}"#);
        Case::new(name, surface.post(body), expected)
    };
    let cases = [
        case("good", &format!(r#""hash":"{good}","#), taken(Unmatched)),
        case("absent", "", refused(401)),
        case("null", r#""hash":null,"#, refused(401)),
        case("empty", r#""hash":"","#, refused(401)),
        case("prefix", &format!(r#""hash":"{}","#, &good[1..]), refused(401)),
        case("upper case", &format!(r#""hash":"{}","#, good.to_uppercase()), refused(401)),
        case("a list", &format!(r#""hash":["{good}"],"#), refused(401)),
        case("twice", &format!(r#""hash":"{good}","hash":"{good}","#), refused(401)),
        case("good,bad", &format!(r#""hash":"{good},bad","#), refused(401)),
    ];
    check(&surface, &cases).await;
}

/// A hook with a secret of its own takes that, in the body or in a header, and not the source's.
#[tokio::test]
async fn a_hooks_secret_is_shown_in_either_place() {
    let (secret, account) = (unique("own-secret-"), unique("ACC-"));
    let setting = json!({"account": account, "secret": secret});
    let path = stack().hook("shipway", &setting, &[("x-api-key", &secret)]).await;
    let surface = surface().await.at(&account, &path);
    let case = |name: &str, hash: &str, key: Option<&str>, expected| {
        let mut body = good(&unique(""));
        body["hash"] = hash.into();
        let post = surface.post(body.to_string());
        Case::new(
            name,
            if let Some(key) = key { post.with("x-api-key", key) } else { post },
            expected,
        )
    };
    let cases = [
        case("in the body", &secret, None, taken(Unmatched)),
        case("in the header", "", Some(&secret), taken(Unmatched)),
        case("nowhere", "", None, refused(401)),
        case("the source's", &stack().sources["shipway"]["hash"], None, refused(401)),
        case("good,bad", "", Some(&format!("{secret},bad")), refused(401)),
    ];
    check(&surface, &cases).await;
}

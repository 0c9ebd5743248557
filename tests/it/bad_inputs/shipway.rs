//! Shipway's push.

use aws::tables::inbound::EventState::{Processed, Unmatched};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::mutations::{Mutation, Part, check_mutations, usual_outcome};
use super::source_fixture::{Fields, SourceFixture};
use super::test_case::{Outcome, TestCase, accepted, check, rejected};
use super::test_order::TestOrder;
use crate::support::{stack, unique};

/// On a hook without a secret: its path is the credential.
pub async fn fixture() -> &'static SourceFixture {
    static FIXTURE: OnceCell<SourceFixture> = OnceCell::const_new();
    let fixture = SourceFixture {
        source: "shipway",
        account: String::new(),
        path: String::new(),
        valid_body,
        order,
        credentials: |_| Vec::new(),
        headers: &[],
        fields: Fields {
            ids: &["/awbno"],
            status: "/current_status",
            time: "/status_time",
            epoch_seconds: false,
            person: "/s_phone",
            list: "/scans",
        },
    };
    FIXTURE.get_or_init(|| fixture.on_new_hook()).await
}

fn valid_body(tag: &str) -> Value {
    json!({"order_id": format!("ORD-{tag}"), "awbno": format!("22{tag}"), "current_status": "INT",
           "status_time": "2026-01-20 10:15:30"})
}

/// An order without an AWB, so that reports match it by its id.
fn order(tag: &str) -> TestOrder {
    TestOrder {
        body: json!({"orderId": format!("ORD-{tag}")}),
        message_id: None,
        changed_status: "in_transit",
    }
}

fn expected(mutation: &Mutation) -> Outcome {
    match mutation.part {
        // The body has no other status.
        Part::Status => accepted(Processed).without_change(),
        _ => usual_outcome(mutation),
    }
}

#[tokio::test]
async fn handles_malformed_requests() {
    check_mutations(fixture().await, expected).await;
}

#[tokio::test]
async fn rejects_a_missing_or_wrong_hash() {
    let source = fixture().await.at("STORE001", "/webhooks/shipway");
    let valid = stack().sources["shipway"]["hash"].as_str();
    let case = |name: &str, hash: &str, expected| {
        let order = unique("ORD-");
        let body =
            format!(r#"{{{hash}"status_feed":[{{"order_id":"{order}","current_status":"DEL"}}]}}"#);
        TestCase::new(name, source.request(body), expected)
    };
    let cases = [
        case("valid", &format!(r#""hash":"{valid}","#), accepted(Unmatched)),
        case("absent", "", rejected(401)),
        case("null", r#""hash":null,"#, rejected(401)),
        case("empty", r#""hash":"","#, rejected(401)),
        case("prefix", &format!(r#""hash":"{}","#, &valid[1..]), rejected(401)),
        case("upper case", &format!(r#""hash":"{}","#, valid.to_uppercase()), rejected(401)),
        case("a list", &format!(r#""hash":["{valid}"],"#), rejected(401)),
        case("twice", &format!(r#""hash":"{valid}","hash":"{valid}","#), rejected(401)),
        case("valid,bad", &format!(r#""hash":"{valid},bad","#), rejected(401)),
    ];
    check(&source, &cases).await;
}

/// The secret of a hook replaces the hash of the source.
#[tokio::test]
async fn accepts_a_hook_secret_in_body_or_header() {
    let (secret, account) = (unique("own-secret-"), unique("ACC-"));
    let setting = json!({"account": account, "secret": secret});
    let path = stack().hook("shipway", &setting, &[("x-api-key", &secret)]).await;
    let source = fixture().await.at(&account, &path);
    let case = |name: &str, hash: &str, key: Option<&str>, expected| {
        let mut body = valid_body(&unique(""));
        body["hash"] = hash.into();
        let request = source.request(body.to_string());
        let request = match key {
            Some(key) => request.with_header("x-api-key", key),
            None => request,
        };
        TestCase::new(name, request, expected)
    };
    let cases = [
        case("in the body", &secret, None, accepted(Unmatched)),
        case("in the header", "", Some(&secret), accepted(Unmatched)),
        case("nowhere", "", None, rejected(401)),
        case("the source's", &stack().sources["shipway"]["hash"], None, rejected(401)),
        case("valid,bad", "", Some(&format!("{secret},bad")), rejected(401)),
    ];
    check(&source, &cases).await;
}

//! Inputs as providers really send them: each file of `events/field` tells the requests, in order,
//! and what they come to.
//!
//! Order ids, AWBs and message ids are replaced in each run, and the stack's secrets filled in. The
//! times in the files are older than the orders. RPSH begins the way back, as other codes for a
//! scheduled return do; RPEX tells that the returned parcel was held up on its way.

mod case;

use std::panic::AssertUnwindSafe;
use std::path::Path;

use aws::tables::orders::{CommitOutcome, NameChanges};
use case::{Case, matches};
use domain::core::id::{AccountCode, EventId, OrderId, OrderKey};
use domain::tracking::report::Report;
use domain::tracking::status::Status;
use domain::tracking::timeline::{Arrival, NewFact, Origin, arrive};
use futures::stream::iter;
use futures::{FutureExt, StreamExt};
use reqwest::Method;
use serde_json::{Value, json};
use sources::{Reading, Request};

use crate::support::messages::{CONVERSATION, messages};
use crate::support::{
    Answer, Calls, OURS, Parcel, check_delivery, detail, eventually, eventually_ok, hmac_signature,
    http, stack,
};

/// Cases in parallel.
const CONCURRENCY: usize = 6;

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events/field");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<_> = files.collect();
    files.sort();
    files.iter().flat_map(|file| Case::read(file)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_input_comes_to_what_is_expected() {
    let runs = cases().into_iter().map(async |case| {
        // The failures of all cases are printed.
        let result = AssertUnwindSafe(run(&case)).catch_unwind().await;
        result.is_err().then(|| case.name.clone())
    });
    let results: Vec<Option<String>> = iter(runs).buffer_unordered(CONCURRENCY).collect().await;
    let failed: Vec<String> = results.into_iter().flatten().collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

async fn run(case: &Case) {
    for (number, step) in (1..).zip(case.steps()) {
        let what = format!("{}, step {number}", case.name);
        let answer = send(step).await;
        let expected = &step["expected"];
        assert_eq!(json!(answer.status), expected["http"], "{what}: {}", answer.json);
        if let Some(body) = expected.get("body") {
            assert_eq!(&answer.json, body, "{what}");
        }
        if let Some(status) = expected.get("event") {
            let event = settled(&what, &answer.event_id()).await;
            let outcome = [&event["status"], &event["reason"]];
            assert_eq!(outcome, [status, &expected["reason"]], "{what}");
        }
    }
    for (kind, expected) in case.expected() {
        for (name, expected) in expected.as_object().unwrap() {
            let what = format!("{}: {kind} of {name} to be {expected:#}", case.name);
            eventually_ok(&what, async || check(kind, name, expected).await).await;
        }
    }
}

async fn check(kind: &str, name: &str, expected: &Value) -> Result<(), String> {
    match kind {
        "orders" => matches(&stack().order(&name.replace('#', "%23")).await, expected),
        "messages" => matches(&messages(name, "").await["items"], expected),
        "conversations" => {
            let path = format!("{CONVERSATION}?{name}");
            let page = stack().user("partner", "GET", &path, None).await;
            matches(&page.json["items"], expected)
        }
        "deliveries" => check_deliveries(name, expected).await,
        _ => panic!("{kind}"),
    }
}

/// Sends a request with the credentials of its route.
async fn send(step: &Value) -> Answer {
    let [method, path] = ["method", "path"].map(|name| step[name].as_str().unwrap());
    let method: Method = method.parse().unwrap();
    let mut request = http::client().request(method, stack().url(&path.replace('#', "%23")));
    let body = step.get("body").map(Value::to_string);
    let whatsapp = &stack().sources["whatsapp"];
    let signature =
        body.as_ref().map(|body| hmac_signature(&whatsapp["app_secret"], body.as_bytes()));
    for (name, value) in step["headers"].as_object().into_iter().flatten() {
        let value =
            value.as_str().unwrap().replace("$SIGNATURE", signature.as_deref().unwrap_or(""));
        request = request.header(name, value);
    }
    if path.starts_with("/api/") {
        let partner = &stack().users["partner"];
        request = request.basic_auth(&partner.name, Some(&partner.password));
    }
    if let Some(body) = body {
        request = request.header("content-type", "application/json").body(body);
    }
    http::send_undocumented(request).await
}

async fn settled(what: &str, event: &str) -> Value {
    eventually(&format!("{what}: a settled event"), async || {
        Some(detail(event).await).filter(|event| event["status"] != "received")
    })
    .await
}

/// The changes of an order, which endpoints of each format get. `status_update` has a row also
/// where only a parcel has changed.
async fn check_deliveries(order_id: &str, expected: &Value) -> Result<(), String> {
    let received = stack().received(order_id).await;
    for endpoint in stack().endpoints.values() {
        let mut changes: Vec<Value> = Vec::new();
        for request in received.iter().filter(|it| it.path == endpoint.path()) {
            check_delivery(&endpoint.format, request);
            let body = request.json();
            match endpoint.format.as_str() {
                "status_update" => changes.extend(body["orders"].as_array().unwrap().clone()),
                "standard" => changes.push(body["data"].clone()),
                _ => changes.push(body),
            }
        }
        changes.sort_by_key(|change| change["sequence"].as_u64());
        if endpoint.format == "status_update" {
            changes.retain(|change| change["order_id"].as_str().unwrap().contains(order_id));
            let [last, expected] = [changes.last(), expected.as_array().unwrap().last()]
                .map(|last| last.map(|it| it["status"].clone()));
            if last != expected {
                return Err(format!("{}: {last:?}", endpoint.format));
            }
        } else {
            matches(&Value::Array(changes), expected)
                .map_err(|error| format!("{}: {error}", endpoint.format))?;
        }
    }
    Ok(())
}

/// A release that did not know the carrier's word has stored the report.
#[tokio::test]
async fn a_retry_reads_an_unknown_word_again() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    let body = parcel.in_transit();
    store_as_unknown(&parcel, body.to_string().as_bytes()).await;
    let before = stack().order_with_entries(&parcel.order_id, 1).await;
    let statuses = [&before["status"], &before["timeline"][0]["status"]];
    assert_eq!(statuses, [&json!("pending"), &json!("unknown")]);

    let answer = stack().webhook(&body).await;
    let event = settled("a known word", &answer.event_id()).await;
    assert_eq!((&event["status"], &event["reason"]), (&json!("processed"), &Value::Null));
    let order = stack().order(&parcel.order_id).await;
    let statuses = [&order["status"], &order["timeline"][0]["status"]];
    assert_eq!(statuses, [&json!("in_transit"); 2]);
    assert_eq!(order["timeline"].as_array().unwrap().len(), 1);
    stack().received_at_least(&parcel.order_id, 3).await;
}

async fn store_as_unknown(parcel: &Parcel, body: &[u8]) {
    let account = AccountCode::parse(OURS).unwrap();
    let source = sources::by_name("shiprocket").unwrap();
    let parsed = source.parse(&Request::stored(Some(&account), body), aws::clock::now()).unwrap();
    let Reading::Reports(mut reports) = parsed.reading else { panic!("no reports") };
    let report = Report { status: Status::Unknown, ..reports.items.remove(0) };

    let (orders, events) = (stack().orders(&Calls::default()), stack().events(&Calls::default()));
    let key = OrderKey { account, order: OrderId::parse(&parcel.order_id).unwrap() };
    let (order, entries) = orders.load_with_timeline(&key).await.unwrap().unwrap();
    let event_id = EventId::parse("an-earlier-run").unwrap();
    let origin = Origin { event_id, logged_as: None, received_at: aws::clock::now() };
    let fact = NewFact::of_report(&report, &key.order, &origin);
    let Arrival::Commit(commit) = arrive(&order.state, &entries, fact, &origin, origin.received_at)
    else {
        panic!("not stored")
    };
    let names = NameChanges::default();
    let outcome = orders.commit(&order, &entries, &commit, None, &names, &events).await.unwrap();
    assert!(matches!(outcome, CommitOutcome::Committed));
}

#[test]
fn finds_the_first_difference() {
    let actual = json!({"a": [{"b": 1, "c": 2}], "d": null});
    for (expected, difference) in [
        (json!({"a": [{"b": 1}]}), None),
        (json!({"d": null}), None),
        (json!({"a": [{"b": 2}]}), Some(".a[0].b is 1")),
        (json!({"a": []}), Some(r#".a has 1 items: [{"b":1,"c":2}]"#)),
        (json!({"e": null}), Some(".e is missing")),
    ] {
        assert_eq!(matches(&actual, &expected).err().as_deref(), difference, "{expected}");
    }
}

//! The inbound log through the front door: what came in, what became of it, and who may see it.

mod bodies;
mod retry;
mod who;

use std::time::Duration;

use aws::tables::inbound::{EventState, InboundEvent, Inserted};
use data_encoding::BASE64URL_NOPAD;
use domain::core::hash::Fingerprint;
use domain::core::id::{AccountCode, EventId};
use domain::core::timestamp::Timestamp;
use domain::tracking::report::SourceName;
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::callers::{Caller, OURS, caller};
use crate::main_way::Parcel;
use crate::support::{Answer, Calls, eventually, http, stack, unique};

const LOG: &str = "/api/webhooks/logs";
const NO_ERROR: Option<&str> = None;

async fn get(caller: &Caller, path: &str) -> Answer {
    http::send(caller.sign(http::client().get(stack().url(path)))).await
}

async fn list(query: &str) -> Answer {
    get(caller("viewer").await, &format!("{LOG}{query}")).await
}

async fn detail(id: &str) -> Value {
    let answer = get(caller("viewer").await, &format!("{LOG}/{id}")).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
    answer.json
}

/// Waits until an event has come so far.
async fn detail_once(id: &str, status: &str) -> Value {
    eventually(&format!("{id} to be {status}"), async || {
        Some(detail(id).await).filter(|row| row["status"] == status)
    })
    .await
}

/// So many items of a list, page by page. There is at least one page.
async fn pages(query: &str, from: Option<String>, count: usize) -> Vec<Vec<Value>> {
    let mut items = 0;
    pages_until(query, from, |page| {
        items += page.len();
        items >= count
    })
    .await
}

/// An event in a list that has those of all tests.
async fn find(query: &str, id: &str) -> Option<Value> {
    let is = |item: &Value| item["id"] == id;
    let seen = pages_until(query, None, |page| page.iter().any(is)).await;
    seen.into_iter().flatten().find(is)
}

async fn pages_until(
    query: &str,
    from: Option<String>,
    mut enough: impl FnMut(&[Value]) -> bool,
) -> Vec<Vec<Value>> {
    let (mut pages, mut cursor) = (Vec::new(), from);
    loop {
        let page = cursor.map_or_else(String::new, |cursor| format!("&page={cursor}"));
        let page = list(&format!("{query}{page}")).await;
        assert_eq!(page.status, 200, "{query}: {}", page.json);
        let items = page.json["items"].as_array().unwrap();
        pages.push(items.clone());
        match page.json["next_page"].as_str() {
            Some(next) if !enough(items) => cursor = Some(next.to_owned()),
            _ => return pages,
        }
    }
}

fn ids(items: &[Value]) -> Vec<&str> {
    items.iter().map(|item| item["id"].as_str().unwrap()).collect()
}

/// Keeps an event as `inbound` does. Nobody works on it.
async fn keep(account: Option<&str>, state: EventState, body: &[u8]) -> String {
    let id: EventId = Fingerprint::of("log").with(unique("")).into();
    let event = InboundEvent {
        id: id.clone(),
        source: SourceName::new("shiprocket"),
        account: account.map(|code| AccountCode::parse(code).unwrap()),
        received_at: aws::clock::now(),
        state,
        reason: None,
        body: body.to_vec(),
    };
    assert_eq!(stack().events(&Calls::default()).insert(&event).await.unwrap(), Inserted::New);
    id.as_str().to_owned()
}

/// Several of an account of their own, the newest first.
async fn keep_several(account: &str, states: &[EventState]) -> Vec<String> {
    let mut kept = Vec::new();
    for state in states {
        kept.insert(0, keep(Some(account), *state, b"{}").await);
        // Two of one millisecond stand in the order of their ids.
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    kept
}

fn sample(path: &str) -> Value {
    let file = format!("{}/../events/{path}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

fn esahayak(body: &Value) -> RequestBuilder {
    let request = http::client().post(stack().url("/webhooks/esahayak"));
    http::with_json(request.header("x-esahayak-event", body["type"].as_str().unwrap()), Some(body))
}

/// An event of eSahayak and another one under its id; the log's id of the second.
async fn with_a_reused_id() -> String {
    let mut body = sample("esahayak/stamp_uploaded");
    body["id"] = json!(unique("webhook_"));
    body["data"]["order"]["id"] = json!(unique("order_"));
    assert_eq!(http::send(esahayak(&body)).await.json["event_id"], body["id"]);
    body["data"]["order"]["status"] = json!("FAILED");
    assert_eq!(http::send(esahayak(&body)).await.json["event_id"], body["id"]);
    let id =
        Fingerprint::of("quarantined event").with("esahayak").with(OURS).with(body.to_string());
    id.finish()
}

#[tokio::test]
async fn each_event_is_there_with_what_became_of_it() {
    let event_id = |answer: &Answer| answer.json["event_id"].as_str().unwrap().to_owned();
    let (parcel, unknown) = (Parcel::new(), Parcel::new());
    stack().create_order(&parcel.order()).await;
    let mut ping = sample("shiprocket/test_ping");
    ping["awb"] = json!(unique("19"));
    let unreadable = format!(r#"{{"note":"{}"}}"#, unique("canary-body"));
    let refused = stack()
        .raw_webhook(&stack().sources["shiprocket"]["api_key"], unreadable.clone().into_bytes())
        .await;
    let refusal = refused.json["error"]["message"].as_str().unwrap();
    let failed = Fingerprint::of("event").with("shiprocket").with(OURS).with(&unreadable).finish();

    let processed = event_id(&stack().webhook(&parcel.report(18, "IN TRANSIT", "11:43:52")).await);
    let unmatched = event_id(&stack().webhook(&unknown.report(18, "IN TRANSIT", "11:43:52")).await);
    let ignored = event_id(&stack().webhook(&ping).await);
    for (id, source, status, reason, worked_on) in [
        (processed, "shiprocket", "processed", NO_ERROR, true),
        (unmatched, "shiprocket", "unmatched", NO_ERROR, true),
        (ignored, "shiprocket", "ignored", Some("test_ping"), true),
        (failed, "shiprocket", "failed", Some(refusal), false),
        (with_a_reused_id().await, "esahayak", "quarantined", Some("id_reused"), false),
    ] {
        let mut row = detail_once(&id, status).await;
        let expected = json!({
            "id": id, "source": source, "account_code": OURS, "received_at": row["received_at"], "status": status,
            "reason": reason, "settled_at": row["settled_at"],
        });
        assert_eq!(row["settled_at"].is_string(), worked_on, "{row}");
        row.as_object_mut()
            .unwrap()
            .retain(|name, _| !["size", "body", "body_encoding"].contains(&name.as_str()));
        assert_eq!(row, expected);
        for query in [
            format!("?status={status}&source={source}&account_code={OURS}"),
            format!("?status={status}"),
        ] {
            assert_eq!(
                find(&format!("{query}&limit=100"), &id).await.as_ref(),
                Some(&expected),
                "{query}"
            );
        }
    }
}

#[tokio::test]
async fn a_list_has_what_was_asked_for() {
    use EventState::{Failed, Ignored, Received};
    let account = unique("ACC-");
    let kept = keep_several(&account, &[Ignored, Failed, Received, Failed]).await;
    let [newest, received, oldest_failed, ignored] = [0, 1, 2, 3].map(|index| kept[index].as_str());
    for (query, expected) in [
        ("", vec![newest, received, oldest_failed, ignored]),
        ("&status=failed", vec![newest, oldest_failed]),
        ("&status=received", vec![received]),
        ("&status=ignored&source=shiprocket", vec![ignored]),
        ("&source=shiprocket&status=unmatched", vec![]),
        ("&source=esahayak", vec![]),
        ("&source=esahayak&status=failed", vec![]),
    ] {
        let listed =
            pages(&format!("?account_code={account}{query}"), None, expected.len()).await.concat();
        assert_eq!(ids(&listed), expected, "{query}");
    }
}

#[tokio::test]
async fn the_log_comes_in_pages() {
    let account = unique("ACC-");
    let kept = keep_several(&account, &[EventState::Failed; 5]).await;
    for query in
        [format!("?account_code={account}"), format!("?account_code={account}&status=failed")]
    {
        let pages = pages(&format!("{query}&limit=2"), None, kept.len()).await;
        let sizes: Vec<usize> = pages.iter().map(Vec::len).filter(|size| *size > 0).collect();
        assert_eq!(
            (sizes, ids(&pages.concat())),
            (vec![2, 2, 1], kept.iter().map(String::as_str).collect()),
            "{query}"
        );
    }
}

/// However many pages there are, the last one says so.
#[tokio::test]
async fn a_list_ends() {
    let (before_all, oldest) =
        ("1970-01-01T00:00:00.000Z/a", aws::clock::now().millis() - 89 * 24 * 60 * 60 * 1000);
    let oldest = format!("{}/a", Timestamp::from_millis(oldest).unwrap());
    for place in [before_all, &oldest] {
        for status in ["received", "failed"] {
            let page = list(&format!(
                "?status={status}&page={}",
                BASE64URL_NOPAD.encode(place.as_bytes())
            ))
            .await;
            assert_eq!(page.json, json!({"items": []}), "{status} after {place}");
        }
    }
    let mut failed = pages("?status=failed&limit=100", None, usize::MAX).await;
    assert!(failed.pop().unwrap().len() < 100 && failed.iter().all(|page| page.len() == 100));
}

#[tokio::test]
async fn a_cursor_is_a_place_and_nothing_else() {
    let account = unique("ACC-");
    let kept = keep_several(&account, &[EventState::Failed; 3]).await;
    let first = list(&format!("?account_code={account}&limit=1")).await.json;
    let own = first["next_page"].as_str().unwrap().to_owned();
    let forged = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
    for cursor in [
        "",
        "!",
        &own[1..],
        &forged("x"),
        &forged("2026-01-20T04:45:30Z/a"),
        &forged("/"),
        &forged("a/b/c"),
    ] {
        let error = list(&format!("?account_code={account}&page={cursor}")).await;
        assert_eq!(error.error(), (422, "invalid", Some("page")), "{cursor}");
    }
    for status in ["", "&status=failed"] {
        for (cursor, expected) in [
            (own.clone(), &kept[1..]),
            (forged("9999-12-31T23:59:59.999Z/a"), &kept[..]),
            (forged("1970-01-01T00:00:00.000Z/a"), &[]),
        ] {
            let query = format!("?account_code={account}{status}");
            let listed = pages(&query, Some(cursor.clone()), expected.len()).await.concat();
            assert_eq!(ids(&listed), expected, "{status} after {cursor}");
        }
    }
}

#[tokio::test]
async fn a_parameter_that_makes_no_sense_is_named() {
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=-1", "limit"),
        ("limit=1e9", "limit"),
        ("limit=101", "limit"),
        ("limit=", "limit"),
        ("status=", "status"),
        ("status=Failed", "status"),
        ("status=pending", "status"),
        ("status=failed,ignored", "status"),
        ("source=", "source"),
        ("source=carrier", "source"),
        ("source=%2A", "source"),
        ("account_code=", "account_code"),
        ("accountCode=a%20", "accountCode"),
    ] {
        assert_eq!(
            list(&format!("?{query}")).await.error(),
            (422, "invalid", Some(field)),
            "{query}"
        );
    }
}

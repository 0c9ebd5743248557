//! The inbound log in the API: lists, filters, pages and details.

mod access;
mod bodies;
mod buckets;
mod denied;
mod retry;

use aws::tables::inbound::EventState;
use data_encoding::BASE64URL_NOPAD;
use domain::pagination::cursor;
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::support::{
    Answer, Caller, OURS, Parcel, body_event_id, caller, detail_in_status, http, inbound_event,
    insert_event, next_millisecond, quarantined_event_id, sample, stack, unique,
};

const LOG: &str = "/api/webhooks/logs";
const NO_REASON: Option<&str> = None;

async fn get(caller: &Caller, path: &str) -> Answer {
    http::send(caller.sign(http::client().get(stack().url(path)))).await.of_first_failure()
}

async fn list(query: &str) -> Answer {
    get(caller("viewer").await, &format!("{LOG}{query}")).await
}

/// The pages of a list until they have `count` items. There is at least one page.
async fn pages(query: &str, from: Option<String>, count: usize) -> Vec<Vec<Value>> {
    let mut items = 0;
    pages_until(query, from, |page| {
        items += page.len();
        items >= count
    })
    .await
}

/// Finds an event in a list with the events of all tests.
async fn find(query: &str, id: &str) -> Option<Value> {
    let is_event = |item: &Value| item["id"] == id;
    let pages = pages_until(query, None, |page| page.iter().any(is_event)).await;
    pages.into_iter().flatten().find(is_event)
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

/// Inserts a Shiprocket event that is never processed.
pub async fn insert(account: Option<&str>, state: EventState, body: &[u8]) -> String {
    let mut event = inbound_event("shiprocket", account, body);
    event.state = state;
    insert_event(&event).await.as_str().to_owned()
}

/// Inserts events of one account. Returns their ids, newest first.
async fn insert_all(account: &str, states: &[EventState]) -> Vec<String> {
    let mut ids = Vec::new();
    for state in states {
        ids.insert(0, insert(Some(account), *state, b"{}").await);
        next_millisecond().await;
    }
    ids
}

fn esahayak(kind: &str, body: &Value) -> RequestBuilder {
    let request = http::client().post(stack().url("/webhooks/esahayak"));
    http::with_json(request.header("x-esahayak-event", kind), Some(body))
}

/// Sends two eSahayak events with one id. Returns the log's id of the second, quarantined one.
async fn send_with_reused_id() -> String {
    let mut body = sample("esahayak/stamp_uploaded");
    body["id"] = json!(unique("webhook_"));
    body["data"]["order"]["id"] = json!(unique("order_"));
    for status in ["COMPLETED", "FAILED"] {
        body["data"]["order"]["status"] = json!(status);
        let kind = body["type"].as_str().unwrap();
        assert_eq!(http::send(esahayak(kind, &body)).await.json["event_id"], body["id"]);
    }
    quarantined_event_id("esahayak", body.to_string()).as_str().to_owned()
}

#[tokio::test]
async fn lists_and_shows_events_in_every_status() {
    let (parcel, unknown) = (Parcel::new(), Parcel::new());
    stack().create_order(&parcel.order()).await;
    let mut ping = sample("shiprocket/test_ping");
    ping["awb"] = json!(unique("19"));
    let unreadable = format!(r#"{{"note":"{}"}}"#, unique("canary-body"));
    let rejection =
        stack().raw_webhook(stack().shiprocket_token(), unreadable.clone().into_bytes()).await;
    let rejection = rejection.json["error"]["message"].as_str().unwrap();
    let failed = body_event_id("shiprocket", &unreadable).as_str().to_owned();
    let processed = stack().webhook(&parcel.report(18, "IN TRANSIT", "11:43:52")).await.event_id();
    let unmatched = stack().webhook(&unknown.report(18, "IN TRANSIT", "11:43:52")).await.event_id();
    let ignored = stack().webhook(&ping).await.event_id();
    for (id, source, status, reason, was_processed) in [
        (processed, "shiprocket", "processed", NO_REASON, true),
        (unmatched, "shiprocket", "unmatched", NO_REASON, true),
        (ignored, "shiprocket", "ignored", Some("test_ping"), true),
        (failed, "shiprocket", "failed", Some(rejection), false),
        (send_with_reused_id().await, "esahayak", "quarantined", Some("id_reused"), false),
    ] {
        let mut event = detail_in_status(&id, status).await;
        let expected = json!({
            "id": id, "source": source, "account_code": OURS, "received_at": event["received_at"],
            "status": status, "reason": reason, "settled_at": event["settled_at"],
            "erased_at": null,
        });
        assert_eq!(event["settled_at"].is_string(), was_processed, "{event}");
        let details = ["size", "redacted", "body", "body_encoding"];
        event.as_object_mut().unwrap().retain(|name, _| !details.contains(&name.as_str()));
        assert_eq!(event, expected);
        for query in [
            format!("?status={status}&source={source}&account_code={OURS}"),
            format!("?status={status}"),
        ] {
            let listed = find(&format!("{query}&limit=100"), &id).await;
            assert_eq!(listed.as_ref(), Some(&expected), "{query}");
        }
    }
}

#[tokio::test]
async fn filters_the_list() {
    use EventState::{Failed, Ignored, Received};
    let account = unique("ACC-");
    let newest_first = insert_all(&account, &[Ignored, Failed, Received, Failed]).await;
    let [newest, received, oldest_failed, ignored] =
        [0, 1, 2, 3].map(|index| newest_first[index].as_str());
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
async fn lists_the_events_of_an_order() {
    let (parcel, other) = (Parcel::new(), Parcel::new());
    for parcel in [&parcel, &other] {
        stack().create_order(&parcel.order()).await;
        stack().webhook(&parcel.report(18, "IN TRANSIT", "11:43:52")).await;
    }
    let last = stack().webhook(&parcel.report(7, "DELIVERED", "12:43:52")).await.event_id();
    detail_in_status(&last, "processed").await;
    let query = format!("?order_id={}&account_code={OURS}", parcel.order_id);
    let all = pages(&query, None, 3).await.concat();
    let sources: Vec<&str> = all.iter().map(|event| event["source"].as_str().unwrap()).collect();
    assert_eq!(sources, ["shiprocket", "shiprocket"], "the order's own alone: {all:?}");
    assert_eq!(ids(&all)[0], last, "newest first");
    let paged = pages(&format!("{query}&limit=1"), None, 2).await;
    assert_eq!(ids(&paged.concat()), ids(&all));
    let failed = list(&format!("{query}&status=failed")).await.json;
    assert_eq!(failed["items"], json!([]));
    assert_eq!(list("?order_id=any").await.error(), (422, "invalid", Some("account_code")));
    let nowhere = list(&format!("?order_id=nowhere&account_code={OURS}")).await.json;
    assert_eq!(nowhere["items"], json!([]));
}

#[tokio::test]
async fn lists_events_of_a_time() {
    let account = unique("ACC-");
    let newest_first = insert_all(&account, &[EventState::Failed; 3]).await;
    let all = list(&format!("?account_code={account}")).await.json;
    let middle = all["items"][1]["received_at"].as_str().unwrap();
    for (query, expected) in [
        (format!("from={middle}"), &newest_first[..2]),
        (format!("to={middle}"), &newest_first[2..]),
        (format!("from=2026-01-20T00:00:00Z&to={middle}"), &newest_first[2..]),
        ("to=2026-01-20T00:00:00Z".to_owned(), &[]),
    ] {
        for status in ["", "&status=failed"] {
            let query = format!("?account_code={account}{status}&{query}");
            let listed = pages(&query, None, usize::MAX).await.concat();
            assert_eq!(ids(&listed), expected, "{query}");
        }
    }
}

#[tokio::test]
async fn pages_the_list_newest_first() {
    let account = unique("ACC-");
    let newest_first = insert_all(&account, &[EventState::Failed; 5]).await;
    for query in
        [format!("?account_code={account}"), format!("?account_code={account}&status=failed")]
    {
        let pages = pages(&format!("{query}&limit=2"), None, newest_first.len()).await;
        let sizes: Vec<usize> = pages.iter().map(Vec::len).filter(|size| *size > 0).collect();
        assert_eq!(
            (sizes, ids(&pages.concat())),
            (vec![2, 2, 1], newest_first.iter().map(String::as_str).collect()),
            "{query}"
        );
    }
}

#[tokio::test]
async fn ends_after_the_last_page() {
    let mut failed = pages("?status=failed&limit=100", None, usize::MAX).await;
    assert!(failed.pop().unwrap().len() < 100 && failed.iter().all(|page| page.len() == 100));
}

/// A page may end at an event of another account, so its cursor is encrypted.
#[tokio::test]
async fn a_cursor_shows_no_position_and_cannot_be_altered() {
    let account = unique("ACC-");
    let newest_first = insert_all(&account, &[EventState::Failed; 3]).await;
    let first = list(&format!("?account_code={account}&limit=1")).await.json;
    let own = first["next_page"].as_str().unwrap().to_owned();
    let first_seen = first["items"][0]["received_at"].as_str().unwrap();
    let query = format!("?account_code={account}");
    let listed = pages(&query, Some(own.clone()), 2).await.concat();
    assert_eq!(ids(&listed), &newest_first[1..]);

    let bytes = BASE64URL_NOPAD.decode(own.as_bytes()).unwrap();
    let inner = String::from_utf8(bytes[8..].to_vec()).unwrap();
    let sealed = BASE64URL_NOPAD.decode(inner.as_bytes()).unwrap();
    for text in [newest_first[0].as_bytes(), &first_seen.as_bytes()[..11]] {
        for bytes in [&bytes, &sealed] {
            assert!(!bytes.windows(text.len()).any(|part| part == text));
        }
    }
    let position = "2026-01-20T04:45:30.000Z/a";
    let forged = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
    for page in [
        "",
        "!",
        &own[1..],
        &own[..own.len() - 1],
        &forged(position),
        &cursor(position),
        &cursor(&forged(position)),
        &cursor(&inner[1..]),
    ] {
        let error = list(&format!("{query}&page={page}")).await;
        assert_eq!(error.error(), (422, "invalid", Some("page")), "{page}");
    }
}

#[tokio::test]
async fn rejects_invalid_query_parameters_by_name() {
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
        ("from=yesterday", "from"),
        ("from=2026-01-20T00:00:00Z&to=2026-01-20T00:00:00Z", "to"),
    ] {
        assert_eq!(
            list(&format!("?{query}")).await.error(),
            (422, "invalid", Some(field)),
            "{query}"
        );
    }
}

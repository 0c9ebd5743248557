#![expect(clippy::unwrap_used)]

mod contention;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use domain::messaging::channel::{ProviderMessageId, StatusUpdate};
use domain::messaging::message::{Message, MessageKey, NewMessage};
use serde_json::{Value, json};

use super::*;
use crate::client::fake::{FakeAws, clients};

fn account() -> AccountCode {
    AccountCode::parse("STORE001").unwrap()
}

fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn now() -> Timestamp {
    time("2026-01-20T10:00:00Z")
}

fn id_of(message: usize) -> ProviderMessageId {
    ProviderMessageId::parse(&format!("wamid.{message}")).unwrap()
}

/// A recorded message of which a status is news.
fn row(message: usize) -> TrackingRow {
    let id = id_of(message);
    let mut row = TrackingRow::new(ProviderMessageKey { account: account(), message: id.clone() });
    let body = json!({
        "order_id": "O", "account_code": "STORE001", "message_status": "sent",
        "message_id": id.as_str(), "template": "order_shipped",
    });
    let new = NewMessage::read(body.to_string().as_bytes()).unwrap();
    row.tracked.link(&Message::new(new, &MessageKey::Provider(id.as_str()), now()));
    let status = StatusUpdate {
        message: id,
        status: "delivered".to_owned(),
        at: Some(now()),
        error: None,
        callback_data: None,
        pricing: None,
        recipient: None,
    };
    row.tracked.tracking.merge(&status, now());
    row
}

/// The key of each write, and what it is.
fn writes(request: &HttpRequest) -> Vec<(String, Value)> {
    let body: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
    let items = match body.get("TransactItems") {
        Some(items) => items.as_array().unwrap().clone(),
        None => vec![json!({"Put": body})],
    };
    let key = |write: &Value| {
        let key = write.get("Put").map_or(&write["Update"]["Key"], |put| &put["Item"]);
        format!("{} {}", key["pk"]["S"].as_str().unwrap(), key["sk"]["S"].as_str().unwrap())
    };
    items.into_iter().map(|write| (key(&write), write)).collect()
}

fn messages(fake: &FakeAws) -> Messages {
    Messages::new(clients(fake.edge()).dynamodb(), "messages".to_owned())
}

fn cancelled<'a>(codes: impl IntoIterator<Item = &'a str>) -> (u16, String) {
    let reasons: Vec<_> = codes.into_iter().map(|code| json!({"Code": code})).collect();
    let kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
    (400, json!({"__type": kind, "CancellationReasons": reasons}).to_string())
}

#[tokio::test]
async fn counts_in_the_transaction_that_writes_the_message() {
    let fake = FakeAws::new(|_| (200, "{}".to_owned()));
    assert!(messages(&fake).save_counted(&row(1), Vec::new(), now()).await.unwrap());
    let requests = fake.requests();
    let [message, figures] = <[_; 2]>::try_from(writes(&requests[0])).unwrap();
    assert_eq!(message.0, "message:8:STORE001:wamid.1 track");
    assert!(message.1["Put"]["ConditionExpression"].is_string());
    assert!(figures.0.starts_with("stats:8:STORE001:2026-01-20 "), "{}", figures.0);
    let update = figures.1["Update"]["UpdateExpression"].as_str().unwrap();
    for counter in ["#sent", "#accepted", "#delivered", "#d_0"] {
        assert!(update.contains(counter), "{update}");
    }
    let values = figures.1["Update"]["ExpressionAttributeValues"].as_object().unwrap();
    // 400 days after the beginning of the day.
    let expiry = time("2027-02-24T00:00:00Z").seconds().to_string();
    assert!(values.values().any(|value| value["N"] == expiry.as_str()), "{values:?}");
}

#[tokio::test]
async fn a_message_older_than_its_figures_would_be_is_not_counted() {
    let fake = FakeAws::new(|_| (200, "{}".to_owned()));
    let late = time("2027-02-24T00:00:00Z");
    assert!(messages(&fake).save_counted(&row(1), Vec::new(), late).await.unwrap());
    assert_eq!(writes(&fake.requests()[0]).len(), 1);
}

#[tokio::test]
async fn another_row_takes_the_counts_after_a_conflict() {
    for (codes, is_saved, tries) in [
        (["None", "TransactionConflict"], true, 2),
        (["ConditionalCheckFailed", "None"], false, 1),
        (["ConditionalCheckFailed", "TransactionConflict"], false, 1),
        (["TransactionConflict", "None"], false, 1),
    ] {
        let first = Mutex::new(Some(cancelled(codes)));
        let fake =
            FakeAws::new(move |_| first.lock().unwrap().take().unwrap_or((200, "{}".to_owned())));
        let saved = messages(&fake).save_counted(&row(1), Vec::new(), now()).await.unwrap();
        assert_eq!((saved, fake.requests().len()), (is_saved, tries), "{codes:?}");
        let requests = fake.requests();
        let rows: BTreeSet<_> = requests.iter().map(|it| writes(it)[1].0.clone()).collect();
        assert_eq!(rows.len(), tries, "{codes:?}");
    }
}

#[tokio::test]
async fn a_reply_counts_once() {
    let stored = Arc::new(Mutex::new(None::<Value>));
    let rows = stored.clone();
    let fake = FakeAws::new(move |body| {
        let request: Value = serde_json::from_slice(body).unwrap();
        let mut row = rows.lock().unwrap();
        if request.get("RequestItems").is_some() {
            let rows: Vec<_> = row.iter().cloned().collect();
            return (200, json!({"Responses": {"messages": rows}}).to_string());
        }
        let put = request.get("Item").unwrap_or(&request["TransactItems"][0]["Put"]["Item"]);
        *row = Some(put.clone());
        (200, "{}".to_owned())
    });
    let messages = messages(&fake);
    assert!(messages.save_counted(&row(1), Vec::new(), now()).await.unwrap());
    let key = row(1).key;
    let minute = |minute: u64| now().after(Duration::from_secs(60 * minute));
    let event = EventId::parse("e1").unwrap();
    for (at, first) in [(5, 5), (5, 5), (7, 5), (3, 3)] {
        let row = messages.load_tracking(&key).await.unwrap();
        let row = messages.note_reply(row, &event, minute(at), minute(9)).await.unwrap();
        assert_eq!(row.tracked.replied_at, Some(minute(first)), "{at}");
    }
    let requests = fake.requests();
    let counts = requests.iter().filter(|it| {
        let body = String::from_utf8_lossy(it.body().bytes().unwrap()).into_owned();
        body.contains("#replied")
    });
    assert_eq!(counts.count(), 1);
}

#[test]
fn rows_of_before_the_figures_are_counted_whole() {
    let item = |counted: bool| {
        let mut item = super::super::tracking::tracking_key(&row(1).key);
        item.insert("rev".to_owned(), number(1));
        item.insert("json".to_owned(), crate::tables::attr::json(&row(1).tracked).unwrap());
        if counted {
            item.insert("counted".to_owned(), number(1));
        }
        item
    };
    let changes = |counted| {
        let row = super::super::tracking::read(&row(1).key, Some(&item(counted))).unwrap();
        row.changes().iter().flat_map(|it| it.figures.named()).count()
    };
    assert_eq!((changes(true), changes(false)), (0, 4));
}

#[test]
fn rows_are_read_with_their_template() {
    let row = crate::tables::attr::item([
        ("pk", text("stats:8:STORE001:2026-01-20")),
        ("sk", text("x/003")),
        ("ttl", number(1)),
        ("template", text("order_shipped")),
        ("sent", number(3)),
        ("d_4", number(-1)),
        ("of_a_later_release", number(9)),
    ]);
    let (template, figures) = read(&row).unwrap();
    assert_eq!(template.as_deref(), Some("order_shipped"));
    let named: Vec<_> = figures.named().collect();
    assert_eq!(named, [("sent".to_owned(), 3), ("d_4".to_owned(), -1)]);
}

#![expect(clippy::panic, clippy::unwrap_used)]

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_types::base64;
use domain::core::id::{AccountCode, EventId, OrderId, ReportId};
use domain::core::timestamp::Timestamp;
use domain::orders::erasure::{Counts, Scope};
use domain::tracking::entry::Fact;
use domain::tracking::state::Start;
use domain::tracking::status::Status;
use domain::tracking::timeline::{Arrival, NewFact, Origin, arrive};
use serde_json::Value;

use super::*;
use crate::client::fake::{FakeAws, clients};
use crate::tables::inbound::InboundLog;

/// An order with one timeline entry: its rows, as DynamoDB responds with them.
fn rows() -> (OrderKey, [Value; 3]) {
    rows_with("w1")
}

pub(super) fn rows_with(entry: &str) -> (OrderKey, [Value; 3]) {
    let account = AccountCode::parse("STORE001").unwrap();
    let key = OrderKey { account, order: OrderId::parse("ORD1").unwrap() };
    let at = Timestamp::parse("2026-01-20T10:00:00.000Z").unwrap();
    let state = State::at_creation(Start::of(Status::Pending), at);
    let state = State { entries: 1, entry_rev: 2, ..state };
    let profile = Profile::default();
    let (given_up, watched_until) = (BTreeSet::new(), None);
    let order = Order {
        key: key.clone(),
        profile,
        state,
        recent: 0,
        scans: Vec::new(),
        given_up,
        watched_until,
    };
    let entry = TimelineEntry {
        id: ReportId::parse(entry).unwrap(),
        occurred_at: at,
        fact: Fact::Withdrawal { report_id: ReportId::parse("r1").unwrap() },
        event_id: EventId::parse("e1").unwrap(),
        logged_as: None,
        received_at: at,
        recorded_at: at,
        rev: 2,
        late: false,
        transition: None,
    };
    let entry = item([("sk", text("facts:2")), (facts::FACTS, pack(&[entry]).unwrap())]);
    let rows = [entry, profile_row(&order).unwrap(), state_row(&order).unwrap()];
    (key, rows.map(|row| row.iter().map(|(name, value)| (name.clone(), wire(value))).collect()))
}

fn wire(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => serde_json::json!({"S": text}),
        AttributeValue::N(number) => serde_json::json!({"N": number}),
        AttributeValue::B(bytes) => serde_json::json!({"B": base64::encode(bytes)}),
        other => panic!("{other:?}"),
    }
}

/// The rows as releases before wrote them.
fn as_before(key: &OrderKey, [facts, profile, state]: [Value; 3]) -> [Value; 3] {
    let unpack = |row: &Value, name: &str| -> Value {
        let packed = base64::decode(row[name]["B"].as_str().unwrap()).unwrap();
        crate::tables::packed::unpack_bytes(&packed).unwrap()
    };
    let row = |sk: &str, json: &Value| {
        serde_json::json!({
            "pk": {"S": order_pk(key)}, "sk": {"S": sk}, "json": {"S": json.to_string()},
        })
    };
    let entry = &unpack(&facts, facts::FACTS)[0];
    [row("entry:w1", entry), profile, row("state", &unpack(&state, STATE))]
}

/// Loads the order. Each response has these rows. Returns the number of entries and of queries.
async fn load(key: &OrderKey, responses: &[&[Value]]) -> (Result<usize, IoError>, usize) {
    let mut responses: Vec<String> =
        responses.iter().map(|rows| serde_json::json!({"Items": rows}).to_string()).collect();
    responses.reverse();
    let responses = std::sync::Mutex::new(responses);
    let fake = FakeAws::new(move |_| {
        let mut rest = responses.lock().unwrap();
        let last = rest.len() == 1;
        (200, if last { rest[0].clone() } else { rest.pop().unwrap() })
    });
    let orders = Orders::new(clients(fake.edge()).dynamodb(), "t".to_owned());
    let loaded = orders.load_with_timeline(key).await;
    let queries = fake.requests().len();
    (loaded.map(|order| order.unwrap().1.len()), queries)
}

#[tokio::test]
async fn reads_again_until_the_timeline_is_complete() {
    let (key, rows) = rows();
    assert_eq!(load(&key, &[&rows]).await, (Ok(1), 1));
    assert_eq!(load(&key, &[&rows[1..], &rows]).await, (Ok(1), 2));
    let (incomplete, queries) = load(&key, &[&rows[1..]]).await;
    assert!(matches!(incomplete, Err(IoError::Transient { .. })), "{incomplete:?}");
    assert_eq!(queries, TRIES as usize);
}

#[tokio::test]
async fn reads_an_order_of_releases_before() {
    let (key, rows) = rows();
    assert_eq!(load(&key, &[&as_before(&key, rows)]).await, (Ok(1), 1));
}

/// How a new fact of the order ends that was read with these entries, and the calls that it takes.
async fn commit(answer: (u16, &'static str), is_stale: bool) -> (CommitOutcome, Vec<String>) {
    let (key, rows) = rows();
    let response = serde_json::json!({ "Items": rows }).to_string();
    let fake = FakeAws::new(move |request| match String::from_utf8_lossy(request) {
        request if request.contains("KeyConditionExpression") => (200, response.clone()),
        _ => (answer.0, answer.1.to_owned()),
    });
    let client = clients(fake.edge()).dynamodb();
    let (orders, events) =
        (Orders::new(client.clone(), "t".to_owned()), InboundLog::new(client, "i".to_owned()));
    let (order, mut entries) = orders.load_with_timeline(&key).await.unwrap().unwrap();
    let new = NewFact {
        id: ReportId::parse("w2").unwrap(),
        occurred_at: order.state.created_at,
        fact: Fact::Withdrawal { report_id: ReportId::parse("r2").unwrap() },
    };
    let at = order.state.created_at;
    let event_id = EventId::parse("e2").unwrap();
    let origin = Origin { event_id, logged_as: None, received_at: at };
    let Arrival::Commit(commit) = arrive(&order.state, &entries, new, &origin, at) else {
        panic!("not new")
    };
    entries.truncate(usize::from(!is_stale));
    let names = NameChanges::default();
    let outcome = orders.commit(&order, &entries, &commit, None, &names, &events).await.unwrap();
    let calls = fake.requests();
    let calls = calls.iter().map(|it| it.headers().get("x-amz-target").unwrap().to_owned());
    (outcome, calls.collect())
}

#[tokio::test]
async fn a_fact_alone_is_one_write_without_a_transaction() {
    let (query, update) =
        ("DynamoDB_20120810.Query".to_owned(), "DynamoDB_20120810.UpdateItem".to_owned());
    let both = vec![query.clone(), update];
    assert_eq!(commit((200, "{}"), false).await, (CommitOutcome::Committed, both.clone()));
    let failed = (400, r#"{"__type":"ConditionalCheckFailedException"}"#);
    assert_eq!(commit(failed, false).await, (CommitOutcome::Contended, both));
    assert_eq!(commit((200, "{}"), true).await, (CommitOutcome::Contended, vec![query]));
}

#[tokio::test]
async fn an_unreadable_order_hides_no_other_of_a_page() {
    let (key, [_, profile, state]) = rows();
    let bad = serde_json::json!({
        "pk": {"S": "order:8:STORE001:BAD"}, "sk": {"S": "state"}, "state": {"B": ""},
        "rev": {"N": "1"},
    });
    let response = serde_json::json!({"Responses": {"orders": [bad, state, profile]}}).to_string();
    let fake = FakeAws::new(move |_| (200, response.clone()));
    let orders = Orders::new(clients(fake.edge()).dynamodb(), "orders".to_owned());
    let listed = ["BAD", "ORD1"]
        .map(|id| Listed { order_id: OrderId::parse(id).unwrap(), sort_key: String::new() });
    let loaded = orders.load_all(&key.account, &listed).await.unwrap();
    assert_eq!(loaded.iter().map(|order| &order.key).collect::<Vec<_>>(), [&key]);
}

/// What a pass adds to the receipt, and the number of requests that it takes.
async fn add(counts: Counts, erased_at: Option<Timestamp>) -> (Option<Timestamp>, usize) {
    let row = r#"{"Attributes":{"erased_at":{"S":"2026-01-20T10:00:00.000Z"}}}"#;
    let fake = FakeAws::sequence(&[(200, row)]);
    let orders = Orders::new(clients(fake.edge()).dynamodb(), "t".to_owned());
    let (key, event) = (rows().0, EventId::parse("e1").unwrap());
    let added = orders.add_to_receipt(&key, Scope::Customer, &event, &counts, erased_at).await;
    (added.unwrap(), fake.requests().len())
}

#[tokio::test]
async fn writes_no_receipt_when_a_pass_has_nothing_to_add() {
    let at = Timestamp::parse("2026-01-20T10:00:00.000Z").unwrap();
    assert_eq!(add(Counts::default(), None).await, (None, 0));
    assert_eq!(add(Counts::default(), Some(at)).await, (Some(at), 1));
    let counts = Counts { events: 1, ..Counts::default() };
    assert_eq!(add(counts, None).await, (Some(at), 1));
}

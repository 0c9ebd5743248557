#![expect(clippy::unwrap_used)]

use domain::core::id::{AccountCode, OrderId};
use serde_json::Value;

use super::*;
use crate::client::fake::{FakeAws, clients};
use crate::tables::attr::item;

const EARLY: &str = "2026-01-20T10:00:00.000Z";
const LATE: &str = "2026-01-21T10:00:00.000Z";

fn at(text: &str) -> Option<Timestamp> {
    Some(Timestamp::parse(text).unwrap())
}

fn order() -> OrderKey {
    let account = AccountCode::parse("STORE001").unwrap();
    OrderKey { account, order: OrderId::parse("ORD1").unwrap() }
}

/// Writes an update. Returns the row as it was, and the expressions of the writes.
async fn write(
    update: PollRowUpdate<'_>,
    responses: &[(u16, &'static str)],
) -> (Item, Vec<[String; 2]>) {
    let fake = FakeAws::sequence(responses);
    let orders = Orders::new(clients(fake.edge()).dynamodb(), "t".to_owned());
    let awb = Awb::parse("19").unwrap();
    let row = orders.write_poll_row(&order(), &awb, update).await.unwrap();
    let requests = fake.requests();
    let expressions = requests.iter().map(|request| {
        let body: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        ["UpdateExpression", "ConditionExpression"].map(|name| body[name].as_str().unwrap().into())
    });
    (row, expressions.collect())
}

#[tokio::test]
async fn times_only_move_forward() {
    let update = PollRowUpdate { heard_at: at(EARLY), moved_at: at(EARLY), ..Default::default() };
    let moved_later = r#"{"__type":"ConditionalCheckFailedException","Item":
        {"moved_at":{"S":"2026-01-21T10:00:00.000Z"},"stale_since":{"S":"x"}}}"#;
    let applied = r#"{"Attributes":{"moved_at":{"S":"2026-01-21T10:00:00.000Z"}}}"#;
    let (row, writes) = write(update, &[(400, moved_later), (200, applied)]).await;
    assert_eq!(read_text(&row, "moved_at"), Ok(LATE));
    let [first, second] = <[_; 2]>::try_from(writes).unwrap();
    assert!(first[0].contains("#moved_at = ") && first[0].contains("#stalled"));
    assert!(first[1].contains("attribute_not_exists(#moved_at) OR #moved_at < "), "{first:?}");
    assert_eq!(second[0], "SET #heard_at = :v0 REMOVE #unknown");
    assert!(!second[1].contains("moved_at"), "{second:?}");
}

#[tokio::test]
async fn a_removed_row_stays_removed() {
    let update = PollRowUpdate { moved_at: at(LATE), ..Default::default() };
    let no_row = r#"{"__type":"ConditionalCheckFailedException"}"#;
    let (row, writes) = write(update, &[(400, no_row)]).await;
    assert_eq!((row, writes.len()), (Item::new(), 1));
    assert!(writes[0][1].starts_with("attribute_exists(#pk)"), "{writes:?}");
}

#[test]
fn drops_times_that_the_row_has_passed() {
    let row = |moved_at: &str| item([("moved_at", text(moved_at))]);
    let update = PollRowUpdate { heard_at: at(EARLY), moved_at: at(EARLY), ..Default::default() };
    for (stored, moved_at) in [(EARLY, None), (LATE, None), ("2026-01-20T09:59:59.999Z", at(EARLY))]
    {
        let newer = update.newer_than(&row(stored));
        assert_eq!((newer.moved_at, newer.heard_at), (moved_at, at(EARLY)), "{stored}");
    }
}

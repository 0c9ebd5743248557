#![expect(clippy::unwrap_used)]

use domain::auth::{Accounts, Caller};
use domain::core::id::AccountCode;
use serde_json::{Value, json};

use super::*;
use crate::client::fake::{FakeAws, clients};

const NOW: &str = "2026-03-31T12:00:00.000Z";

fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// An index entry of an event of `STORE001`, received at noon.
fn entry((id, day): &(&str, &str)) -> Value {
    let text = |text: String| json!({ "S": text });
    json!({
        "pk": text((*id).to_owned()), "sk": text("event".to_owned()),
        "day": text(format!("{day}/04")), "at": text(format!("{day}T12:00:00.000Z/{id}")),
    })
}

fn row(id: &str, day: &str) -> Value {
    let text = |text: &str| json!({ "S": text });
    json!({
        "pk": text(id), "source": text("shiprocket"), "account": text("STORE001"),
        "received_at": text(&format!("{day}T12:00:00.000Z")), "state": text("processed"),
    })
}

/// A log with these events, each with its day. One that is large has more than a look returns.
fn log(events: &'static [(&str, &str)], is_large: bool) -> (FakeAws, InboundLog) {
    let fake = FakeAws::new(move |body| {
        let request: Value = serde_json::from_slice(body).unwrap();
        let answer = if request["KeyConditionExpression"].is_string() {
            let values = request["ExpressionAttributeValues"].as_object().unwrap();
            let is_asked = |it: &Value| {
                values.values().any(|value| *value == it["day"])
                    && values.values().all(|value| {
                        *value == it["day"] || it["at"]["S"].as_str() < value["S"].as_str()
                    })
            };
            json!({ "Items": events.iter().map(entry).filter(is_asked).collect::<Vec<_>>() })
        } else if request["RequestItems"].is_object() {
            let keys = request["RequestItems"]["log"]["Keys"].as_array().unwrap();
            let is_asked = |id: &str| keys.iter().any(|key| key["pk"]["S"] == id);
            let rows = events.iter().filter(|(id, _)| is_asked(id)).map(|(id, day)| row(id, day));
            json!({ "Responses": { "log": rows.collect::<Vec<_>>() } })
        } else {
            assert_eq!(
                (&request["IndexName"], &request["Limit"]),
                (&json!("by_day"), &json!(1000))
            );
            let items: Vec<Value> = events.iter().map(entry).collect();
            let last = is_large.then(|| items.last().cloned()).flatten();
            json!({ "Items": items, "LastEvaluatedKey": last })
        };
        (200, answer.to_string())
    });
    let log = InboundLog::new(clients(fake.edge()).dynamodb(), "log".to_owned());
    (fake, log)
}

fn all() -> LogFilter {
    LogFilter::parse(Caller::job(Accounts::All), None, None, |_| true).unwrap()
}

fn ids(page: &LogPage) -> Vec<&str> {
    page.rows.iter().map(|row| row.id.as_str()).collect()
}

/// Queries, then looks at the whole index.
fn calls(fake: &FakeAws) -> (usize, usize) {
    let requests = fake.requests();
    let has = |text: &str| {
        let bodies = requests.iter().map(|it| it.body().bytes().unwrap());
        bodies.filter(|body| String::from_utf8_lossy(body).contains(text)).count()
    };
    let queries = has("KeyConditionExpression");
    (queries, requests.len() - queries - has("RequestItems"))
}

#[tokio::test]
async fn the_page_of_an_empty_log_ends_after_a_day() {
    let (fake, log) = log(&[], false);
    let page = log.list(&all(), 50, None, time(NOW)).await.unwrap();
    assert_eq!(page, LogPage { rows: Vec::new(), next: None });
    assert_eq!(calls(&fake), (17, 1));
}

#[tokio::test]
async fn a_page_skips_the_partitions_without_events_of_a_small_log() {
    let events = &[("c", "2026-03-31"), ("b", "2026-03-01"), ("a", "2026-01-02")];
    let (fake, log) = log(events, false);
    let page = log.list(&all(), 50, None, time(NOW)).await.unwrap();
    assert_eq!((ids(&page), &page.next), (vec!["c", "b", "a"], &None));
    assert_eq!(calls(&fake), (17 + 1 + 1, 1));
}

#[tokio::test]
async fn the_pages_of_a_large_log_reach_its_end_with_few_calls_each() {
    let events = &[("c", "2026-03-31"), ("b", "2026-03-01"), ("a", "2026-01-02")];
    let account = AccountCode::parse("STORE001").ok();
    for (account, pages) in [(None, 31), (account, 4)] {
        let (fake, log) = log(events, true);
        let filter = LogFilter { account, ..all() };
        let (mut found, mut after, mut read) = (Vec::new(), None, 0);
        loop {
            let page = log.list(&filter, 50, after.take(), time(NOW)).await.unwrap();
            found.extend(ids(&page).into_iter().map(str::to_owned));
            read += 1;
            assert!(fake.requests().len() <= 51 + 1 + 3, "{}", fake.requests().len());
            fake.requests().clear();
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!((found, read), (["c", "b", "a"].map(str::to_owned).to_vec(), pages));
    }
}

#[tokio::test]
async fn a_page_that_the_first_day_fills_costs_no_look() {
    let (fake, log) = log(&[("b", "2026-03-31"), ("a", "2026-03-31")], false);
    let page = log.list(&all(), 2, None, time(NOW)).await.unwrap();
    assert_eq!((page.rows.len(), calls(&fake)), (2, (17, 0)));
    fake.requests().clear();
    let of_two_days = LogFilter { from: Some(time("2026-03-30T00:00:00Z")), ..all() };
    let page = log.list(&of_two_days, 50, None, time(NOW)).await.unwrap();
    assert_eq!((page.rows.len(), calls(&fake)), (2, (34, 0)), "so few partitions are read at once");
}

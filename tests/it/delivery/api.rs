//! Deliveries in the operators' API: lists, one with its attempts and body, replays.

use std::collections::BTreeSet;

use domain::core::id::{AccountCode, OrderId};
use futures::future::join_all;

use super::of_order::enqueue_about;
use super::*;
use crate::support::{Answer, Fault, OURS, THEIRS, caller, http, seconds_from_now, unique};

pub async fn admin(method: &str, path: &str) -> Answer {
    stack().user("admin", method, path, None).await
}

async fn replay(id: &str) -> Answer {
    admin("POST", &format!("/api/deliveries/{id}/replay")).await
}

fn is_queued(answer: &Answer, id: &str, run: u32) -> bool {
    let expected = json!({"id": id, "run": run, "status": "queued"});
    (answer.status, &answer.json) == (202, &expected)
}

/// The ids that match, newest first, from pages of one.
async fn listed(query: &str) -> Vec<String> {
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = admin("GET", &format!("/api/deliveries?limit=1&{query}{cursor}")).await;
        assert_eq!(page.status, 200, "{}", page.json);
        let items = page.json["items"].as_array().unwrap();
        ids.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        let Some(next) = page.json["next_page"].as_str() else { return ids };
        cursor = format!("&page={next}");
    }
}

pub async fn lists(query: &str, ids: &[&str]) {
    eventually(&format!("{query} to list {ids:?}"), async || {
        (listed(query).await == ids).then_some(())
    })
    .await;
}

/// An endpoint that gives these answers, of which 400 is final.
pub async fn endpoint(responses: Value) -> TestEndpoint {
    TestEndpoint::new(json!({"backoff": [1], "retry_count": 1, "retry_4xx": false}), responses)
        .await
}

/// A delivery about an order of its own.
fn about(endpoint: &TestEndpoint, order: Option<&str>) -> Delivery {
    let order_id = order.map(|id| OrderId::parse(id).unwrap());
    Delivery { order_id, ..endpoint.delivery() }
}

async fn dead_delivery(endpoint: &TestEndpoint) -> Delivery {
    let delivery = about(endpoint, Some(&unique("O-")));
    enqueue(&delivery).await;
    row_in(&delivery.id, "dead").await;
    delivery
}

#[tokio::test]
async fn finds_deliveries_by_each_filter() {
    let endpoint = endpoint(json!([{"status": 400}])).await;
    let dead = dead_delivery(&endpoint).await;
    let taken = Delivery { kind: stalled(), ..endpoint.delivery() };
    enqueue(&taken).await;
    row_in(&taken.id, "delivered").await;
    let own = format!("endpoint={}", endpoint.name());
    let (hour_ago, in_an_hour) = (seconds_from_now(-3600), seconds_from_now(3600));
    lists(&own, &[&taken.id, &dead.id]).await;
    for (query, ids) in [
        ("state=dead", &[dead.id.as_str()][..]),
        ("state=delivered", &[&taken.id]),
        ("state=parked", &[]),
        ("reason=rejected", &[&dead.id]),
        ("state=dead&reason=exhausted", &[]),
        ("kind=order.stalled", &[&taken.id]),
        ("kind=shipment.status_changed", &[]),
        (&format!("account_code={OURS}"), &[&taken.id, &dead.id]),
        (&format!("account_code={THEIRS}"), &[]),
        (&format!("from={hour_ago}&to={in_an_hour}"), &[&taken.id, &dead.id]),
        (&format!("from={hour_ago}&to={in_an_hour}&state=dead"), &[&dead.id]),
        (&format!("from={in_an_hour}"), &[]),
        (&format!("to={hour_ago}"), &[]),
    ] {
        lists(&format!("{own}&{query}"), ids).await;
    }
    // Other endpoints' deliveries are in the list too.
    assert_eq!(
        admin("GET", "/api/deliveries?limit=2").await.json["items"].as_array().unwrap().len(),
        2
    );
}

/// Each endpoint has a partition of its own.
#[tokio::test]
async fn lists_deliveries_of_several_endpoints_in_order() {
    let endpoints = join_all((0..3).map(|_| endpoint(json!([])))).await;
    let account = unique("ACC-");
    let mut newest_first = Vec::new();
    for endpoint in endpoints.iter().chain(&endpoints) {
        let account = AccountCode::parse(&account).ok();
        let delivery = Delivery { account, ..endpoint.delivery() };
        enqueue(&delivery).await;
        row_in(&delivery.id, "delivered").await;
        newest_first.insert(0, delivery.id);
    }
    let ids: Vec<&str> = newest_first.iter().map(String::as_str).collect();
    lists(&format!("account_code={account}"), &ids).await;
}

#[tokio::test]
async fn shows_attempts_and_body() {
    let excerpt = "canary-excerpt";
    let endpoint = endpoint(json!([{"status": 400, "body": excerpt}])).await;
    let delivery = dead_delivery(&endpoint).await;
    let shown = admin("GET", &format!("/api/deliveries/{}", delivery.id)).await;
    assert_eq!(shown.status, 200, "{}", shown.json);
    assert_eq!(shown.json["body"], json!(delivery.body));
    let [attempt] = shown.json["attempt_log"].as_array().unwrap().as_slice() else {
        panic!("{}", shown.json)
    };
    let is_so = |name: &str, value: Value| assert_eq!(attempt[name], value, "{name}");
    is_so("run", json!(1));
    is_so("status", json!(400));
    is_so("error", Value::Null);
    is_so("excerpt", json!(excerpt));
    assert_eq!(shown.json["last_attempt"], *attempt);
    assert_eq!((&shown.json["state"], &shown.json["reason"]), (&json!("dead"), &json!("rejected")));
    let unknown = admin("GET", "/api/deliveries/msg_unknown").await;
    assert_eq!(unknown.status, 404, "{}", unknown.json);
    let long = admin("GET", &format!("/api/deliveries/{}", "x".repeat(3000))).await;
    assert_eq!(long.status, 404, "{}", long.json);
}

#[tokio::test]
async fn rejects_a_filter_with_an_unknown_value() {
    for (query, field, message) in [
        (
            "state=lost",
            "state",
            "must be one of pending, retrying, parked, delivered, superseded, dead, failed, unknown",
        ),
        ("kind=stalled", "kind", "must be one of order.status_changed"),
        ("reason=401", "reason", "must be one of exhausted, rejected"),
        ("endpoint=a%2Fb", "endpoint", "must"),
        ("order_id=O-1", "account_code", "is required"),
        ("from=yesterday", "from", "must be an RFC 3339 time"),
        ("from=2026-01-02T00:00:00Z&to=2026-01-02T00:00:00Z", "to", "must be later than from"),
        ("page=bm90IGEgY3Vyc29y", "page", "must be the next_page"),
    ] {
        let answer = admin("GET", &format!("/api/deliveries?{query}")).await;
        let error = &answer.json["error"];
        assert_eq!((answer.status, error["field"].as_str()), (422, Some(field)), "{error}");
        assert!(error["message"].as_str().unwrap().contains(message), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replays_a_dead_delivery_once_after_a_double_click() {
    let endpoint = endpoint(json!([{"status": 400}])).await;
    let delivery = dead_delivery(&endpoint).await;
    let (letter, _) = take_dead_letter(&delivery.id).await;
    let clicks = join_all((0..4).map(|_| replay(&delivery.id))).await;
    assert!(clicks.iter().all(|answer| is_queued(answer, &delivery.id, 2)), "{:?}", clicks[0].json);
    let row = row_in(&delivery.id, "delivered").await;
    let log = attempts(&row);
    let runs: Vec<_> = log.iter().map(|attempt| (&attempt["run"], &attempt["status"])).collect();
    let earlier = (&Value::Null, &json!(400));
    assert_eq!(runs, [earlier, (&json!(2), &json!(200))], "earlier runs are kept");
    assert!(!row.contains_key("due") && !row.contains_key("dead") && !row.contains_key("reason"));
    // A late click, and the dead letter, which an operator moves back.
    assert!(is_queued(&replay(&delivery.id).await, &delivery.id, 2));
    let deadline = seconds_from_now(60);
    let outcome = stack().deliver().handle(&letter.to_message(), deadline).await.unwrap();
    assert_eq!(outcome, RecordOutcome::Ack);
    let received = endpoint.received_so_far().await;
    let bodies: BTreeSet<_> = received.iter().map(|it| (it.id(), it.body.as_str())).collect();
    assert_eq!((received.len(), bodies), (2, [(&*delivery.id, &*delivery.body)].into()));

    // A minute later it is another replay.
    set_number(&delivery.id, "replayed_at", seconds_from_now(-61).millis()).await;
    assert!(is_queued(&replay(&delivery.id).await, &delivery.id, 3));
    endpoint.received(3).await;
    row_in(&delivery.id, "delivered").await;
}

#[tokio::test]
async fn refuses_to_replay_a_delivery_that_has_not_ended() {
    let endpoint = endpoint(json!([{"status": 500}])).await;
    endpoint.set("settings", r#"{"backoff": [600]}"#).await;
    let delivery = endpoint.delivery();
    enqueue(&delivery).await;
    row_in(&delivery.id, "retrying").await;
    let answer = replay(&delivery.id).await;
    assert_eq!(answer.status, 409, "{}", answer.json);
    let unknown = replay("msg_unknown").await;
    assert_eq!(unknown.status, 404, "{}", unknown.json);
}

#[tokio::test]
async fn refuses_to_replay_what_was_erased() {
    let endpoint = endpoint(json!([{"status": 400}])).await;
    let delivery = dead_delivery(&endpoint).await;
    change(&delivery.id, "REMOVE body", None).await;
    let answer = replay(&delivery.id).await;
    assert_eq!(answer.error(), (409, "erased", None));
    let shown = admin("GET", &format!("/api/deliveries/{}", delivery.id)).await;
    assert_eq!((shown.status, &shown.json["body"]), (200, &Value::Null), "{}", shown.json);
}

#[tokio::test]
async fn keeps_the_last_attempts_of_earlier_runs() {
    let endpoint = endpoint(json!([{"status": 400}])).await;
    let delivery = dead_delivery(&endpoint).await;
    let old = |number: usize| {
        // As an older release wrote them.
        let attempt = json!({"at": seconds_from_now(-600), "status": null, "error": "timeout",
            "latency_ms": number, "excerpt": null});
        AttributeValue::S(attempt.to_string())
    };
    let log = AttributeValue::L((0..25).map(old).collect());
    change(&delivery.id, "SET attempt_log = :value", Some(log)).await;
    assert!(is_queued(&replay(&delivery.id).await, &delivery.id, 2));
    let log = attempts(&row_in(&delivery.id, "delivered").await);
    assert_eq!((log.len(), &log[0]["latency_ms"], &log[20]["run"]), (21, &json!(5), &json!(2)));
}

#[tokio::test]
async fn a_replay_that_is_dead_again_is_not_answered_as_queued() {
    let endpoint = endpoint(json!([{"status": 400}, {"status": 400}])).await;
    let delivery = dead_delivery(&endpoint).await;
    assert!(is_queued(&replay(&delivery.id).await, &delivery.id, 2));
    eventually("the end of the second run", async || {
        let row = row(&delivery.id).await;
        (text(&row, "state") == "dead" && row["run"].as_n().unwrap() == "2").then_some(())
    })
    .await;
    let answer = replay(&delivery.id).await;
    assert_eq!(answer.status, 409, "{}", answer.json);
    set_number(&delivery.id, "replayed_at", seconds_from_now(-61).millis()).await;
    assert!(is_queued(&replay(&delivery.id).await, &delivery.id, 3));
    row_in(&delivery.id, "delivered").await;
}

/// Lists look back 45 days, and the row lives for 30 more.
#[tokio::test]
async fn a_replay_renews_the_day_of_the_list() {
    let endpoint = endpoint(json!([{"status": 400}])).await;
    let delivery = dead_delivery(&endpoint).await;
    let days_ago = |days: i64| seconds_from_now(-days * 24 * 60 * 60);
    let date: String = days_ago(44).to_string().chars().take(10).collect();
    set_number(&delivery.id, "created_at", days_ago(44).millis()).await;
    // As older releases wrote it.
    for key in ["day", "dead"] {
        set(&delivery.id, key, AttributeValue::S(date.clone())).await;
    }
    let own = format!("endpoint={}", endpoint.name());
    lists(&own, &[&delivery.id]).await;
    lists(&format!("{own}&state=dead"), &[&delivery.id]).await;
    let expiry =
        |row: &HashMap<String, AttributeValue>| row["ttl"].as_n().unwrap().parse::<i64>().unwrap();
    set_number(&delivery.id, "ttl", seconds_from_now(3600).millis() / 1000).await;
    assert!(is_queued(&replay(&delivery.id).await, &delivery.id, 2));
    let row = row_in(&delivery.id, "delivered").await;
    let today: String = aws::clock::now().to_string().chars().take(10).collect();
    assert!(text(&row, "day") > today.as_str(), "{}", text(&row, "day"));
    assert!(expiry(&row) > seconds_from_now(29 * 24 * 60 * 60).millis() / 1000);
    lists(&own, &[&delivery.id]).await;
    // Still found by the time of its creation.
    let (from, to) = (days_ago(45), days_ago(43));
    lists(&format!("{own}&from={from}&to={to}"), &[&delivery.id]).await;
}

/// A newer release may have written it.
#[tokio::test]
async fn an_unreadable_row_hides_no_other() {
    let endpoint = endpoint(json!([{"status": 400}, {"status": 400}, {"status": 400}])).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.insert(0, dead_delivery(&endpoint).await.id);
    }
    let own = format!("endpoint={}", endpoint.name());
    lists(&own, &[&ids[0], &ids[1], &ids[2]]).await;
    set(&ids[1], "event", AttributeValue::S("order.lost".to_owned())).await;
    for query in ["", "&state=dead", "&account_code=STORE001"] {
        lists(&format!("{own}{query}"), &[&ids[0], &ids[2]]).await;
    }
}

#[tokio::test]
async fn rejects_a_cursor_of_another_filter() {
    let endpoint = endpoint(json!([])).await;
    let order = unique("O-");
    for _ in 0..2 {
        let delivery = about(&endpoint, Some(&order));
        enqueue_about(&delivery, &[&order]).await;
        row_in(&delivery.id, "delivered").await;
    }
    let of_endpoint = format!("endpoint={}", endpoint.name());
    let of_order = format!("order_id={order}&account_code={OURS}");
    let in_an_hour = format!("from={}", seconds_from_now(3600));
    let second_page = async |query: &str| {
        eventually("a second page", async || {
            let page = admin("GET", &format!("/api/deliveries?limit=1&{query}")).await.json;
            page["next_page"].as_str().map(str::to_owned)
        })
        .await
    };
    let of_another = format!("order_id={}&account_code={OURS}", unique("O-"));
    let later = format!("{of_order}&{in_an_hour}");
    let (page, page_of_order) = (second_page(&of_endpoint).await, second_page(&of_order).await);
    for (page, query) in [
        (&page, &of_order),
        (&page, &in_an_hour),
        (&page_of_order, &of_endpoint),
        (&page_of_order, &of_another),
        (&page_of_order, &later),
    ] {
        let answer = admin("GET", &format!("/api/deliveries?page={page}&{query}")).await;
        let error = &answer.json["error"];
        assert_eq!((answer.status, error["field"].as_str()), (422, Some("page")), "{query}");
    }
}

/// The row begins the run: `sweep` queues it.
#[tokio::test]
async fn a_replay_is_not_lost_while_the_queue_fails() {
    let endpoint = endpoint(json!([{"status": 400}])).await;
    let delivery = dead_delivery(&endpoint).await;
    let route = "POST /api/deliveries/{id}/replay";
    let path = format!("/api/deliveries/{}/replay", delivery.id);
    let failing = Calls::failing(Some(Fault::Before(0)));
    assert_eq!(stack().ask_ops(&failing, route, &path).await, 202);
    assert_eq!(text(&row(&delivery.id).await, "state"), "pending");
    stack().due_deliveries().run(seconds_from_now(60), seconds_from_now(60)).await.unwrap();
    row_in(&delivery.id, "delivered").await;
    assert_eq!(endpoint.received(2).await.len(), 2);
}

#[tokio::test]
async fn shows_only_deliveries_of_the_callers_accounts() {
    let endpoint = endpoint(json!([])).await;
    let delivery = about(&endpoint, Some(&unique("O-")));
    enqueue(&delivery).await;
    row_in(&delivery.id, "delivered").await;
    lists(&format!("endpoint={}", endpoint.name()), &[&delivery.id]).await;
    for (name, sees) in [("viewer", true), ("their viewer", false), ("their admin", false)] {
        let ask = async |path: &str| {
            let request = http::client().get(stack().url(path));
            http::send(caller(name).await.sign(request)).await
        };
        let list = ask(&format!("/api/deliveries?endpoint={}", endpoint.name())).await;
        let items = list.json["items"].as_array().unwrap().len();
        let one = ask(&format!("/api/deliveries/{}", delivery.id)).await;
        let expected = if sees { (1, 200) } else { (0, 404) };
        assert_eq!((items, one.status), expected, "{name}: {}", one.json);
    }
}

#[tokio::test]
async fn the_queues_tell_since_when_a_delivery_is_overdue() {
    let endpoint = endpoint(json!([{"status": 500}])).await;
    endpoint.set("settings", r#"{"backoff": [600]}"#).await;
    let delivery = endpoint.delivery();
    enqueue(&delivery).await;
    row_in(&delivery.id, "retrying").await;
    let hours_ago = seconds_from_now(-7200).to_string();
    eventually("an overdue delivery", async || {
        // Again and again: `sweep` queues it.
        let due_at = AttributeValue::S(hours_ago.clone());
        change(&delivery.id, "SET due_at = :value", Some(due_at)).await;
        let queues = admin("GET", "/api/queues").await.json;
        let mut items = queues["items"].as_array()?.iter();
        let deliveries = items.find(|queue| queue["name"] == "deliveries")?;
        (deliveries["overdue_since"].as_str()? <= hours_ago.as_str()).then_some(())
    })
    .await;
}

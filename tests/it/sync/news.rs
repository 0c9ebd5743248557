//! What the carrier says that is new goes to the order's account, once, whatever else is wrong.

use std::time::Duration;

use aws::lambda::sqs_batch::RecordOutcome;
use aws::tables::orders::ActiveOrder;
use domain::core::id::OrderKey;
use domain::core::timestamp::Timestamp;
use domain::orders::api_event::{ApiEvent, StatusReport};
use domain::pagination::PageRequest;
use domain::polling::{Active, GIVE_UP, PollCounts, Run, shard};
use domain::tracking::report::SourceName;
use domain::tracking::status::Status;
use serde_json::{Value, json};

use super::installation::{Installation, OURS, key};
use super::shipway;
use crate::support::{Calls, Fault, unique};

fn at() -> Timestamp {
    Timestamp::parse("2026-11-20T10:00:00Z").unwrap()
}

fn hour(hours: u64) -> Run {
    Run::hourly(at().after(Duration::from_secs(hours * 60 * 60)))
}

/// An order of a new parcel, of which the carrier says that it is on its way since this time.
async fn order(shop: &Installation, key: &OrderKey, since: &str) {
    let awb = unique("77N");
    shop.create(key, &awb, at()).await;
    shipway::knows([(awb, shipway::item("INT", since))]).await;
}

/// The shop says something about an order.
async fn say(shop: &Installation, key: &OrderKey, status: Status) {
    let (order_id, note) = (key.order.clone(), None);
    let said = ApiEvent::Status(StatusReport { order_id, status, occurred_at: None, note });
    let body: Value = serde_json::from_slice(&said.to_body()).unwrap();
    shop.report(SourceName::API, &key.account, at().after(Duration::from_secs(60)), &body).await;
}

async fn counts(shop: &Installation, key: &OrderKey, run: &Run) -> PollCounts {
    shop.plan(run, shard(key)).await;
    assert_eq!(shop.work_on_all().await, []);
    shop.totals(run).await.counts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_older_than_what_the_shop_said_is_news_once() {
    let (shop, order_key) = (Installation::new(&json!({})).await, key(OURS, "ORD1"));
    order(&shop, &order_key, "2026-11-20 15:00:00").await;
    say(&shop, &order_key, Status::OutForDelivery).await;
    let asked = |changed| PollCounts { asked: 1, changed, unknown: 0 };
    // The shop's word does not keep the order fresh: it is asked about every hour.
    for (hours, changed) in [(1, 1), (2, 0), (3, 0)] {
        assert_eq!(counts(&shop, &order_key, &hour(hours)).await, asked(changed), "{hours}");
    }
    assert_eq!(json!(shop.order(&order_key).await.state.tracking.status), "out_for_delivery");
    shop.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_cannot_be_told_keeps_nothing_from_others() {
    let shop = Installation::new(&json!({})).await;
    // Both ask with the source's credentials; the one that cannot be told comes first.
    let keys = ["STORE000", "STORE009"].map(|account| {
        let mut orders = (0..10_000).map(|n| key(account, &format!("ORD{n}")));
        orders.find(|key| shard(key) == 0).unwrap()
    });
    for key in &keys {
        order(&shop, key, "2026-11-20 15:00:00").await;
    }
    shop.tell(
        "wrong",
        &json!({"format": "status_update", "accounts": ["STORE000"], "retry_count": "many"}),
    )
    .await;
    shop.plan(&hour(0), 0).await;
    for message in shop.take("batches").await {
        assert_eq!(shop.work("batches", &message, None).await.0.unwrap(), RecordOutcome::Ack);
    }
    let [found] = <[_; 1]>::try_from(shop.take("events").await).unwrap();
    assert!(shop.work("events", &found, None).await.0.is_err());
    assert_eq!(json!(shop.order(&keys[1]).await.state.tracking.status), "in_transit");
    let told = shop.told().await;
    assert!(told.iter().any(|delivery| delivery.account == keys[1].account));
    // Once it is right, it is told too.
    shop.tell("wrong", &json!({"format": "status_update", "accounts": ["STORE000"]})).await;
    assert_eq!(shop.work("events", &found, None).await.0.unwrap(), RecordOutcome::Ack);
    assert!(shop.told().await.iter().any(|delivery| delivery.endpoint.as_str() == "wrong"));
    shop.remove().await;
}

/// SQS refuses two characters that ids may have.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_id_is_too_odd_to_be_asked_about() {
    let (shop, odd) = (Installation::new(&json!({})).await, key(OURS, "ORD\u{ffff}\u{fffe}"));
    order(&shop, &odd, "2026-11-20 15:00:00").await;
    shop.plan(&hour(0), shard(&odd)).await;
    for queue in ["batches", "events"] {
        let [message] = <[_; 1]>::try_from(shop.take(queue).await).unwrap();
        assert!(!message.contains(['\u{fffe}', '\u{ffff}']), "{queue}");
        assert_eq!(shop.work(queue, &message, None).await.0.unwrap(), RecordOutcome::Ack);
    }
    assert_eq!(json!(shop.order(&odd).await.state.tracking.status), "in_transit");
    shop.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_killed_while_an_order_is_taken_off_the_stale_list_takes_it_off_later() {
    let shop = Installation::new(&json!({})).await;
    for (n, (code, asked_again)) in [("INT", true), ("DEL", false)].into_iter().enumerate() {
        let order_key = key(OURS, &format!("ORD{n}"));
        let awb = unique("77N");
        shop.create(&order_key, &awb, at()).await;
        for run in [hour(0), Run::hourly(at().after(GIVE_UP))] {
            let found: ActiveOrder = shop.active(&order_key).await.unwrap();
            shop.orders(&Calls::default())
                .not_found(&order_key, &found.active, &run)
                .await
                .unwrap();
        }
        assert!(is_listed(&shop, &order_key).await);
        let push = json!({"hash": "x", "status_feed": [{"order_id": "ORD", "awbno": awb, "current_status": code,
                          "scans": [{"time": "2026-11-27 15:00:00", "location": "Exampletown", "status": "Scanned"}]}]});
        let message = shop
            .keep(SourceName::new("shipway"), &order_key.account, at().after(GIVE_UP), &push)
            .await;
        // Killed before and after each call in turn, until there is none left to be killed at.
        for call in 0.. {
            assert!(
                shop.work("events", &message, Some(Fault::Before(call))).await.0.is_err()
                    || call > 5
            );
            if shop.work("events", &message, Some(Fault::After(call))).await.0.is_ok() {
                break;
            }
        }
        assert!(!is_listed(&shop, &order_key).await, "{code}");
        let active: Option<Active> = shop.active(&order_key).await.map(|order| order.active);
        assert_eq!(active.map(|active| active.stale_since), asked_again.then_some(None), "{code}");
    }
    shop.remove().await;
}

async fn is_listed(shop: &Installation, key: &OrderKey) -> bool {
    let page = PageRequest { limit: 100, after: None };
    let stale = shop.orders(&Calls::default()).stale(&key.account, &page).await.unwrap();
    stale.iter().any(|stale| stale.order_id == key.order)
}

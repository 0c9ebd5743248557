//! The schedule may fire twice, late, or while another fire's work is under way. And who is asked about in which hour.

use std::collections::BTreeMap;
use std::time::Duration;

use aws::lambda::sqs_batch::RecordOutcome;
use domain::core::timestamp::Timestamp;
use domain::polling::{Run, SHARDS, ShardMessage, shard};
use domain::tracking::report::SourceName;
use serde_json::json;

use super::installation::{Installation, OURS, THEIRS, key};
use super::shipway;

const AT: &str = "2026-11-20T10:00:00Z";

fn at() -> Timestamp {
    Timestamp::parse(AT).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_hour_that_fires_twice_is_one_run() {
    let (shop, fire) = (Installation::new(&json!({})).await, json!({"kind": "hourly", "at": AT}));
    let awbs = ["770000000021", "770000000022", "770000000023"];
    for (n, awb) in awbs.into_iter().enumerate() {
        shop.create(&key([OURS, THEIRS][n % 2], &format!("ORD{n}")), awb, at()).await;
        shipway::knows([(awb.to_owned(), shipway::item("INT", "2026-11-20 09:00:00"))]).await;
    }
    for _ in 0..2 {
        assert_eq!(shop.fire(&fire, None).await.0.unwrap(), json!({"run": "hourly-2026-11-20T10"}));
    }
    assert_eq!(shop.work_on_all().await, []);
    let mut times: BTreeMap<String, u32> = BTreeMap::new();
    shop.asked()
        .await
        .into_iter()
        .flat_map(|call| call.awbs)
        .for_each(|awb| *times.entry(awb).or_default() += 1);
    assert_eq!(times, awbs.map(|awb| (awb.to_owned(), 1)).into());
    // It is over, whoever fires within its hour.
    for late in [AT, "2026-11-20T10:14:59Z"] {
        shop.fire(&json!({"kind": "hourly", "at": late}), None).await.0.unwrap();
    }
    assert!(shop.take("shards").await.is_empty());
    shop.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_fire_takes_up_what_is_not_planned() {
    let (shop, fire) = (Installation::new(&json!({})).await, json!({"kind": "hourly", "at": AT}));
    shop.fire(&fire, None).await.0.unwrap();
    // The messages of the others are lost.
    let (planned, lost): (Vec<_>, Vec<_>) = shop
        .take("shards")
        .await
        .into_iter()
        .partition(|message| ShardMessage::read(message).unwrap().shard < 6);
    assert_eq!((planned.len(), lost.len()), (6, usize::from(SHARDS) - 6));
    for message in planned {
        assert_eq!(shop.work("shards", &message, None).await.0.unwrap(), RecordOutcome::Ack);
    }
    shop.fire(&fire, None).await.0.unwrap();
    let again = shop.take("shards").await;
    let mut shards: Vec<u8> =
        again.iter().map(|message| ShardMessage::read(message).unwrap().shard).collect();
    shards.sort_unstable();
    assert_eq!(shards, (6..SHARDS).collect::<Vec<_>>());
    shop.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_the_carrier_has_pushed_about_is_asked_about_in_its_turn_only() {
    let shop = Installation::new(&json!({})).await;
    let (order, awb) = (key(OURS, "ORD1"), "770000000031");
    shop.create(&order, awb, at()).await;
    let hour = |hours: u64| Run::hourly(at().after(Duration::from_secs(hours * 60 * 60)));
    assert_eq!(planned(&shop, &order, &[hour(0)]).await, [1]);
    let push = json!({"hash": "x", "status_feed": [{"order_id": "ORD1", "awbno": awb, "current_status": "INT",
                      "scans": [{"time": "2026-11-20 15:00:00", "location": "Exampletown", "status": "Scanned"}]}]});
    shop.report(
        SourceName::new("shipway"),
        &order.account,
        at().after(Duration::from_secs(60)),
        &push,
    )
    .await;
    assert_eq!(json!(shop.order(&order).await.state.tracking.status), "in_transit");
    let fresh = planned(&shop, &order, &(1..9).map(hour).collect::<Vec<_>>()).await;
    assert_eq!(fresh.iter().sum::<u64>(), 2, "{fresh:?}");
    assert_eq!(fresh[..4], fresh[4..]);
    let by_hand = Run::manual(at().after(Duration::from_secs(2 * 60 * 60 + 1)));
    assert_eq!(planned(&shop, &order, &[by_hand]).await, [1]);
    assert_eq!(planned(&shop, &order, &(25..29).map(hour).collect::<Vec<_>>()).await, [1, 1, 1, 1]);
    shop.remove().await;
}

/// How many orders each of these runs asks about.
async fn planned(
    shop: &Installation,
    order: &domain::core::id::OrderKey,
    runs: &[Run],
) -> Vec<u64> {
    let mut planned = Vec::new();
    for run in runs {
        shop.plan(run, shard(order)).await;
        planned.push(shop.totals(run).await.planned);
    }
    planned
}

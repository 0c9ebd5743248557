//! Very many orders in one run of the deployed stack, of which few have changed, with a carrier that answers badly.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::polling::shard;
use serde_json::{Value, json};

use super::bulk::Bulk;
use super::one_run;
use super::shipway::{self, Call};
use crate::support::{
    Calls, Received, TestEndpoint, check_delivery, eventually, put_secret, stack, unique,
};

/// How many there are, half of them of each account; `WAYPOST_SYNC_ORDERS` says otherwise.
const ORDERS: usize = 10_000;
/// One in so many has changed.
const CHANGED: usize = 20;
const CALLS_PER_SECOND: u32 = 40;
/// Longer than functions keep settings in memory.
const UNTIL_KNOWN: Duration = Duration::from_millis(1500);

/// Parameters of the stack as they are for this test.
struct Parameters(Vec<(String, Option<String>)>);

impl Parameters {
    async fn set(values: &[(String, String)]) -> Self {
        let ssm = stack().ssm(&Calls::default());
        let mut before = Vec::new();
        for (name, value) in values {
            let known =
                ssm.get_parameter().name(format!("/waypost/local/{name}")).send().await.ok();
            before.push((name.clone(), known.and_then(|known| known.parameter?.value)));
            if name.ends_with("settings") {
                put(name, value).await
            } else {
                put_secret(&format!("local/{name}"), value).await
            }
        }
        Self(before)
    }
}

async fn put(name: &str, value: &str) {
    let put = stack().ssm(&Calls::default()).put_parameter().name(format!("/waypost/local/{name}"));
    put.value(value).overwrite(true).r#type("String".into()).send().await.unwrap();
}

/// A failing test puts them back too.
impl Drop for Parameters {
    fn drop(&mut self) {
        let put_back = async {
            for (name, value) in &self.0 {
                match value {
                    Some(value) => put(name, value).await,
                    None => {
                        let delete = stack().ssm(&Calls::default()).delete_parameter();
                        delete.name(format!("/waypost/local/{name}")).send().await.unwrap();
                    }
                }
            }
        };
        let runtime =
            || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        std::thread::scope(|scope| scope.spawn(|| runtime().block_on(put_back)).join()).unwrap();
    }
}

/// One account's orders, who asks for them and who is told of them.
struct Shop {
    orders: Bulk,
    user: String,
    endpoint: TestEndpoint,
}

impl Shop {
    async fn new(account: String, user: &str) -> Self {
        let told = json!({"format": "status_update", "accounts": [account]});
        let endpoint = TestEndpoint::new(told, json!([])).await;
        Self { orders: Bulk::new(account).await, user: user.to_owned(), endpoint }
    }

    /// The delivered orders by delivery.
    async fn told(&self, changed: usize) -> BTreeMap<String, Vec<usize>> {
        eventually(&format!("{changed} orders to be told of"), async || {
            let told: BTreeMap<String, Vec<usize>> =
                self.endpoint.received(1).await.iter().map(|request| self.read(request)).collect();
            (told.values().map(Vec::len).sum::<usize>() >= changed).then_some(told)
        })
        .await
    }

    fn read(&self, request: &Received) -> (String, Vec<usize>) {
        check_delivery("status_update", request);
        let body = request.json();
        let orders = body["orders"].as_array().unwrap();
        assert!(
            orders.iter().all(|order| order["account_code"] == json!(self.orders.account)),
            "{body}"
        );
        let ids = orders.iter().map(|order| self.orders.of_id(order["order_id"].as_str().unwrap()));
        (request.id().to_owned(), ids.collect())
    }
}

/// What the carrier had said of all of them, and what it says of those that changed.
fn said(changed: bool) -> Value {
    if changed {
        shipway::item("INT", "2026-11-20 09:00:00")
    } else {
        shipway::item("BOO", "2026-11-19 09:00:00")
    }
}

/// Whether there is news of an order.
fn is_changed(n: usize) -> bool {
    n.is_multiple_of(CHANGED)
}

/// Ways to answer badly, each of them once. What an answer leaves out counts as unknown until the next run.
fn bad_answers() -> [Value; 6] {
    [
        json!({"shape": "one_less"}),
        json!({"status": 500}),
        json!({"status": 429, "headers": {"Retry-After": "1"}}),
        json!({"delay_ms": 2000}),
        json!({"shape": "html"}),
        json!({"shape": "one_more"}),
    ]
}

/// The order whose batch is answered so: no two of them are of one shard, so none are of one batch.
fn victim(shop: &Shop, place: usize) -> usize {
    (0..).find(|n| usize::from(shard(&shop.orders.key(*n))) == place).unwrap()
}

async fn answer_badly(shops: &[Shop; 2]) {
    for (place, mode) in bad_answers().into_iter().enumerate() {
        let shop = &shops[place % 2];
        shipway::answers(&shop.orders.awb(victim(shop, place)), 1, mode).await;
    }
}

async fn run_of(id: &str) -> Value {
    let answer = stack().user("admin", "GET", "/api/sync/runs?limit=100", None).await;
    answer.json["items"].as_array().unwrap().iter().find(|run| run["id"] == id).unwrap().clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_orders_of_two_accounts_are_asked_about() {
    let _alone = one_run().await;
    let count = std::env::var("WAYPOST_SYNC_ORDERS").map_or(ORDERS, |count| count.parse().unwrap());
    let each = count / 2;
    let own = format!("{}@example.invalid", unique("own-"));
    let accounts = [unique("ACC-"), unique("ACC-")];
    let _parameters = Parameters::set(&[
        ("sources/shipway/settings".to_owned(), source_settings().await),
        (format!("accounts/{}/shipway", accounts[1]), shipway::lets_in(&own).await.to_string()),
    ])
    .await;
    let [ours, theirs] = accounts;
    let mut shops =
        [Shop::new(ours, "merchant@example.invalid").await, Shop::new(theirs, &own).await];
    for Shop { orders, .. } in &mut shops {
        orders.create(each, &said(false)).await;
        shipway::knows((0..each).map(|n| (orders.awb(n), said(is_changed(n))))).await;
    }
    answer_badly(&shops).await;
    tokio::time::sleep(UNTIL_KNOWN).await;

    let answer = stack().invoke("sync", &json!({})).await;
    let id = answer["run"].as_str().unwrap_or_else(|| panic!("{answer}"));
    // On a busy machine each half may take its time.
    eventually("half to be asked", async || {
        (run_of(id).await["asked"].as_u64() >= Some(each as u64)).then_some(())
    })
    .await;
    let run = eventually("the run to be over", async || {
        Some(run_of(id).await).filter(|run| run["state"] == "finished")
    })
    .await;

    let calls = shipway::calls(&[&shops[0].user, &shops[1].user]).await;
    let calls: Vec<Call> = calls.into_iter().filter(|call| is_of(call, &shops)).collect();
    check_pace(&calls);
    for shop in &shops {
        check_calls(shop, &calls, each);
        let changed = (0..each)
            .filter(|n| is_changed(*n) && !is_left_out(&shops, &calls, &shop.orders.awb(*n)));
        check_orders(shop, &calls, each, &changed.collect()).await;
    }
    assert!(run["planned"].as_u64().unwrap() >= 2 * each as u64, "{run}");
    assert_eq!(
        (&run["failed"], &run["done"], &run["asked"]),
        (&json!(0), &run["batches"], &run["planned"]),
        "{run}"
    );
    let changed = 2 * (0..each).filter(|n| is_changed(*n)).count();
    assert!(
        (changed - 1..=changed).contains(&(run["changed"].as_u64().unwrap() as usize)),
        "{run}"
    );
}

/// As the stack has them, but faster.
async fn source_settings() -> String {
    let get = stack()
        .ssm(&Calls::default())
        .get_parameter()
        .name("/waypost/local/sources/shipway/settings");
    let known = get.send().await.unwrap().parameter.unwrap().value.unwrap();
    let mut settings: Value = serde_json::from_str(&known).unwrap();
    settings["calls_per_second"] = json!(CALLS_PER_SECOND);
    settings.to_string()
}

fn is_of(call: &Call, shops: &[Shop; 2]) -> bool {
    shops.iter().any(|shop| call.awbs.iter().any(|awb| shop.orders.of_awb(awb).is_some()))
}

/// All of them together are no faster than the budget.
fn check_pace(calls: &[Call]) {
    let millis =
        |call: &Call| domain::core::timestamp::Timestamp::parse(&call.at).unwrap().millis();
    let mut times: Vec<_> = calls.iter().map(millis).collect();
    times.sort_unstable();
    let took = times.last().unwrap() - times[0];
    let least = (times.len() as u64 - 2) * 1000 / u64::from(CALLS_PER_SECOND);
    assert!(u64::try_from(took).unwrap() >= least, "{} calls in {took} ms", times.len());
}

/// An answer that leaves one out leaves out the last: of the first batch that was answered at all, not refused.
fn is_left_out(shops: &[Shop; 2], calls: &[Call], awb: &str) -> bool {
    let asking = shops[0].orders.awb(victim(&shops[0], 0));
    let call = calls.iter().find(|call| call.awbs.contains(&asking)).unwrap();
    call.awbs.last().is_some_and(|last| last == awb)
}

/// Each AWB was asked for, by whom it has to be, in batches that are not too large.
fn check_calls(shop: &Shop, calls: &[Call], each: usize) {
    let mut answered = vec![0; each];
    for call in calls {
        assert!(call.awbs.len() <= 50, "{} at once", call.awbs.len());
        let own: Vec<usize> = call.awbs.iter().filter_map(|awb| shop.orders.of_awb(awb)).collect();
        assert!(
            own.is_empty() || call.user == shop.user,
            "{} asked for {}",
            call.user,
            shop.orders.account
        );
        if call.status == 200 {
            own.into_iter().for_each(|n| answered[n] += 1);
        }
    }
    assert_eq!(answered.iter().position(|times| *times == 0), None, "never asked");
    // One batch got an answer that could not be read.
    let twice = answered.iter().filter(|times| **times == 2).count();
    assert!(twice <= 50 && answered.iter().all(|times| *times <= 2), "{twice} asked for twice");
}

/// Those that changed have, and each was told of in one delivery; nobody else was.
async fn check_orders(shop: &Shop, calls: &[Call], each: usize, changed: &BTreeSet<usize>) {
    let told = shop.told(changed.len()).await;
    let batches =
        calls.iter().filter(|call| call.awbs.iter().any(|awb| is_news(shop, awb, changed)));
    assert!(told.len() <= batches.count(), "{} deliveries", told.len());
    assert!(told.values().all(|orders| orders.len() <= 50));
    let mut orders: Vec<usize> = told.into_values().flatten().collect();
    orders.sort_unstable();
    assert_eq!(orders, changed.iter().copied().collect::<Vec<_>>());
    for (n, (status, version)) in shop.orders.tracking(each).await.into_iter().enumerate() {
        let expected = if changed.contains(&n) { ("in_transit", 2) } else { ("pending", 1) };
        assert_eq!((status.as_str(), version), expected, "{n}");
    }
}

fn is_news(shop: &Shop, awb: &str, changed: &BTreeSet<usize>) -> bool {
    shop.orders.of_awb(awb).is_some_and(|n| changed.contains(&n))
}

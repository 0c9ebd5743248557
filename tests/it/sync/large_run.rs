//! One run of the deployed functions over thousands of orders of two accounts. Few orders have
//! changed, and some answers of the carrier are malformed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::polling::shard;
use serde_json::{Value, json};

use super::bulk_orders::BulkOrders;
use super::exclusive_run;
use super::shipway_double::{self, Call, set_answer_mode, set_parcels, tracking_item};
use crate::support::{
    Calls, Received, TestEndpoint, block_on_in_drop, check_delivery, eventually, eventually_within,
    put_secret, put_setting, settings_to_expire, stack, unique,
};

/// Half of them in each account. `WAYPOST_SYNC_ORDERS` overrides the number.
const ORDERS: usize = 10_000;
/// One order in this many has changed.
const CHANGED_EVERY: usize = 20;
const CALLS_PER_SECOND: u32 = 40;

/// The previous values of parameters of the stack that a test changes.
struct ChangedParameters(Vec<(String, Option<String>)>);

impl ChangedParameters {
    async fn set(values: &[(String, String)]) -> Self {
        let ssm = stack().ssm(&Calls::default());
        let mut previous = Vec::new();
        for (name, value) in values {
            let answer =
                ssm.get_parameter().name(format!("/waypost/local/{name}")).send().await.ok();
            previous.push((name.clone(), answer.and_then(|answer| answer.parameter?.value)));
            if name.ends_with("settings") {
                put_setting(&format!("local/{name}"), value).await
            } else {
                put_secret(&format!("local/{name}"), value).await
            }
        }
        Self(previous)
    }
}

/// Restores the values, after a failed test too.
impl Drop for ChangedParameters {
    fn drop(&mut self) {
        let restore = async {
            for (name, value) in &self.0 {
                match value {
                    Some(value) => put_setting(&format!("local/{name}"), value).await,
                    None => {
                        let delete = stack().ssm(&Calls::default()).delete_parameter();
                        delete.name(format!("/waypost/local/{name}")).send().await.unwrap();
                    }
                }
            }
        };
        block_on_in_drop(restore);
    }
}

/// An account with its orders, its user of Shipway's API and its endpoint.
struct Account {
    orders: BulkOrders,
    user: String,
    endpoint: TestEndpoint,
}

impl Account {
    async fn new(code: String, user: &str) -> Self {
        let settings = json!({"format": "status_update", "accounts": [code]});
        let endpoint = TestEndpoint::new(settings, json!([])).await;
        Self { orders: BulkOrders::new(code).await, user: user.to_owned(), endpoint }
    }

    /// The indexes of the delivered orders by delivery id.
    async fn delivered(&self, changed: usize) -> BTreeMap<String, Vec<usize>> {
        eventually(&format!("{changed} delivered orders"), async || {
            let delivered: BTreeMap<String, Vec<usize>> =
                self.endpoint.received(1).await.iter().map(|request| self.read(request)).collect();
            (delivered.values().map(Vec::len).sum::<usize>() >= changed).then_some(delivered)
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
        let ids =
            orders.iter().map(|order| self.orders.index_of_id(order["order_id"].as_str().unwrap()));
        (request.id().to_owned(), ids.collect())
    }
}

/// The carrier's item for an order: the newest known one, or a newer one.
fn item(changed: bool) -> Value {
    if changed {
        tracking_item("INT", "2026-11-20 09:00:00")
    } else {
        tracking_item("BOO", "2026-11-19 09:00:00")
    }
}

fn is_changed(n: usize) -> bool {
    n.is_multiple_of(CHANGED_EVERY)
}

/// Each is given once. An order missing from an answer is unknown until the next run.
fn malformed_answers() -> [Value; 6] {
    [
        json!({"shape": "one_less"}),
        json!({"status": 500}),
        json!({"status": 429, "headers": {"Retry-After": "1"}}),
        json!({"delay_ms": 2000}),
        json!({"shape": "html"}),
        json!({"shape": "one_more"}),
    ]
}

/// The order whose batch gets the nth malformed answer. No two share a shard or a batch.
fn affected_order(account: &Account, nth: usize) -> usize {
    (0..).find(|n| usize::from(shard(&account.orders.key(*n))) == nth).unwrap()
}

async fn set_malformed_answers(accounts: &[Account; 2]) {
    for (nth, mode) in malformed_answers().into_iter().enumerate() {
        let account = &accounts[nth % 2];
        set_answer_mode(&account.orders.awb(affected_order(account, nth)), 1, mode).await;
    }
}

async fn find_run(id: &str) -> Value {
    let answer = stack().user("admin", "GET", "/api/sync/runs?limit=100", None).await;
    answer.json["items"].as_array().unwrap().iter().find(|run| run["id"] == id).unwrap().clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn polls_ten_thousand_orders_of_two_accounts() {
    let _guard = exclusive_run().await;
    let count = std::env::var("WAYPOST_SYNC_ORDERS").map_or(ORDERS, |count| count.parse().unwrap());
    let each = count / 2;
    let (_parameters, accounts) = create_accounts(each).await;
    set_malformed_answers(&accounts).await;
    settings_to_expire().await;
    let run = run_sync(each).await;

    let calls = shipway_double::calls(&[&accounts[0].user, &accounts[1].user]).await;
    let calls: Vec<Call> = calls.into_iter().filter(|call| is_of(call, &accounts)).collect();
    check_rate_limit(&calls);
    for account in &accounts {
        check_calls(account, &calls, each);
        let changed = (0..each)
            .filter(|n| is_changed(*n) && !is_missing(&accounts, &calls, &account.orders.awb(*n)));
        check_orders(account, &calls, each, &changed.collect()).await;
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

/// Creates two accounts with `each` orders. The second one has its own credentials.
async fn create_accounts(each: usize) -> (ChangedParameters, [Account; 2]) {
    let own_user = format!("{}@example.invalid", unique("own-"));
    let codes = [unique("ACC-"), unique("ACC-")];
    let secret = shipway_double::add_credentials(&own_user).await.to_string();
    let parameters = ChangedParameters::set(&[
        ("sources/shipway/settings".to_owned(), source_settings(&codes[0]).await),
        (format!("accounts/{}/shipway", codes[1]), secret),
    ])
    .await;
    let [ours, theirs] = codes;
    let mut accounts = [
        Account::new(ours, "merchant@example.invalid").await,
        Account::new(theirs, &own_user).await,
    ];
    for Account { orders, .. } in &mut accounts {
        orders.create(each, &item(false)).await;
        set_parcels((0..each).map(|n| (orders.awb(n), item(is_changed(n))))).await;
    }
    (parameters, accounts)
}

/// Starts a manual run and waits until it is finished. Returns the run.
async fn run_sync(each: usize) -> Value {
    let answer = stack().invoke("sync", &json!({})).await;
    let id = answer["run"].as_str().unwrap_or_else(|| panic!("{answer}"));
    // Two waits: on a busy machine, one could time out.
    eventually("half of the orders to be polled", async || {
        (find_run(id).await["asked"].as_u64() >= Some(each as u64)).then_some(())
    })
    .await;
    // Batches that find their credential paused come back after 60 to 90 seconds.
    eventually_within(Duration::from_secs(180), "the run to finish", async || {
        Some(find_run(id).await).filter(|run| run["state"] == "finished")
    })
    .await
}

/// The settings of the stack with a higher rate limit, and shared with an account.
async fn source_settings(account: &str) -> String {
    let get = stack()
        .ssm(&Calls::default())
        .get_parameter()
        .name("/waypost/local/sources/shipway/settings");
    let text = get.send().await.unwrap().parameter.unwrap().value.unwrap();
    let mut settings: Value = serde_json::from_str(&text).unwrap();
    settings["calls_per_second"] = json!(CALLS_PER_SECOND);
    settings["shared_with"] = json!([account]);
    settings.to_string()
}

fn is_of(call: &Call, accounts: &[Account; 2]) -> bool {
    accounts
        .iter()
        .any(|account| call.awbs.iter().any(|awb| account.orders.index_of_awb(awb).is_some()))
}

/// All workers together keep the rate limit.
fn check_rate_limit(calls: &[Call]) {
    let millis =
        |call: &Call| domain::core::timestamp::Timestamp::parse(&call.at).unwrap().millis();
    let mut times: Vec<_> = calls.iter().map(millis).collect();
    times.sort_unstable();
    let duration = times.last().unwrap() - times[0];
    let least = (times.len() as u64 - 2) * 1000 / u64::from(CALLS_PER_SECOND);
    assert!(u64::try_from(duration).unwrap() >= least, "{} calls in {duration} ms", times.len());
}

/// The answer `one_less` leaves out the last AWB of the first batch that asks for its order.
fn is_missing(accounts: &[Account; 2], calls: &[Call], awb: &str) -> bool {
    let affected = accounts[0].orders.awb(affected_order(&accounts[0], 0));
    let call = calls.iter().find(|call| call.awbs.contains(&affected)).unwrap();
    call.awbs.last().is_some_and(|last| last == awb)
}

/// Each AWB was polled with the credentials of its account, in batches of at most 50.
fn check_calls(account: &Account, calls: &[Call], each: usize) {
    let mut answered = vec![0; each];
    for call in calls {
        assert!(call.awbs.len() <= 50, "{} AWBs in one call", call.awbs.len());
        let own: Vec<usize> =
            call.awbs.iter().filter_map(|awb| account.orders.index_of_awb(awb)).collect();
        assert!(
            own.is_empty() || call.user == account.user,
            "{} polled {}",
            call.user,
            account.orders.account
        );
        if call.status == 200 {
            own.into_iter().for_each(|n| answered[n] += 1);
        }
    }
    assert_eq!(answered.iter().position(|times| *times == 0), None, "never polled");
    // One batch got an unreadable answer.
    let twice = answered.iter().filter(|times| **times == 2).count();
    assert!(twice <= 50 && answered.iter().all(|times| *times <= 2), "{twice} polled twice");
}

/// Only changed orders have a new status, each in one delivery.
async fn check_orders(account: &Account, calls: &[Call], each: usize, changed: &BTreeSet<usize>) {
    let delivered = account.delivered(changed.len()).await;
    let batches = calls
        .iter()
        .filter(|call| call.awbs.iter().any(|awb| is_changed_awb(account, awb, changed)));
    assert!(delivered.len() <= batches.count(), "{} deliveries", delivered.len());
    assert!(delivered.values().all(|orders| orders.len() <= 50));
    let mut orders: Vec<usize> = delivered.into_values().flatten().collect();
    orders.sort_unstable();
    assert_eq!(orders, changed.iter().copied().collect::<Vec<_>>());
    for (n, (status, version)) in account.orders.tracking(each).await.into_iter().enumerate() {
        let expected = if changed.contains(&n) { ("in_transit", 2) } else { ("pending", 1) };
        assert_eq!((status.as_str(), version), expected, "{n}");
    }
}

fn is_changed_awb(account: &Account, awb: &str, changed: &BTreeSet<usize>) -> bool {
    account.orders.index_of_awb(awb).is_some_and(|n| changed.contains(&n))
}

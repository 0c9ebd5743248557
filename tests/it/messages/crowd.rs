//! Many orders that change at one moment: their messages keep to the limits of the phone number.

use futures::future::join_all;
use serde_json::json;

use super::rules::{message_in, order, report, set_rules, shopper};
use crate::support::graph::{calls, phone, rule};

const ORDERS: usize = 60;

#[tokio::test]
async fn changes_at_one_moment_send_a_message_each_within_the_limits() {
    const ACCOUNT: &str = "RULES7";
    set_rules(ACCOUNT, json!({})).await;
    let shoppers: Vec<String> = (0..ORDERS).map(|_| phone()).collect();
    // Statuses are the concern of other tests.
    join_all(shoppers.iter().map(|to| rule(to, json!({"statuses": ["read"]})))).await;
    let orders = join_all(shoppers.iter().map(|to| async {
        let shopper = shopper(to);
        order(ACCOUNT, &shopper).await
    }))
    .await;
    join_all(orders.iter().map(|id| report(ACCOUNT, id, "out_for_delivery", None))).await;
    for id in &orders {
        let message = message_in(ACCOUNT, id, "read").await;
        let calls = calls(message["id"].as_str().unwrap()).await;
        let statuses: Vec<_> = calls.iter().map(|call| call["status"].clone()).collect();
        assert_eq!(statuses, [json!(200)], "once, and never beyond a limit");
    }
}

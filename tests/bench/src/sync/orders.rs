//! The orders of a run, generated from their numbers instead of stored.
//!
//! Order n is in shard n % 16. The last tenth of each shard belongs to an account with separate
//! credentials. Every twentieth order of a shard has changed.

use std::fmt::Write;
use std::time::Duration;

use domain::core::id::{AccountCode, Awb, OrderId};
use domain::core::timestamp::Timestamp;
use domain::polling::{MAX_BATCH, SHARDS, planners};
use serde_json::Value;

use crate::sync::tracking_answers;

/// The account with separate credentials. It sorts after all others.
pub(crate) const SEPARATE_ACCOUNT: &str = "STORE010";
const ACCOUNTS: u64 = 10;
const CREDENTIALS: u64 = 2;
/// One order in this many has changed.
const CHANGED_EVERY: u64 = 20;
/// The age of the last push: old enough for polling in every run.
const LAST_PUSH_AGE: Duration = Duration::from_secs(48 * 60 * 60);

/// The accounts that are polled with the credentials of the source.
pub(crate) fn shared_accounts() -> Vec<String> {
    (1..ACCOUNTS).map(account).collect()
}

fn account(number: u64) -> String {
    format!("STORE{number:03}")
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Orders {
    count: u64,
    heard_at: Timestamp,
}

#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) number: u64,
    pub(crate) account: String,
}

/// A page of a query.
pub(crate) struct Page {
    pub(crate) json: String,
    /// Billed size of the rows.
    pub(crate) bytes: usize,
}

impl Orders {
    pub(crate) fn new(count: u64, started_at: Timestamp) -> Self {
        let heard_at =
            started_at.millis() - i64::try_from(LAST_PUSH_AGE.as_millis()).unwrap_or_default();
        Self { count, heard_at: Timestamp::from_millis(heard_at).unwrap_or(Timestamp::EPOCH) }
    }

    /// The fewest possible calls: a call covers orders of one credential.
    pub(crate) fn fewest_calls(&self) -> u64 {
        let shared: u64 = (0..u64::from(SHARDS)).map(|shard| self.shared(shard)).sum();
        [shared, self.count - shared].iter().map(|orders| orders.div_ceil(MAX_BATCH as u64)).sum()
    }

    /// Each planner may leave one call of each credential incomplete.
    pub(crate) fn most_calls(&self) -> u64 {
        self.fewest_calls() + CREDENTIALS * u64::from(planners(self.count))
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    pub(crate) fn changed(&self) -> u64 {
        (0..u64::from(SHARDS))
            .map(|shard| (self.in_shard(shard) + CHANGED_EVERY - 1 - shard) / CHANGED_EVERY)
            .sum()
    }

    /// Returns none for an unknown AWB.
    pub(crate) fn by_awb(&self, awb: &str) -> Option<Order> {
        let number: u64 = awb.strip_prefix("190")?.parse().ok()?;
        (number < self.count).then(|| self.order(number))
    }

    /// Answers a query of the orders table. Returns none for other queries than the planner's.
    pub(crate) fn page(&self, request: &Value) -> Option<Page> {
        let (pk, limit) = (partition(request)?, request["Limit"].as_u64()?);
        let shard: u64 =
            pk.strip_prefix("active:")?.parse().ok().filter(|shard| *shard < u64::from(SHARDS))?;
        if !request["FilterExpression"].is_null() {
            return None;
        }
        let first = match &request["ExclusiveStartKey"]["sk"]["S"] {
            Value::Null => 0,
            after => {
                let (order, _) = after.as_str()?.rsplit_once('/')?;
                order.rsplit('-').next()?.parse::<u64>().ok()? / u64::from(SHARDS) + 1
            }
        };
        let last = self.in_shard(shard).min(first + limit);
        let orders =
            (first..last).map(|index| self.order(index * u64::from(SHARDS) + shard)).collect();
        Some(self.write_page(pk, orders, last - first == limit))
    }

    /// DynamoDB announces a next page after every full page, even if it will be empty.
    fn write_page(&self, pk: &str, orders: Vec<Order>, is_full: bool) -> Page {
        let mut json = "{\"Items\":[".to_owned();
        let mut bytes = 0;
        for (order, report_id) in orders.iter().zip(tracking_answers::known_report_ids(&orders)) {
            let awb = order.awb();
            let (sk, id, heard_at) = (order.sort_key(), order.id(), self.heard_at.to_string());
            let attributes = [
                ("pk", pk),
                ("sk", &sk),
                ("account", &order.account),
                ("order_id", &id),
                ("awb", &awb),
                ("seen", &report_id),
                ("heard_at", &heard_at),
                ("moved_at", &heard_at),
            ];
            bytes += attributes.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
            json.push_str(if json.ends_with('[') { "{" } else { ",{" });
            for (name, value) in attributes {
                let comma = if json.ends_with('{') { "" } else { "," };
                // Writing to a string cannot fail. No value needs escaping.
                let _ = write!(json, "{comma}\"{name}\":{{\"S\":\"{value}\"}}");
            }
            json.push('}');
        }
        let _ = write!(json, "],\"Count\":{0},\"ScannedCount\":{0}", orders.len());
        if let Some(last) = orders.last().filter(|_| is_full) {
            let key = last.sort_key();
            let _ = write!(
                json,
                ",\"LastEvaluatedKey\":{{\"pk\":{{\"S\":\"{pk}\"}},\"sk\":{{\"S\":\"{key}\"}}}}"
            );
        }
        json.push('}');
        Page { json, bytes }
    }

    fn in_shard(&self, shard: u64) -> u64 {
        (self.count + u64::from(SHARDS) - 1 - shard) / u64::from(SHARDS)
    }

    /// Orders of a shard that are polled with the credentials of the source.
    fn shared(&self, shard: u64) -> u64 {
        (self.in_shard(shard) * (ACCOUNTS - 1)).div_ceil(ACCOUNTS)
    }

    fn order(&self, number: u64) -> Order {
        let (shard, index) = (number % u64::from(SHARDS), number / u64::from(SHARDS));
        Order { number, account: account(index * ACCOUNTS / self.in_shard(shard) + 1) }
    }
}

/// The partition of a query without a condition on the sort key.
fn partition(query: &Value) -> Option<&str> {
    let (name, value) = query["KeyConditionExpression"].as_str()?.split_once(" = ")?;
    let is_key = query["ExpressionAttributeNames"][name] == "pk";
    query["ExpressionAttributeValues"].get(value)?["S"].as_str().filter(|_| is_key)
}

impl Order {
    /// Shards start at different offsets, so that a twentieth of all orders changes in small runs
    /// too.
    pub(crate) fn has_changed(&self) -> bool {
        let (shard, index) = (self.number % u64::from(SHARDS), self.number / u64::from(SHARDS));
        index % CHANGED_EVERY == shard
    }

    pub(crate) fn id(&self) -> String {
        format!("ORD-{:08}", self.number)
    }

    pub(crate) fn awb(&self) -> String {
        format!("190{:011}", self.number)
    }

    /// The ids in domain types.
    pub(crate) fn ids(&self) -> Option<(AccountCode, OrderId, Awb)> {
        let ids = (
            AccountCode::parse(&self.account),
            OrderId::parse(&self.id()),
            Awb::parse(&self.awb()),
        );
        Some((ids.0.ok()?, ids.1.ok()?, ids.2.ok()?))
    }

    fn sort_key(&self) -> String {
        format!("{}:{}:{}/{}", self.account.len(), self.account, self.id(), self.awb())
    }
}

#[cfg(test)]
mod tests;

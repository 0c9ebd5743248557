//! The orders of a run, made up from their numbers: none of them is kept anywhere.
//!
//! Number n is in shard n % 16. The last tenth of each shard is of an account with credentials of its own. Of every
//! twentieth order of a shard the carrier has news.

use std::fmt::Write;
use std::time::Duration;

use domain::core::id::{AccountCode, Awb, OrderId};
use domain::core::timestamp::Timestamp;
use domain::polling::{MAX_BATCH, SHARDS};
use serde_json::Value;

use crate::dynamodb::expression::partition_key;
use crate::parcel;

/// The account with credentials of its own. Its code comes after those of all others.
pub(crate) const OWNER: &str = "STORE010";
/// So many accounts there are,
const ACCOUNTS: u64 = 10;
/// and every so manieth order of a shard has news.
const NEWS_EVERY: u64 = 20;
/// Nobody has spoken of an order for so long: it is asked about in every run.
const QUIET: Duration = Duration::from_secs(48 * 60 * 60);

/// All orders that the carrier is asked about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Orders {
    count: u64,
    heard_at: Timestamp,
}

/// An order.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    /// Its number.
    pub(crate) number: u64,
    /// Whose it is.
    pub(crate) account: String,
}

/// Some rows as DynamoDB answers with them.
pub(crate) struct Page {
    /// The answer.
    pub(crate) json: String,
    /// The rows' bytes as they are billed.
    pub(crate) bytes: usize,
}

impl Orders {
    /// So many, for a run that begins at this time.
    pub(crate) fn new(count: u64, started_at: Timestamp) -> Self {
        let heard = started_at.millis() - i64::try_from(QUIET.as_millis()).unwrap_or_default();
        Self { count, heard_at: Timestamp::from_millis(heard).unwrap_or(Timestamp::EPOCH) }
    }

    /// The calls that a run cannot do without: orders of different shards or credentials share none.
    pub(crate) fn calls(&self) -> u64 {
        let calls = |orders: u64| orders.div_ceil(MAX_BATCH as u64);
        (0..u64::from(SHARDS))
            .map(|shard| {
                calls(self.shared(shard)) + calls(self.in_shard(shard) - self.shared(shard))
            })
            .sum()
    }

    /// Of how many the carrier has news.
    pub(crate) fn news(&self) -> u64 {
        (0..u64::from(SHARDS))
            .map(|shard| (self.in_shard(shard) + NEWS_EVERY - 1 - shard) / NEWS_EVERY)
            .sum()
    }

    /// An order by its parcel; nothing for a parcel of nobody's.
    pub(crate) fn by_awb(&self, awb: &str) -> Option<Order> {
        let number: u64 = awb.strip_prefix("190")?.parse().ok()?;
        (number < self.count).then(|| self.order(number))
    }

    /// The answer to a query of the orders table; nothing for a query of another kind.
    pub(crate) fn page(&self, request: &Value) -> Option<Page> {
        let pk = partition_key(request).ok()?;
        let shard: u64 =
            pk.strip_prefix("active:")?.parse().ok().filter(|shard| *shard < u64::from(SHARDS))?;
        let (condition, limit) =
            (request["KeyConditionExpression"].as_str()?, request["Limit"].as_u64()?);
        if condition.contains(" AND ") || !request["FilterExpression"].is_null() {
            return None;
        }
        let first = match &request["ExclusiveStartKey"]["sk"]["S"] {
            Value::Null => 0,
            after => {
                after.as_str()?.rsplit('-').next()?.parse::<u64>().ok()? / u64::from(SHARDS) + 1
            }
        };
        let last = self.in_shard(shard).min(first + limit);
        let orders =
            (first..last).map(|index| self.order(index * u64::from(SHARDS) + shard)).collect();
        Some(self.write_page(pk, orders, last - first == limit))
    }

    /// DynamoDB names a next page wherever it stops at the limit, also where nothing is left.
    fn write_page(&self, pk: &str, orders: Vec<Order>, is_full: bool) -> Page {
        let mut json = "{\"Items\":[".to_owned();
        let mut bytes = 0;
        for (order, seen) in orders.iter().zip(parcel::known(&orders)) {
            let awb = order.awb();
            let (sk, id, heard) = (order.sort_key(), order.id(), self.heard_at.to_string());
            let attributes = [
                ("pk", pk),
                ("sk", &sk),
                ("account", &order.account),
                ("order_id", &id),
                ("awb", &awb),
                ("seen", &seen),
                ("heard_at", &heard),
                ("moved_at", &heard),
            ];
            bytes += attributes.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
            json.push_str(if json.ends_with('[') { "{" } else { ",{" });
            for (name, value) in attributes {
                let comma = if json.ends_with('{') { "" } else { "," };
                // Writing to a text does not fail. No value has a character to be escaped.
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

    /// How many of a shard's orders are asked about with the source's credentials.
    fn shared(&self, shard: u64) -> u64 {
        (self.in_shard(shard) * (ACCOUNTS - 1)).div_ceil(ACCOUNTS)
    }

    fn order(&self, number: u64) -> Order {
        let (shard, index) = (number % u64::from(SHARDS), number / u64::from(SHARDS));
        let account = format!("STORE{:03}", index * ACCOUNTS / self.in_shard(shard) + 1);
        Order { number, account }
    }
}

impl Order {
    /// Whether the carrier has news of it. Each shard begins elsewhere, so that the whole has a twentieth, too.
    pub(crate) fn has_news(&self) -> bool {
        let (shard, index) = (self.number % u64::from(SHARDS), self.number / u64::from(SHARDS));
        index % NEWS_EVERY == shard
    }

    /// Its id.
    pub(crate) fn id(&self) -> String {
        format!("ORD-{:08}", self.number)
    }

    /// Its parcel.
    pub(crate) fn awb(&self) -> String {
        format!("190{:011}", self.number)
    }

    /// The same as the types that the source takes.
    pub(crate) fn names(&self) -> Option<(AccountCode, OrderId, Awb)> {
        let ids = (
            AccountCode::parse(&self.account),
            OrderId::parse(&self.id()),
            Awb::parse(&self.awb()),
        );
        Some((ids.0.ok()?, ids.1.ok()?, ids.2.ok()?))
    }

    fn sort_key(&self) -> String {
        format!("{}:{}:{}", self.account.len(), self.account, self.id())
    }
}

#[cfg(test)]
mod tests;

//! Counters by the hour, in the state table, for 30 days. Partition `metrics`, sort key
//! `{hour}/endpoint/{name}` or `{hour}/source/{name}`.
//!
//! They are statistics: a call that the SDK repeats after a lost response counts twice.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use domain::core::id::EndpointName;
use domain::core::timestamp::Timestamp;
use domain::metrics::{DeliveryCounts, EventCounts};
use domain::tracking::report::SourceName;
use tokio::time::timeout;

use crate::error::IoError;
use crate::tables::attr::{Item, number, read_number, read_text, text, ttl};
use crate::tables::expression::attr;
use crate::tables::keys::key;
use crate::tables::read::{all_rows, query};
use crate::tables::update::Changes;
use crate::tables::write::Write;

const PARTITION: &str = "metrics";
const RETENTION_DAYS: u64 = 30;
/// The work is done by then: a count must not take the time that its acknowledgement needs.
const WRITE_LIMIT: Duration = Duration::from_secs(1);
/// `2026-01-20T10`.
const HOUR_LENGTH: usize = 13;

#[derive(Debug, Clone)]
pub struct Counters {
    client: Client,
    table: String,
}

/// The counts of an hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// The beginning of the hour.
    pub hour: Timestamp,
    pub of: CountsOf,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CountsOf {
    Endpoint(String, DeliveryCounts),
    Source(String, EventCounts),
}

impl Counters {
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Adds to the counts of an endpoint in this hour. A failure is logged only.
    pub async fn add_deliveries(
        &self,
        endpoint: &EndpointName,
        counts: &DeliveryCounts,
        now: Timestamp,
    ) {
        self.add(&format!("endpoint/{endpoint}"), counts.named(), now).await;
    }

    /// Adds to the counts of a source in this hour. A failure is logged only.
    pub async fn add_events(&self, source: &SourceName, counts: &EventCounts, now: Timestamp) {
        self.add(&format!("source/{}", source.as_str()), counts.named(), now).await;
    }

    async fn add(
        &self,
        name: &str,
        counts: impl IntoIterator<Item = (&'static str, u64)>,
        now: Timestamp,
    ) {
        let counts = counts.into_iter().filter(|(_, count)| *count > 0);
        let changes = Changes::new().set("ttl", ttl(now, RETENTION_DAYS));
        let changes = counts.fold(changes, |it, (name, count)| it.add(name, number(count)));
        let row = key(PARTITION, format!("{}/{name}", hour_of(now)));
        let write = Write::update(&self.table, row, changes);
        match timeout(WRITE_LIMIT, write.send(&self.client)).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::warn!(name, %error, "metrics.not_counted"),
            Err(_) => tracing::warn!(name, error = "timeout", "metrics.not_counted"),
        }
    }

    /// The counts of all hours from the one of `from` to the one of `to`, in their order. Rows that
    /// cannot be read are logged and left out.
    pub async fn read(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Counted>, IoError> {
        // `0` follows `/`: the end is after all names of the last hour.
        let (first, last) = (text(hour_of(from)), text(format!("{}0", hour_of(to))));
        let of_hours = attr("pk").equals(text(PARTITION)).and(attr("sk").between(first, last));
        let rows = all_rows(query(&self.client, &self.table, of_hours)).await?;
        Ok(rows.iter().filter_map(|row| read_row(row).or_else(log_unreadable)).collect())
    }
}

/// The hour of a time, e.g. `2026-01-20T10`.
fn hour_of(time: Timestamp) -> String {
    time.to_string().chars().take(HOUR_LENGTH).collect()
}

fn read_row(row: &Item) -> Option<Counted> {
    let mut parts = read_text(row, "sk").ok()?.splitn(3, '/');
    let hour = Timestamp::parse(&format!("{}:00:00Z", parts.next()?)).ok()?;
    let count = |name: &str| read_number(row, name).unwrap_or_default();
    let of = match (parts.next()?, parts.next()?.to_owned()) {
        ("endpoint", name) => CountsOf::Endpoint(name, DeliveryCounts::read(count)),
        ("source", name) => CountsOf::Source(name, EventCounts::read(count)),
        _ => return None,
    };
    Some(Counted { hour, of })
}

fn log_unreadable() -> Option<Counted> {
    tracing::error!("metrics.unreadable");
    None
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;
    use crate::client::fake::{FakeAws, clients};
    use crate::tables::attr::item;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn reads_the_rows_of_endpoints_and_sources() {
        let row = |sk: &str| {
            item([
                ("sk", text(sk)),
                ("total", number(3)),
                ("success", number(2)),
                ("failed", number(1)),
            ])
        };
        let hour = at("2026-01-20T10:00:00Z");
        let counts = DeliveryCounts { total: 3, success: 2, ..DeliveryCounts::default() };
        let of = CountsOf::Endpoint("shop".to_owned(), counts);
        assert_eq!(read_row(&row("2026-01-20T10/endpoint/shop")), Some(Counted { hour, of }));
        let of =
            CountsOf::Source("api".to_owned(), EventCounts { failed: 1, ..Default::default() });
        assert_eq!(read_row(&row("2026-01-20T10/source/api")), Some(Counted { hour, of }));
        for unreadable in ["", "2026-01-20T10", "2026-01-20T10/other/x", "yesterday/source/api"] {
            assert_eq!(read_row(&row(unreadable)), None, "{unreadable}");
        }
    }

    #[tokio::test]
    async fn adds_all_counts_of_an_hour_in_one_call_and_tolerates_its_failure() {
        let counts = DeliveryCounts { total: 2, success: 2, ..DeliveryCounts::default() };
        for status in [200, 400] {
            let fake = FakeAws::new(move |_| (status, "{}".to_owned()));
            let counters = Counters::new(clients(fake.edge()).dynamodb(), "state".to_owned());
            let endpoint = EndpointName::parse("shop").unwrap();
            counters.add_deliveries(&endpoint, &counts, at("2026-01-20T10:59:59Z")).await;
            let requests = fake.requests();
            assert_eq!(requests.len(), 1);
            let sent: Value = serde_json::from_slice(requests[0].body().bytes().unwrap()).unwrap();
            assert_eq!(sent["Key"]["sk"]["S"], "2026-01-20T10/endpoint/shop");
            let names = sent["ExpressionAttributeNames"].as_object().unwrap().values();
            let names: BTreeSet<&str> = names.map(|name| name.as_str().unwrap()).collect();
            assert_eq!(names, BTreeSet::from(["ttl", "total", "success"]));
            assert!(sent["UpdateExpression"].as_str().unwrap().contains("ADD "), "{sent}");
        }
    }
}

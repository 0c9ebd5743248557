//! The actions of operators, in the state table, retained 365 days.
//!
//! | partition | sort key | row |
//! |---|---|---|
//! | `audit:{month}` | `{at}/{hash of user, action and target}` | `json` |

use aws_sdk_dynamodb::Client;
use domain::auth::Accounts;
use domain::core::hash::Fingerprint;
use domain::core::timestamp::Timestamp;
use domain::pagination::PageRequest;
use serde::{Deserialize, Serialize};

use crate::error::IoError;
use crate::tables::attr::{json, read_json, text, ttl};
use crate::tables::expression::attr;
use crate::tables::keys::key;
use crate::tables::read::{Rows, first_page, limit, query};
use crate::tables::write::Write;

const RETENTION_DAYS: u64 = 365;
/// The months of a year, and the one that it began in.
const MONTHS: usize = 13;

#[derive(Debug, Clone)]
pub struct AuditLog {
    client: Client,
    table: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AuditAction {
    #[serde(rename = "delivery.replay")]
    ReplayDelivery,
    #[serde(rename = "deliveries.redrive")]
    RedriveDeliveries,
    #[serde(rename = "events.redrive")]
    RedriveEvents,
    #[serde(rename = "job.stop")]
    StopJob,
    #[serde(rename = "endpoint.enable")]
    EnableEndpoint,
    #[serde(rename = "endpoint.pause")]
    PauseEndpoint,
    #[serde(rename = "endpoint.rotate")]
    RotateSecret,
    #[serde(rename = "event.body")]
    RevealEvent,
    #[serde(rename = "event.retry")]
    RetryEvent,
    #[serde(rename = "orders.trigger")]
    TriggerOrders,
    #[serde(rename = "order.erase")]
    EraseOrder,
    #[serde(rename = "order.erase_customer")]
    EraseCustomer,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    pub at: Timestamp,
    /// The user.
    pub by: String,
    pub action: AuditAction,
    /// The object of the action: an id or a name.
    pub target: String,
    /// The request, as JSON, if the target does not tell.
    #[serde(default)]
    pub details: Option<serde_json::Value>,
    /// The accounts that it was about.
    pub accounts: Accounts,
}

impl AuditLog {
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Call it before the action takes effect: no action goes unrecorded. The same entry twice is
    /// one.
    pub async fn record(&self, entry: &AuditEntry) -> Result<(), IoError> {
        let AuditEntry { at, by, action, target, .. } = entry;
        let action = serde_json::to_string(action).unwrap_or_default();
        let hash = Fingerprint::of("audit").with(by).with(action).with(target).finish();
        let mut row = key(partition(*at), format!("{at}/{hash}"));
        row.insert("json".to_owned(), json(entry)?);
        row.insert("ttl".to_owned(), ttl(*at, RETENTION_DAYS));
        Write::put(&self.table, row).send(&self.client).await.map(drop)
    }

    /// A page of the entries about all accounts, newest first.
    pub async fn list(
        &self,
        page: &PageRequest,
        now: Timestamp,
    ) -> Result<Rows<AuditEntry>, IoError> {
        let mut found = Vec::with_capacity(page.limit);
        for partition in partitions(page.after.as_deref(), now) {
            let mut rows = attr("pk").equals(text(partition));
            if let Some(after) = &page.after {
                rows = rows.and(attr("sk").below(text(after)));
            }
            let query = query(&self.client, &self.table, rows).scan_index_forward(false);
            found.extend(first_page(query.limit(limit(page.limit - found.len()))).await?.rows);
            if found.len() == page.limit {
                break;
            }
        }
        Ok(Rows::of(&found, page.limit, |row| read_json(row, "json")))
    }
}

/// Newest first, from the month of the last entry of the page before.
fn partitions(after: Option<&str>, now: Timestamp) -> impl Iterator<Item = String> {
    let after = after.map(|sort_key| month(sort_key).to_owned());
    let newest = now.to_string();
    std::iter::successors(Some(month(&newest).to_owned()), |month| month_before(month))
        .take(MONTHS)
        .filter(move |month| after.as_ref().is_none_or(|after| month <= after))
        .map(|month| format!("audit:{month}"))
}

fn partition(at: Timestamp) -> String {
    format!("audit:{}", month(&at.to_string()))
}

/// E.g. `2026-01`.
fn month(time: &str) -> &str {
    time.get(..7).unwrap_or_default()
}

fn month_before(text: &str) -> Option<String> {
    let first = Timestamp::parse(&format!("{text}-01T00:00:00Z")).ok()?;
    let before = first.before(std::time::Duration::from_secs(1)).to_string();
    Some(month(&before).to_owned())
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_year_back_from_the_page_before() {
        let now = Timestamp::parse("2026-02-10T00:00:00Z").unwrap();
        let all: Vec<_> = partitions(None, now).collect();
        assert_eq!(all[..3], ["audit:2026-02", "audit:2026-01", "audit:2025-12"]);
        assert_eq!((all.len(), all[12].as_str()), (13, "audit:2025-02"));
        let rest: Vec<_> = partitions(Some("2025-03-31T23:59:59.999Z/x"), now).collect();
        assert_eq!(rest, ["audit:2025-03", "audit:2025-02"]);
    }
}

//! Denied webhooks: a row for each hour, source, hook and account, retained 30 days. Hooks of one
//! account whose ids begin alike share a row.
//!
//! | partition | sort key | row |
//! |---|---|---|
//! | `denied` | `{hour}/{source}/{hook}/{account}` | how many, and the last few as JSON |

use std::net::IpAddr;

use domain::core::id::AccountCode;
use domain::core::timestamp::Timestamp;
use domain::pagination::{PageRequest, Slice};
use serde::{Deserialize, Serialize};

use super::InboundLog;
use crate::error::IoError;
use crate::tables::attr::{
    Item, json, number, read_as, read_json, read_number, read_optional, read_text, text, ttl,
};
use crate::tables::expression::attr;
use crate::tables::keys::key;
use crate::tables::read::{first_page, limit, query};
use crate::tables::update::Changes;
use crate::tables::write::Write;

const PARTITION: &str = "denied";
const RETENTION_DAYS: u64 = 30;
const HOUR_MILLIS: i64 = 60 * 60 * 1000;

/// One webhook that was denied. Has no credential, nor anything else of the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denial {
    pub at: Timestamp,
    pub address: Option<IpAddr>,
    pub reason: String,
}

/// Where a webhook was denied.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeniedPath {
    pub source: String,
    /// The beginning of a hook's id, `unknown` if there is no such hook; `None` for the plain path.
    pub hook: Option<String>,
    /// The account of the path, if it has one.
    pub account: Option<AccountCode>,
}

/// The denials of a path in an hour.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct DeniedHour {
    pub hour: Timestamp,
    pub source: String,
    pub hook: Option<String>,
    pub account_code: Option<AccountCode>,
    pub count: u64,
    /// The last few that one worker saw, the oldest first.
    pub last: Vec<Denial>,
    /// The cursor of the page after this row.
    #[serde(skip)]
    pub sort_key: String,
}

impl InboundLog {
    /// Adds to the count of a path in this hour, and replaces its last denials.
    pub async fn add_denials(
        &self,
        path: &DeniedPath,
        count: u64,
        last: &[Denial],
        now: Timestamp,
    ) -> Result<(), IoError> {
        let hour = Timestamp::from_millis(now.millis().div_euclid(HOUR_MILLIS) * HOUR_MILLIS);
        let hour = hour.unwrap_or(now);
        let hook = path.hook.as_deref().unwrap_or_default();
        let changes = Changes::new()
            .add("count", number(count))
            .set("last", json(&last)?)
            .set("hour", text(hour.to_string()))
            .set("source", text(path.source.as_str()))
            .set_or_remove("hook", path.hook.clone().map(text))
            .set_or_remove("account", path.account.as_ref().map(|account| text(account.as_str())))
            .set("ttl", ttl(now, RETENTION_DAYS));
        let account = path.account.as_ref().map_or("", AccountCode::as_str);
        let row = key(PARTITION, format!("{hour}/{}/{hook}/{account}", path.source));
        Write::update(&self.table, row, changes).send(&self.client).await.map(drop)
    }

    /// A page of the hours with denials, of all accounts, newest first.
    pub async fn denied(&self, page: &PageRequest) -> Result<Slice<DeniedHour>, IoError> {
        let mut rows = attr("pk").equals(text(PARTITION));
        if let Some(after) = &page.after {
            rows = rows.and(attr("sk").below(text(after)));
        }
        let query = query(&self.client, &self.table, rows);
        let found = first_page(query.scan_index_forward(false).limit(limit(page.limit))).await?;
        let items = found.rows.iter().map(read_hour).collect::<Result<_, _>>()?;
        Ok(Slice { items, has_more: found.next.is_some() })
    }
}

fn read_hour(row: &Item) -> Result<DeniedHour, IoError> {
    Ok(DeniedHour {
        hour: read_as(row, "hour", Timestamp::parse)?,
        source: read_text(row, "source")?.to_owned(),
        hook: read_text(row, "hook").ok().map(str::to_owned),
        account_code: read_optional(row, "account", AccountCode::parse)?,
        count: read_number(row, "count").unwrap_or_default(),
        last: read_json(row, "last")?,
        sort_key: read_text(row, "sk")?.to_owned(),
    })
}

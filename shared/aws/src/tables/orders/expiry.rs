//! Orders that have ended, by the time at which they expire; only if the installation has a
//! retention.
//!
//! | partition | sort key | attributes |
//! |---|---|---|
//! | `ends:{shard}` | `{expires_at}/{length of account}:{account}:{order id}` | `account`, `order_id`, `version` (of the order's end), `created_at` (of the order), `ended_at` |
//!
//! The transaction that ends the order writes the row. An order that is reopened, or ends again, has
//! another version, and a later order of the same id another time of creation: the row is then
//! without effect. Rows of earlier releases have no times.

use std::time::Duration;

use domain::core::hash::Fingerprint;
use domain::core::id::{AccountCode, OrderId, OrderKey};
use domain::core::timestamp::Timestamp;
use domain::orders::order::Order;

use super::{Orders, partition};
use crate::env::{BadEnvironment, Environment};
use crate::error::IoError;
use crate::tables::attr::{Item, number, read_as, read_number, read_optional, text};
use crate::tables::expression::attr;
use crate::tables::keys::{key, tenant};
use crate::tables::read::{first_page, limit};
use crate::tables::write::Write;

const SHARDS: u64 = 4;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const VARIABLE: &str = "ORDER_RETENTION_DAYS";

/// An order whose retention is over, unless the order or the retention changed since.
#[derive(Debug, Clone)]
pub struct Expiring {
    pub order: OrderKey,
    version: u64,
    created_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    row: Item,
}

impl Expiring {
    /// True if the row is about this end of this order.
    pub fn is_about(&self, order: &Order) -> bool {
        let state = &order.state;
        state.version == self.version
            && state.tracking.status.is_final()
            && self.created_at.is_none_or(|at| at == state.created_at)
    }
}

impl Orders {
    /// The shards of the orders that expire.
    pub const EXPIRY_SHARDS: std::ops::Range<u64> = 0..SHARDS;

    /// The template's setting: the days from the end of an order until it is erased; 0 for never.
    #[must_use = "the table without it keeps orders"]
    pub fn with_retention(self, environment: &Environment) -> Result<Self, BadEnvironment> {
        let days: u32 =
            environment.variable(VARIABLE)?.parse().map_err(|_| BadEnvironment(VARIABLE))?;
        Ok(self.kept_for(days))
    }

    #[must_use]
    pub fn kept_for(self, days: u32) -> Self {
        Self { retention: (days > 0).then(|| DAY * days), ..self }
    }

    /// The write that lets an order expire whose last change ended it.
    pub(super) fn expiry_write(&self, after: &Order) -> Option<Write> {
        let is_final = after.state.tracking.status.is_final();
        self.expiry_of_end(after, after.state.updated_at).filter(|_| is_final)
    }

    fn expiry_of_end(&self, order: &Order, ended_at: Timestamp) -> Option<Write> {
        let expires_at = ended_at.after(self.retention?);
        let OrderKey { account, order: id } = &order.key;
        let shard = Fingerprint::of("ends").with(account).with(id).number() % SHARDS;
        let mut row = key(shard_pk(shard), format!("{expires_at}/{}:{id}", tenant(account)));
        row.extend([
            ("account".to_owned(), text(account.as_str())),
            ("order_id".to_owned(), text(id.as_str())),
            ("version".to_owned(), number(order.state.version)),
            ("created_at".to_owned(), text(order.state.created_at.to_string())),
            ("ended_at".to_owned(), text(ended_at.to_string())),
        ]);
        Some(Write::put(&self.table, row))
    }

    /// True if the retention of today is over too. Otherwise the order expires later, or never.
    pub async fn is_over(
        &self,
        expiring: &Expiring,
        order: &Order,
        now: Timestamp,
    ) -> Result<bool, IoError> {
        let Some(retention) = self.retention else { return Ok(false) };
        let ended_at = expiring.ended_at.unwrap_or(order.state.updated_at);
        if ended_at.after(retention) <= now {
            return Ok(true);
        }
        if let Some(later) = self.expiry_of_end(order, ended_at) {
            let _ = later.send(&self.client).await?;
        }
        Ok(false)
    }

    /// Orders of a shard that expire by `until`, the earliest first. Unreadable rows are errors of
    /// their own.
    pub async fn expiring(
        &self,
        shard: u64,
        until: Timestamp,
        count: usize,
    ) -> Result<Vec<Result<Expiring, IoError>>, IoError> {
        let expired = partition(shard_pk(shard)).and(attr("sk").at_most(text(until.to_string())));
        let page = first_page(self.query(expired).limit(limit(count))).await?;
        Ok(page.rows.into_iter().map(read).collect())
    }

    pub async fn forget_expiry(&self, expiring: &Expiring) -> Result<(), IoError> {
        let row = &expiring.row;
        let key = ["pk", "sk"].map(|name| (name.to_owned(), row[name].clone())).into();
        Write::delete(&self.table, key).send(&self.client).await.map(drop)
    }
}

fn shard_pk(shard: u64) -> String {
    format!("ends:{shard}")
}

fn read(row: Item) -> Result<Expiring, IoError> {
    let order = OrderKey {
        account: read_as(&row, "account", AccountCode::parse)?,
        order: read_as(&row, "order_id", OrderId::parse)?,
    };
    let version = read_number(&row, "version");
    let version = version.ok_or_else(|| IoError::unreadable("dynamodb", "version"))?;
    let created_at = read_optional(&row, "created_at", Timestamp::parse)?;
    let ended_at = read_optional(&row, "ended_at", Timestamp::parse)?;
    Ok(Expiring { order, version, created_at, ended_at, row })
}

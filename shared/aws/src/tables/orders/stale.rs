//! Stale orders: no longer polled, because the carrier does not know their parcels.
//!
//! | partition | sort key | row |
//! |---|---|---|
//! | `stale:{length of account}:{account}` | `{order id}/{AWB}` | a [`StaleOrder`] as JSON |

use domain::core::id::{AccountCode, Awb, OrderId, OrderKey};
use domain::core::timestamp::Timestamp;
use domain::pagination::PageRequest;
use serde::{Deserialize, Serialize};

use super::{Orders, partition};
use crate::error::IoError;
use crate::tables::attr::{Item, json, read_json, text};
use crate::tables::expression::attr;
use crate::tables::keys::{key, tenant};
use crate::tables::read::{Rows, first_page, limit};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaleOrder {
    pub order_id: OrderId,
    pub account_code: AccountCode,
    pub awb: Awb,
    /// When a poll first did not find the parcel.
    pub unknown_since: Timestamp,
    /// When polling ended.
    pub stale_since: Timestamp,
}

impl Orders {
    /// A page of an account's stale orders, by order id.
    pub async fn stale(
        &self,
        account: &AccountCode,
        page: &PageRequest,
    ) -> Result<Rows<StaleOrder>, IoError> {
        let mut orders = partition(stale_pk(account));
        if let Some(after) = &page.after {
            orders = orders.and(attr("sk").above(text(after)));
        }
        let found = first_page(self.query(orders).limit(limit(page.limit))).await?;
        Ok(Rows::of(&found.rows, page.limit, |row| read_json(row, "json")))
    }
}

fn stale_pk(account: &AccountCode) -> String {
    format!("stale:{}", tenant(account))
}

pub(super) fn stale_key(order: &OrderKey, awb: &Awb) -> Item {
    key(stale_pk(&order.account), sort_key(&order.order, awb))
}

fn sort_key(order: &OrderId, awb: &Awb) -> String {
    format!("{order}/{}", awb.canonical())
}

pub(super) fn stale_row(
    order: &OrderKey,
    awb: &Awb,
    unknown_since: Timestamp,
    stale_since: Timestamp,
) -> Result<Item, IoError> {
    let content = StaleOrder {
        order_id: order.order.clone(),
        account_code: order.account.clone(),
        awb: awb.clone(),
        unknown_since,
        stale_since,
    };
    let mut row = stale_key(order, awb);
    row.insert("json".to_owned(), json(&content)?);
    Ok(row)
}

//! An account's orders, newest first, from the index `listed`. An order enters it at creation and
//! never moves.

use aws_sdk_dynamodb::types::KeysAndAttributes;
use domain::core::id::{AccountCode, OrderId, OrderKey};
use domain::orders::order::Order;
use domain::pagination::PageRequest;

use super::{OrderRows, Orders, read_order};
use crate::error::IoError;
use crate::tables::attr::{Item, read_text, text};
use crate::tables::batch_get::{MAX_KEYS, batch_get};
use crate::tables::expression::attr;
use crate::tables::keys::{key, order_pk};
use crate::tables::read::{first_page, limit, query};

/// Orders a call: each has two rows.
const BATCH: usize = MAX_KEYS / 2;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub order_id: OrderId,
    /// The cursor of the page after this order.
    pub sort_key: String,
}

impl Orders {
    /// A page of an account's orders, newest first.
    pub async fn list(
        &self,
        account: &AccountCode,
        page: &PageRequest,
    ) -> Result<Vec<Listed>, IoError> {
        let mut orders = attr("listed_in").equals(text(account.as_str()));
        if let Some(after) = &page.after {
            orders = orders.and(attr("listed_at").below(text(after)));
        }
        let query = query(&self.client, &self.table, orders)
            .index_name("listed")
            .scan_index_forward(false)
            .limit(limit(page.limit));
        first_page(query).await?.rows.iter().map(|row| read_listed(row, "listed_at")).collect()
    }

    /// Loads orders of an account, in this order. Those that no longer exist are left out.
    pub async fn load_all(
        &self,
        account: &AccountCode,
        orders: &[Listed],
    ) -> Result<Vec<Order>, IoError> {
        let mut loaded = Vec::with_capacity(orders.len());
        for chunk in orders.chunks(BATCH) {
            let keys = chunk.iter().map(|listed| OrderKey {
                account: account.clone(),
                order: listed.order_id.clone(),
            });
            let keys: Vec<OrderKey> = keys.collect();
            let rows = self.load_batch(&keys).await?;
            for key in &keys {
                let pk = order_pk(key);
                let own: Vec<Item> =
                    rows.iter().filter(|row| read_text(row, "pk") == Ok(&pk)).cloned().collect();
                loaded.extend(match read_order(key, &own)? {
                    OrderRows::Complete(order) => Some(*order),
                    OrderRows::Absent => None,
                    OrderRows::Mixed => self.load(key).await?,
                });
            }
        }
        Ok(loaded)
    }

    async fn load_batch(&self, orders: &[OrderKey]) -> Result<Vec<Item>, IoError> {
        let keys =
            orders.iter().map(order_pk).flat_map(|pk| [key(&pk, "state"), key(pk, "profile")]);
        let keys = KeysAndAttributes::builder().set_keys(Some(keys.collect()));
        batch_get(&self.client, &self.table, keys).await
    }
}

/// `{created_at}/{order id}`. No id contains a `/`.
pub fn sort_key_of(order: &Order) -> String {
    format!("{}/{}", order.state.created_at, order.key.order)
}

pub(super) fn read_listed(row: &Item, attribute: &'static str) -> Result<Listed, IoError> {
    let sort_key = read_text(row, attribute)?;
    let unreadable = || IoError::unreadable("dynamodb", attribute);
    let (_, order) = sort_key.split_once('/').ok_or_else(unreadable)?;
    let order_id = OrderId::parse(order).map_err(|_| unreadable())?;
    Ok(Listed { order_id, sort_key: sort_key.to_owned() })
}

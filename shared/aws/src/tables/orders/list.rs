//! An account's orders, newest first, by the index `listed`. An order enters it once, at creation.

use aws_sdk_dynamodb::types::KeysAndAttributes;
use domain::core::id::{AccountCode, OrderId, OrderKey};
use domain::orders::order::Order;
use domain::pagination::PageRequest;

use super::{Orders, Read, read_order};
use crate::error::IoError;
use crate::tables::attr::{Item, read_text, text};
use crate::tables::batch_get::{MAX_KEYS, batch_get};
use crate::tables::keys::order_pk;

/// An order has two rows.
const BATCH: usize = MAX_KEYS / 2;

/// An order's place in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The order.
    pub order_id: OrderId,
    /// Its sort key, from which a next page begins.
    pub sort_key: String,
}

impl Orders {
    /// The places after `page.after`, newest first, at most `page.limit`.
    ///
    /// # Errors
    /// The index cannot be read.
    pub async fn list(
        &self,
        account: &AccountCode,
        page: &PageRequest,
    ) -> Result<Vec<Listed>, IoError> {
        let mut query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("listed")
            .scan_index_forward(false)
            .limit(i32::try_from(page.limit).unwrap_or(i32::MAX))
            .key_condition_expression("listed_in = :account")
            .expression_attribute_values(":account", text(account.as_str()));
        if let Some(after) = &page.after {
            query = query
                .key_condition_expression("listed_in = :account AND listed_at < :after")
                .expression_attribute_values(":after", text(after.as_str()));
        }
        let answer = query.send().await.map_err(|error| IoError::of("dynamodb:Query", &error))?;
        answer.items().iter().map(read_listed).collect()
    }

    /// Reads several orders of an account at once, in the order asked for. What is not there is left out.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn load_all(
        &self,
        account: &AccountCode,
        orders: &[Listed],
    ) -> Result<Vec<Order>, IoError> {
        let mut loaded = Vec::with_capacity(orders.len());
        for some in orders.chunks(BATCH) {
            let keys = some.iter().map(|listed| OrderKey {
                account: account.clone(),
                order: listed.order_id.clone(),
            });
            let keys: Vec<OrderKey> = keys.collect();
            let rows = self.batch(&keys).await?;
            for key in &keys {
                let pk = order_pk(key);
                let own: Vec<Item> =
                    rows.iter().filter(|row| read_text(row, "pk") == Ok(&pk)).cloned().collect();
                loaded.extend(match read_order(key, &own)? {
                    Read::Whole(order) => Some(*order),
                    Read::Nothing => None,
                    Read::Torn => self.load(key).await?,
                });
            }
        }
        Ok(loaded)
    }

    async fn batch(&self, keys: &[OrderKey]) -> Result<Vec<Item>, IoError> {
        let row = |key: &OrderKey, sk: &str| {
            Item::from([("pk".to_owned(), text(order_pk(key))), ("sk".to_owned(), text(sk))])
        };
        let rows = keys.iter().flat_map(|key| [row(key, "state"), row(key, "profile")]);
        batch_get(
            &self.client,
            &self.table,
            KeysAndAttributes::builder().set_keys(Some(rows.collect())),
        )
        .await
    }
}

/// An order's place in the list: `{created_at}/{order id}`; no id has a `/`.
pub fn sort_key_of(order: &Order) -> String {
    format!("{}/{}", order.state.created_at, order.key.order)
}

fn read_listed(item: &Item) -> Result<Listed, IoError> {
    let sort_key = read_text(item, "listed_at")?;
    let unreadable = || IoError::unreadable("dynamodb", "listed_at");
    let (_, order) = sort_key.split_once('/').ok_or_else(unreadable)?;
    let order_id = OrderId::parse(order).map_err(|_| unreadable())?;
    Ok(Listed { order_id, sort_key: sort_key.to_owned() })
}

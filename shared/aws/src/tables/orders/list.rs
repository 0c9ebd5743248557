//! An account's orders, newest first, from the indexes `listed` and `by_status`.
//!
//! An order enters `listed` at creation and never moves. In `by_status` it moves when its
//! [`Status::search_key`] changes, which the usual changes of a parcel on its way do not, and leaves
//! it when it has none.

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use domain::core::id::{AccountCode, OrderId, OrderKey};
use domain::orders::order::Order;
use domain::pagination::PageRequest;
use domain::tracking::status::Status;

use super::{OrderRows, Orders, read_order};
use crate::error::IoError;
use crate::tables::attr::{Item, read_text, text};
use crate::tables::batch_get::{MAX_KEYS, batch_get};
use crate::tables::expression::{Condition, attr};
use crate::tables::keys::{key, order_pk, tenant};
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
        self.list_in("listed", attr("listed_in").equals(text(account.as_str())), page).await
    }

    /// A page of an account's orders, newest first, with all that have this status; others may be
    /// among them. The index lags behind the orders by less than a second, as a rule.
    pub async fn list_by_status(
        &self,
        account: &AccountCode,
        status: Status,
        page: &PageRequest,
    ) -> Result<Vec<Listed>, IoError> {
        match found_in(account, status) {
            Some(found_in) => {
                self.list_in("by_status", attr("found_in").equals(found_in), page).await
            }
            None => self.list(account, page).await,
        }
    }

    async fn list_in(
        &self,
        index: &str,
        mut orders: Condition,
        page: &PageRequest,
    ) -> Result<Vec<Listed>, IoError> {
        if let Some(after) = &page.after {
            orders = orders.and(attr("listed_at").below(text(after)));
        }
        let query = query(&self.client, &self.table, orders)
            .index_name(index)
            .scan_index_forward(false)
            .limit(limit(page.limit));
        first_page(query).await?.rows.iter().map(|row| read_listed(row, "listed_at")).collect()
    }

    /// Loads orders of an account, in this order. Those that no longer exist are left out, and those
    /// that cannot be read, which are logged.
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
                loaded.extend(match read_order(key, &own) {
                    Ok(OrderRows::Complete(order)) => Some(*order),
                    Ok(OrderRows::Absent) => None,
                    Ok(OrderRows::Mixed) => self.load(key).await?,
                    Err(error) => {
                        tracing::error!(order_id = %key.order, %error, "row.unreadable");
                        None
                    }
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

/// The partition of an order in the index `by_status`.
pub(super) fn found_in(account: &AccountCode, status: Status) -> Option<AttributeValue> {
    Some(text(format!("{}:{}", tenant(account), status.search_key()?)))
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

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::client::fake::{FakeAws, clients};

    #[tokio::test]
    async fn a_page_by_status_is_one_query_of_the_index() {
        let fake = FakeAws::sequence(&[(
            200,
            r#"{"Items":[{"listed_at":{"S":"2026-01-20T10:00:00.000Z/A"}}]}"#,
        )]);
        let orders = Orders::new(clients(fake.edge()).dynamodb(), "orders".to_owned());
        let account = AccountCode::parse("STORE001").unwrap();
        let page = PageRequest { limit: 20, after: Some("2026-01-21".to_owned()) };
        let listed = orders.list_by_status(&account, Status::InTransit, &page).await.unwrap();
        assert_eq!(listed[0].order_id.as_str(), "A");
        let requests = fake.requests();
        assert_eq!(requests.len(), 1);
        let body: Value = serde_json::from_slice(requests[0].body().bytes().unwrap()).unwrap();
        assert_eq!((&body["IndexName"], &body["Limit"]), (&json!("by_status"), &json!(20)));
        assert_eq!(body["ScanIndexForward"], false);
        let values = body["ExpressionAttributeValues"].to_string();
        assert!(values.contains("8:STORE001:moving") && values.contains("2026-01-21"), "{values}");
    }

    /// The index is written when this value changes.
    #[test]
    fn ordinary_changes_keep_an_order_in_its_place() {
        let account = AccountCode::parse("STORE001").unwrap();
        let found_in = |status| found_in(&account, status);
        assert_eq!(found_in(Status::Pending), found_in(Status::Processing));
        assert_eq!(found_in(Status::PickedUp), found_in(Status::OutForDelivery));
        assert_ne!(found_in(Status::OutForDelivery), found_in(Status::Undelivered));
        assert_eq!(found_in(Status::Delivered), None);
    }
}

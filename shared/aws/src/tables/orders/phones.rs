//! Orders by the phone number of their customer.
//!
//! | partition | sort key |
//! |---|---|
//! | `phone:{length of account}:{account}:{last ten digits}` | `{created_at}/{order id}` |
//!
//! The rows are written in the transaction that creates or patches the order.

use domain::core::id::AccountCode;
use domain::orders::order::Order;
use domain::orders::phone::PhoneKey;
use domain::pagination::PageRequest;

use super::list::{Listed, read_listed, sort_key_of};
use super::{Orders, partition};
use crate::error::IoError;
use crate::tables::attr::text;
use crate::tables::expression::attr;
use crate::tables::keys::{key, tenant};
use crate::tables::read::{first_page, limit};
use crate::tables::write::Write;

impl Orders {
    /// A page of an account's orders for a phone number, newest first.
    pub async fn list_by_phone(
        &self,
        account: &AccountCode,
        phone: &PhoneKey,
        page: &PageRequest,
    ) -> Result<Vec<Listed>, IoError> {
        let mut orders = partition(phone_pk(account, phone));
        if let Some(after) = &page.after {
            orders = orders.and(attr("sk").below(text(after)));
        }
        let query = self.query(orders).scan_index_forward(false).limit(limit(page.limit));
        first_page(query).await?.rows.iter().map(|row| read_listed(row, "sk")).collect()
    }

    /// The writes that keep the phone row of a created or patched order in step with it.
    pub(super) fn phone_writes(&self, before: Option<&Order>, after: &Order) -> Vec<Write> {
        let (old, new) = (before.and_then(phone_of), phone_of(after));
        if old == new {
            return Vec::new();
        }
        let row = |phone: PhoneKey| key(phone_pk(&after.key.account, &phone), sort_key_of(after));
        let removed = old.map(|phone| Write::delete(&self.table, row(phone)));
        let added = new.map(|phone| Write::put(&self.table, row(phone)));
        removed.into_iter().chain(added).collect()
    }
}

fn phone_of(order: &Order) -> Option<PhoneKey> {
    PhoneKey::parse(order.profile.customer.phone.as_deref()?)
}

fn phone_pk(account: &AccountCode, phone: &PhoneKey) -> String {
    format!("phone:{}:{}", tenant(account), phone.as_str())
}

//! Primary keys. A key that contains an account is prefixed with the account's length, so that keys
//! of different tenants never collide, whatever characters their ids have.

use domain::core::id::{AccountCode, OrderKey};
use domain::tracking::report::Ref;

use super::attr::{Item, item, text};

pub(crate) fn key(pk: impl Into<String>, sk: impl Into<String>) -> Item {
    item([("pk", text(pk)), ("sk", text(sk))])
}

/// `{length of account}:{account}`: the tenant's part of a key.
pub(crate) fn tenant(account: &AccountCode) -> String {
    format!("{}:{account}", account.as_str().len())
}

pub(crate) fn order_pk(key: &OrderKey) -> String {
    format!("order:{}:{}", tenant(&key.account), key.order)
}

/// The partition of a reference by which sources name an order.
pub(crate) fn ref_pk(account: &AccountCode, name: &Ref) -> String {
    let prefix = format!("ref:{}", tenant(account));
    match name {
        Ref::Awb(awb) => format!("{prefix}:awb:{awb}"),
        Ref::Provider { source, id } => format!("{prefix}:provider:{}:{id}", source.as_str()),
        Ref::Order(order) => format!("{prefix}:order:{order}"),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use domain::core::id::OrderId;

    use super::*;

    fn pk(account: &str, order: &str) -> String {
        let account = AccountCode::parse(account).unwrap();
        order_pk(&OrderKey { account, order: OrderId::parse(order).unwrap() })
    }

    #[test]
    fn keys_of_different_tenants_differ() {
        assert_ne!(pk("A", "B:C"), pk("A:B", "C"));
        assert_ne!(pk("1:A", "B"), pk("A", "B"));
    }
}

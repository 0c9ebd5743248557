//! Partition keys. Each key with an account in it is prefixed with the account's length, so that no
//! tenant's id reads as another's.

use domain::core::id::{AccountCode, OrderKey};
use domain::tracking::report::Ref;

/// An order's partition. The account's length stands before it: no id, whatever it contains, reads as another's.
pub(crate) fn order_pk(key: &OrderKey) -> String {
    format!("order:{}:{}:{}", key.account.as_str().len(), key.account, key.order)
}

/// The partition of a name that sources know an order by.
pub(crate) fn ref_pk(account: &AccountCode, name: &Ref) -> String {
    let prefix = format!("ref:{}:{account}", account.as_str().len());
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

    fn key(account: &str, order: &str) -> String {
        let account = AccountCode::parse(account).unwrap();
        order_pk(&OrderKey { account, order: OrderId::parse(order).unwrap() })
    }

    #[test]
    fn no_id_reads_as_another() {
        assert_ne!(key("A", "B:C"), key("A:B", "C"));
        assert_ne!(key("1:A", "B"), key("A", "B"));
    }
}

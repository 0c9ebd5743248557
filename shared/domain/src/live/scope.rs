//! The scope of a socket: an account, or one of its orders.

use serde::{Deserialize, Serialize};

use crate::core::id::{AccountCode, OrderId, OrderKey};

/// An account, or one order of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Scope {
    pub account: AccountCode,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
}

impl Scope {
    pub fn account(account: &AccountCode) -> Self {
        Self { account: account.clone(), order: None }
    }

    pub fn order(&self) -> Option<OrderKey> {
        let order = self.order.clone()?;
        Some(OrderKey { account: self.account.clone(), order })
    }
}

impl From<&OrderKey> for Scope {
    fn from(OrderKey { account, order }: &OrderKey) -> Self {
        Self { account: account.clone(), order: Some(order.clone()) }
    }
}

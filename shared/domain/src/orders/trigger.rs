//! The request to send current order statuses again.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::core::id::{AccountCode, OrderId};
use crate::core::request_body::{InvalidBody, read_object};

pub const MAX_ORDERS: usize = 100;

/// The body of `POST /api/orders/trigger-webhook`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// 1 to [`MAX_ORDERS`], without duplicates.
    #[serde(alias = "orderIds")]
    pub order_ids: Vec<OrderId>,
    #[serde(alias = "accountCode")]
    pub account_code: Option<AccountCode>,
}

impl Trigger {
    pub fn read(body: &[u8]) -> Result<Self, InvalidBody> {
        let trigger: Self = read_object(body)?;
        let ids = &trigger.order_ids;
        if !(1..=MAX_ORDERS).contains(&ids.len()) {
            return Err(InvalidBody::field("order_ids", "must have 1 to 100 ids"));
        }
        if ids.iter().collect::<BTreeSet<_>>().len() < ids.len() {
            return Err(InvalidBody::field("order_ids", "must not contain duplicates"));
        }
        Ok(trigger)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ids(count: usize) -> Vec<String> {
        (0..count).map(|number| format!("ORD-{number}")).collect()
    }

    #[test]
    fn reads_one_to_100_order_ids_in_both_spellings() {
        for count in [1, 100] {
            let read =
                Trigger::read(json!({"order_ids": ids(count)}).to_string().as_bytes()).unwrap();
            assert_eq!((read.order_ids.len(), read.account_code), (count, None));
        }
        let read = Trigger::read(br#"{"orderIds":["A"],"accountCode":"STORE001"}"#).unwrap();
        assert_eq!(read.account_code, AccountCode::parse("STORE001").ok());
    }

    #[test]
    fn errors_name_the_invalid_field_of_a_trigger() {
        for (body, field) in [
            (json!({}), "order_ids"),
            (json!({"order_ids": null}), "order_ids"),
            (json!({"order_ids": "A"}), "order_ids"),
            (json!({"order_ids": []}), "order_ids"),
            (json!({"order_ids": ids(101)}), "order_ids"),
            (json!({"order_ids": ["A", "B", "A"]}), "order_ids"),
            (json!({"order_ids": ["e\u{301}", "\u{e9}"]}), "order_ids"),
            (json!({"order_ids": ["A", 7]}), "order_ids[1]"),
            (json!({"order_ids": ["a/b"]}), "order_ids[0]"),
            (json!({"order_ids": ["A"], "account_code": ""}), "account_code"),
            (json!({"order_ids": ["A"], "acount_code": "STORE001"}), "acount_code"),
        ] {
            let error = Trigger::read(body.to_string().as_bytes()).unwrap_err();
            assert!(
                matches!(&error, InvalidBody::Invalid { field: at, .. } if at == field),
                "{body}: {error:?}"
            );
        }
        assert!(matches!(Trigger::read(b"[]"), Err(InvalidBody::Malformed(_))));
    }
}

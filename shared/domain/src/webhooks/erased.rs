//! Removes an order from the frozen body of a delivery.

use serde::{Deserialize, Serialize};

use crate::core::id::OrderId;
use crate::core::raw_json::RawJson;

/// A frozen body without one of its orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rest {
    /// It does not have the order.
    Unchanged,
    /// The other orders, byte for byte.
    Others(Vec<u8>),
    /// It has no other order.
    Nothing,
}

#[derive(Serialize, Deserialize)]
struct Batch {
    timestamp: RawJson,
    event: RawJson,
    orders: Vec<RawJson>,
}

#[derive(Deserialize)]
struct Row {
    order_id: OrderId,
}

/// A body that is no `status_update` is about one order.
pub fn without_order(body: &[u8], order: &OrderId) -> Rest {
    let Ok(batch) = serde_json::from_slice::<Batch>(body) else { return Rest::Nothing };
    let is_of_order = |row: &RawJson| {
        serde_json::from_str::<Row>(row.as_str()).is_ok_and(|row| row.order_id == *order)
    };
    let before = batch.orders.len();
    let orders: Vec<RawJson> = batch.orders.into_iter().filter(|row| !is_of_order(row)).collect();
    if orders.len() == before {
        return Rest::Unchanged;
    }
    if orders.is_empty() {
        return Rest::Nothing;
    }
    // Texts of JSON: serialization cannot fail.
    Rest::Others(serde_json::to_vec(&Batch { orders, ..batch }).unwrap_or_default())
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn without(body: &str, order: &str) -> Rest {
        without_order(body.as_bytes(), &OrderId::parse(order).unwrap())
    }

    #[test]
    fn the_other_orders_keep_their_bytes() {
        let row = |order: &str| format!(r#"{{"order_id":"{order}","fare":3.00,"x":"\u00e4"}}"#);
        let body = |rows: &[String]| {
            let rows = rows.join(",");
            format!(r#"{{"timestamp":"t","event":"status_update","orders":[{rows}]}}"#)
        };
        let (one, other) = (row("A"), row("B"));
        let both = body(&[one.clone(), other.clone(), one.clone()]);
        assert_eq!(without(&both, "A"), Rest::Others(body(&[other]).into_bytes()));
        assert_eq!(without(&both, "C"), Rest::Unchanged);
        assert_eq!(without(&body(&[one.clone(), one]), "A"), Rest::Nothing);
    }

    #[test]
    fn nothing_remains_of_a_body_about_one_order() {
        for body in [r#"{"orderId":"B"}"#, r#"{"type":"t","timestamp":"t","data":{}}"#, "", "?"] {
            assert_eq!(without(body, "A"), Rest::Nothing, "{body}");
        }
    }
}

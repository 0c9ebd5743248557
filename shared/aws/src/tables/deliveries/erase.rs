//! Removes an order from the frozen bodies of its deliveries. The rest of a batch is still sent;
//! a delivery about this order alone ends as dead.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::core::id::{EndpointName, OrderKey};
use domain::core::timestamp::Timestamp;
use domain::messaging::send::SendId;
use domain::webhooks::delivery::RETENTION_DAYS;
use domain::webhooks::erased::{Rest, without_order};
use domain::webhooks::lease::DeliveryState;
use domain::webhooks::retry::DeadReason;
use serde_json::Value;

use super::body::{pack, unpack};
use super::{Deliveries, delivery_key, due, listed};
use crate::error::IoError;
use crate::tables::attr::{
    Item, bytes, number, read_bytes, read_number, read_text, text, texts, ttl,
};
use crate::tables::expression::{Condition, attr, no_row};
use crate::tables::orders::TracedDelivery;
use crate::tables::read::get;
use crate::tables::update::Changes;
use crate::tables::write::Write;

/// The orders that were removed from a delivery's body, or the id of a message about no order.
pub(super) const ERASED: &str = "erased";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErasedBody {
    Erased,
    /// The body does not have the order.
    Nothing,
    /// It is being posted, or was written in between: try again.
    Busy,
}

impl Deliveries {
    /// Removes an order from the body of a delivery. A delivery without a row is queued, or about to
    /// be: its claim finds the order noted.
    pub async fn erase(
        &self,
        delivery: &TracedDelivery,
        order: &OrderKey,
        now: Timestamp,
    ) -> Result<ErasedBody, IoError> {
        let TracedDelivery { id, endpoint, is_shared, is_old } = delivery;
        let (changes, condition) =
            match get(&self.client, &self.table, delivery_key(id), &[]).await? {
                None if *is_old => return Ok(ErasedBody::Nothing),
                None => (announced(endpoint, *is_shared, order, now), no_row()),
                Some(row) if is_leased(&row, now) => return Ok(ErasedBody::Busy),
                Some(row) => match cut(&row, order, now)? {
                    Some(changes) => (changes, is_unchanged(&row)),
                    None => return Ok(ErasedBody::Nothing),
                },
            };
        let changes = changes.add(ERASED, texts([order.order.as_str()]));
        let update = Write::update(&self.table, delivery_key(id), changes).only_if(condition);
        let is_written = update.send_if_unchanged(&self.client).await?;
        Ok(if is_written { ErasedBody::Erased } else { ErasedBody::Busy })
    }
}

impl Deliveries {
    /// Removes the body of a message about no order.
    pub async fn erase_send(&self, send: &SendId, now: Timestamp) -> Result<ErasedBody, IoError> {
        let key = delivery_key(send.as_str());
        let Some(row) = get(&self.client, &self.table, key.clone(), &[]).await? else {
            return Ok(ErasedBody::Nothing);
        };
        if !row.contains_key("body") {
            return Ok(ErasedBody::Nothing);
        }
        if is_leased(&row, now) {
            return Ok(ErasedBody::Busy);
        }
        // A redrive of a dead letter reads the mark: the body was erased.
        let changes = Changes::new()
            .set("updated_at", number(now.millis()))
            .add(ERASED, texts([send.as_str()]));
        let changes = erased(changes, &row, now)?;
        let update = Write::update(&self.table, key, changes).only_if(is_unchanged(&row));
        let is_written = update.send_if_unchanged(&self.client).await?;
        Ok(if is_written { ErasedBody::Erased } else { ErasedBody::Busy })
    }
}

/// The row of a delivery that no worker has claimed yet.
fn announced(
    endpoint: &EndpointName,
    is_shared: bool,
    order: &OrderKey,
    now: Timestamp,
) -> Changes {
    let at = || number(now.millis());
    let changes = Changes::new()
        .set("endpoint", text(endpoint.as_str()))
        .set("account", text(order.account.as_str()))
        .set("run", number(1))
        .set("attempts", number(0))
        .set("created_at", at())
        .set("updated_at", at())
        .set("ttl", ttl(now, RETENTION_DAYS));
    let changes = listed::enter(changes, endpoint, now);
    if is_shared {
        return changes.set("state", text(DeliveryState::Pending.as_str()));
    }
    changes
        .set("order_id", text(order.order.as_str()))
        .set("state", text(DeliveryState::Dead.as_str()))
        .set("reason", text(DeadReason::Erased.as_str()))
        .set("dead", listed::day_of(endpoint, now))
}

/// The changes that remove the order from a row; `None` if its body does not have it.
fn cut(row: &Item, order: &OrderKey, now: Timestamp) -> Result<Option<Changes>, IoError> {
    let changes = Changes::new().set("updated_at", number(now.millis()));
    let state = DeliveryState::parse(read_text(row, "state")?);
    let Some(packed) = read_bytes(row, "body") else {
        // The erasure of another order created the row: the claim brings the body.
        let is_open = state.is_some_and(|state| !state.has_ended());
        return Ok(is_open.then_some(changes));
    };
    let rest = without_order(&unpack(packed)?, &order.order);
    Ok(match rest {
        Rest::Unchanged => None,
        Rest::Others(body) => Some(without_excerpts(changes, row).set("body", bytes(pack(&body)))),
        Rest::Nothing => Some(erased(changes, row, now)?),
    })
}

/// Without anything of its body.
fn erased(changes: Changes, row: &Item, now: Timestamp) -> Result<Changes, IoError> {
    let changes = without_excerpts(changes, row).remove("body");
    Ok(match DeliveryState::parse(read_text(row, "state")?) {
        // No redrive counts it any more.
        Some(DeliveryState::Dead) => changes.set("reason", text(DeadReason::Erased.as_str())),
        Some(state) if state.has_ended() => changes,
        _ => ended(changes, row, now),
    })
}

fn ended(changes: Changes, row: &Item, now: Timestamp) -> Changes {
    // Rows of older releases may have no day.
    let day = read_text(row, "day").map_or_else(|_| listed::date(now), str::to_owned);
    due::leave_index(changes)
        .set("dead", text(day))
        .set("state", text(DeliveryState::Dead.as_str()))
        .set("reason", text(DeadReason::Erased.as_str()))
        .remove("next_attempt_at")
        .remove("parked_since")
        .remove("unusable_since")
        .remove("owner")
        .remove("lease_until")
}

/// A receiver may quote the body in its answer.
fn without_excerpts(changes: Changes, row: &Item) -> Changes {
    let Some(log) = row.get("attempt_log").and_then(|log| log.as_l().ok()) else { return changes };
    let attempts = log.iter().map(|attempt| {
        let json = attempt.as_s().ok().and_then(|text| serde_json::from_str::<Value>(text).ok());
        let mut json = json.unwrap_or_default();
        if let Some(excerpt) = json.get_mut("excerpt") {
            *excerpt = Value::Null;
        }
        text(json.to_string())
    });
    changes.set("attempt_log", AttributeValue::L(attempts.collect()))
}

fn is_leased(row: &Item, now: Timestamp) -> bool {
    read_number(row, "lease_until").is_some_and(|until: i64| until > now.millis())
}

/// Nobody has claimed or changed the row since.
fn is_unchanged(row: &Item) -> Condition {
    let same = |name| match row.get(name) {
        Some(value) => attr(name).equals(value.clone()),
        None => attr(name).absent(),
    };
    same("body").and(same("state")).and(same("owner")).and(same("attempt_log"))
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use domain::core::id::{AccountCode, OrderId};

    use super::*;
    use crate::tables::attr::item;

    fn order(id: &str) -> OrderKey {
        OrderKey { account: AccountCode::parse("A").unwrap(), order: OrderId::parse(id).unwrap() }
    }

    fn row(state: &str, body: &str) -> Item {
        let attempt = r#"{"at":1,"status":500,"excerpt":"Asha"}"#;
        item([
            ("state", text(state)),
            ("body", bytes(pack(body.as_bytes()))),
            ("attempt_log", AttributeValue::L(vec![text(attempt)])),
        ])
    }

    fn rendered(row: &Item, id: &str) -> Option<String> {
        cut(row, &order(id), Timestamp::EPOCH).unwrap().map(|changes| format!("{changes:?}"))
    }

    #[test]
    fn is_dead_and_erased_unless_it_was_delivered_or_has_another_order() {
        let batch = r#"{"timestamp":"t","event":"e","orders":[{"order_id":"O"},{"order_id":"P"}]}"#;
        let single = r#"{"orderId":"O"}"#;
        for (state, body, is_erased) in [
            ("pending", single, true),
            ("retrying", single, true),
            ("parked", single, true),
            ("delivered", single, false),
            ("dead", single, true),
            ("retrying", batch, false),
        ] {
            let changes = rendered(&row(state, body), "O").unwrap();
            assert_eq!(changes.contains("erased"), is_erased, "{state} {changes}");
            assert!(!changes.contains("Asha"), "{changes}");
        }
        assert_eq!(rendered(&row("retrying", batch), "Q"), None);
        assert_eq!(rendered(&item([("state", text("dead"))]), "O"), None);
        assert!(rendered(&item([("state", text("pending"))]), "O").is_some(), "not claimed yet");
    }

    #[test]
    fn a_lease_protects_until_it_ends() {
        let row = item([("lease_until", number(1000))]);
        assert!(is_leased(&row, Timestamp::from_millis(999).unwrap()));
        assert!(!is_leased(&row, Timestamp::from_millis(1000).unwrap()));
        assert!(!is_leased(&item([]), Timestamp::EPOCH));
    }
}

//! How deliveries stand, for who waits for them.

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use domain::webhooks::lease::DeliveryState;
use serde::Deserialize;

use super::{Deliveries, names};
use crate::error::IoError;
use crate::tables::attr::{Item, read_text, text};
use crate::tables::batch_get::{MAX_KEYS, batch_get};

const CALL: &str = "dynamodb:BatchGetItem";

/// How a delivery stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliverySummary {
    /// The delivery.
    pub id: String,
    /// How it stands.
    pub state: DeliveryState,
    /// The status code that its last attempt was answered with.
    pub status: Option<u16>,
    /// Why there was no answer.
    pub error: Option<String>,
}

/// What of an attempt tells how it went.
#[derive(Default, Deserialize)]
struct Went {
    status: Option<u16>,
    error: Option<String>,
}

impl Deliveries {
    /// How these deliveries stood a moment ago, in no order. Those that nobody has attempted yet are left out.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn summaries(&self, ids: &[&str]) -> Result<Vec<DeliverySummary>, IoError> {
        let mut found = Vec::with_capacity(ids.len());
        for some in ids.chunks(MAX_KEYS) {
            let keys = some.iter().map(|id| Item::from([("pk".to_owned(), text(*id))]));
            let asked = KeysAndAttributes::builder()
                .set_keys(Some(keys.collect()))
                .projection_expression("pk, #state, attempt_log")
                .set_expression_attribute_names(Some(names(&["state"])));
            let rows = batch_get(&self.client, &self.table, asked).await?;
            for row in &rows {
                found.push(read(row)?);
            }
        }
        Ok(found)
    }
}

fn read(row: &Item) -> Result<DeliverySummary, IoError> {
    let state = DeliveryState::parse(read_text(row, "state")?)
        .ok_or_else(|| IoError::unreadable(CALL, "state"))?;
    let log = row.get("attempt_log").and_then(|log| log.as_l().ok());
    let Went { status, error } =
        log.and_then(|log| log.last()).map(went).transpose()?.unwrap_or_default();
    Ok(DeliverySummary { id: read_text(row, "pk")?.to_owned(), state, status, error })
}

fn went(attempt: &AttributeValue) -> Result<Went, IoError> {
    let text = attempt.as_s().map_err(|_| IoError::unreadable(CALL, "attempt_log"))?;
    serde_json::from_str(text).map_err(|_| IoError::unreadable(CALL, "attempt_log"))
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use domain::core::timestamp::Timestamp;

    use super::*;
    use crate::tables::attr::json;
    use crate::tables::deliveries::Attempt;

    fn attempt(status: Option<u16>, error: Option<&'static str>) -> AttributeValue {
        json(&Attempt { at: Timestamp::EPOCH, status, error, latency_ms: 1, excerpt: None })
            .unwrap()
    }

    #[test]
    fn the_last_attempt_says_how_it_went() {
        let mut row =
            Item::from([("pk".to_owned(), text("msg_1")), ("state".to_owned(), text("pending"))]);
        let went = |row: &Item| {
            let summary = read(row).unwrap();
            (summary.state, summary.status, summary.error)
        };
        assert_eq!(went(&row), (DeliveryState::Pending, None, None));
        let mut log = vec![attempt(Some(500), None), attempt(None, Some("timeout"))];
        row.insert("attempt_log".to_owned(), AttributeValue::L(log.clone()));
        assert_eq!(went(&row), (DeliveryState::Pending, None, Some("timeout".to_owned())));
        log.push(attempt(Some(204), None));
        row.extend([
            ("attempt_log".to_owned(), AttributeValue::L(log)),
            ("state".to_owned(), text("delivered")),
        ]);
        assert_eq!(went(&row), (DeliveryState::Delivered, Some(204), None));
    }
}

//! The results of deliveries, as the trigger route shows them.

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use domain::webhooks::lease::DeliveryState;
use serde::Deserialize;

use super::{Deliveries, delivery_key};
use crate::error::IoError;
use crate::tables::attr::{Item, read_text};
use crate::tables::batch_get::{MAX_KEYS, batch_get};
use crate::tables::expression::Placeholders;

const CALL: &str = "dynamodb:BatchGetItem";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliverySummary {
    pub id: String,
    pub state: DeliveryState,
    /// The status code of the response to the last attempt.
    pub status: Option<u16>,
    /// Why the last attempt had no response.
    pub error: Option<String>,
}

/// The part of a logged attempt that a summary needs.
#[derive(Default, Deserialize)]
struct LastAttempt {
    status: Option<u16>,
    error: Option<String>,
}

impl Deliveries {
    /// Summaries of these deliveries, unsorted, read eventually consistently. Deliveries without an
    /// attempt yet are left out.
    pub async fn summaries(&self, ids: &[&str]) -> Result<Vec<DeliverySummary>, IoError> {
        let mut summaries = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(MAX_KEYS) {
            let mut placeholders = Placeholders::default();
            let keys = KeysAndAttributes::builder()
                .set_keys(Some(chunk.iter().map(|id| delivery_key(id)).collect()))
                .projection_expression(placeholders.projection(&["pk", "state", "attempt_log"]))
                .set_expression_attribute_names(placeholders.into_maps().0);
            for row in &batch_get(&self.client, &self.table, keys).await? {
                summaries.push(read_summary(row)?);
            }
        }
        Ok(summaries)
    }
}

fn read_summary(row: &Item) -> Result<DeliverySummary, IoError> {
    let state = DeliveryState::parse(read_text(row, "state")?)
        .ok_or_else(|| IoError::unreadable(CALL, "state"))?;
    let log = row.get("attempt_log").and_then(|log| log.as_l().ok());
    let last = log.and_then(|log| log.last()).map(read_attempt).transpose()?;
    let LastAttempt { status, error } = last.unwrap_or_default();
    Ok(DeliverySummary { id: read_text(row, "pk")?.to_owned(), state, status, error })
}

fn read_attempt(attempt: &AttributeValue) -> Result<LastAttempt, IoError> {
    let text = attempt.as_s().map_err(|_| IoError::unreadable(CALL, "attempt_log"))?;
    serde_json::from_str(text).map_err(|_| IoError::unreadable(CALL, "attempt_log"))
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use domain::core::timestamp::Timestamp;

    use super::*;
    use crate::tables::attr::{json, text};
    use crate::tables::deliveries::Attempt;

    fn attempt(status: Option<u16>, error: Option<&'static str>) -> AttributeValue {
        json(&Attempt { at: Timestamp::EPOCH, status, error, latency_ms: 1, excerpt: None })
            .unwrap()
    }

    #[test]
    fn summarizes_the_last_attempt() {
        let mut row =
            Item::from([("pk".to_owned(), text("msg_1")), ("state".to_owned(), text("pending"))]);
        let summarize = |row: &Item| {
            let summary = read_summary(row).unwrap();
            (summary.state, summary.status, summary.error)
        };
        assert_eq!(summarize(&row), (DeliveryState::Pending, None, None));
        let mut log = vec![attempt(Some(500), None), attempt(None, Some("timeout"))];
        row.insert("attempt_log".to_owned(), AttributeValue::L(log.clone()));
        assert_eq!(summarize(&row), (DeliveryState::Pending, None, Some("timeout".to_owned())));
        log.push(attempt(Some(204), None));
        row.extend([
            ("attempt_log".to_owned(), AttributeValue::L(log)),
            ("state".to_owned(), text("delivered")),
        ]);
        assert_eq!(summarize(&row), (DeliveryState::Delivered, Some(204), None));
    }
}

//! Reads an order and its messages, and makes the page of them.

use std::collections::BTreeMap;

use aws::error::IoError;
use domain::core::id::OrderKey;
use domain::core::timestamp::Timestamp;
use domain::messaging::linked::TrackedMessage;
use domain::messaging::message::Message;
use domain::page::{MessageLine, PageFacts, TrackingPage};
use domain::pagination::PageRequest;

use crate::Track;

/// The newest messages of an order. Few orders have more than five.
const MESSAGES: PageRequest = PageRequest { limit: 20, after: None };

impl Track {
    /// `None` for an unknown order.
    pub(crate) async fn load(
        &self,
        key: &OrderKey,
        now: Timestamp,
    ) -> Result<Option<TrackingPage>, IoError> {
        let Some((order, entries, checkpoints)) = self.orders.load_all_of(key).await? else {
            return Ok(None);
        };
        let messages = self.message_lines(key).await?;
        let facts = PageFacts { order: &order, entries: &entries, checkpoints: &checkpoints };
        Ok(Some(TrackingPage::new(&facts, messages, now)))
    }

    async fn message_lines(&self, key: &OrderKey) -> Result<Vec<MessageLine>, IoError> {
        let messages = self.messages.of_order(key, &MESSAGES).await?.items;
        let keys: Vec<_> = messages.iter().filter_map(Message::tracking_key).collect();
        let rows = self.messages.readable_trackings(&keys).await?;
        let rows: BTreeMap<_, TrackedMessage> =
            keys.into_iter().zip(rows).filter_map(|(key, row)| Some((key, row?.tracked))).collect();
        let untracked = TrackedMessage::default();
        let line = |message: &Message| {
            let tracked = message.tracking_key().and_then(|key| rows.get(&key));
            MessageLine::of(message, tracked.unwrap_or(&untracked))
        };
        Ok(messages.iter().filter_map(line).collect())
    }
}

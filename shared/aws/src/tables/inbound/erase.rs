//! Erases the body of an event. Its row stays: a repeat of the webhook finds it, and is dropped.

use domain::core::id::EventId;
use domain::core::timestamp::Timestamp;

use super::body::part_key;
use super::row::read_state;
use super::{EventState, InboundLog, header_key};
use crate::error::IoError;
use crate::tables::attr::{Item, read_number, read_optional, read_text, read_texts, text};
use crate::tables::expression::{attr, row_exists};
use crate::tables::orders::TracedDelivery;
use crate::tables::read::get;
use crate::tables::update::Changes;
use crate::tables::write::Write;

/// When the body was erased.
pub(super) const ERASED_AT: &str = "erased_at";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErasedEvent {
    Erased,
    /// It is not in the log, or has no body any more.
    Nothing,
    /// It is still to be processed, and needs its body.
    Unsettled,
}

impl InboundLog {
    /// Erases the body of an event, unless it is still to be processed. The parts of a large body go
    /// first: the header names them.
    pub async fn erase(&self, id: &EventId, now: Timestamp) -> Result<ErasedEvent, IoError> {
        let columns = ["state", "fingerprint", "parts", "body", ERASED_AT];
        let Some(row) = get(&self.client, &self.table, header_key(id), &columns).await? else {
            return Ok(ErasedEvent::Nothing);
        };
        let is_stored = row.contains_key("body") || row.contains_key("parts");
        if !is_stored {
            return Ok(ErasedEvent::Nothing);
        }
        if read_state(&row)? == EventState::Received {
            return Ok(ErasedEvent::Unsettled);
        }
        self.erase_parts(id, &row).await?;
        let changes =
            Changes::new().set(ERASED_AT, text(now.to_string())).remove("body").remove("parts");
        // A retry may have reopened it.
        let settled = attr("state").differs_from(text(EventState::Received.as_str()));
        let update = self.update(id, changes).only_if(row_exists().and(settled));
        let is_erased = update.send(&self.client).await?.is_applied();
        Ok(if is_erased { ErasedEvent::Erased } else { ErasedEvent::Unsettled })
    }

    /// The deliveries that the event's mark has.
    pub async fn deliveries(
        &self,
        id: &EventId,
        now: Timestamp,
    ) -> Result<Vec<TracedDelivery>, IoError> {
        let columns = ["deliveries", "settled_at"];
        let row = get(&self.client, &self.table, header_key(id), &columns).await?;
        let row = row.unwrap_or_default();
        let settled_at = read_optional(&row, "settled_at", Timestamp::parse)?;
        let Some(at) = settled_at else { return Ok(Vec::new()) };
        let texts = read_texts(&row, "deliveries").iter();
        Ok(texts.filter_map(|text| TracedDelivery::parse(text, at, now)).collect())
    }

    async fn erase_parts(&self, id: &EventId, header: &Item) -> Result<(), IoError> {
        let Some(parts) = read_number::<usize>(header, "parts") else { return Ok(()) };
        let fingerprint = read_text(header, "fingerprint")?;
        for index in 0..parts {
            let key = part_key(id, fingerprint, index);
            let part = Write::update(&self.table, key, Changes::new().remove("body"));
            let _ = part.only_if(row_exists()).send(&self.client).await?;
        }
        Ok(())
    }
}

//! Erases the body of an event. Its row stays: a repeat of the webhook finds it, and is dropped.

use domain::core::id::EventId;
use domain::core::timestamp::Timestamp;

use super::body::part_key;
use super::log::reopening;
use super::row::read_state;
use super::{EventState, InboundLog, header_key};
use crate::error::IoError;
use crate::tables::attr::{Item, read_number, read_text, read_texts, text, texts};
use crate::tables::expression::{Condition, attr, row_exists};
use crate::tables::read::get;
use crate::tables::update::Changes;
use crate::tables::write::Write;

/// When the body was erased.
pub(super) const ERASED_AT: &str = "erased_at";
/// Since when the body must be erased as soon as the event is settled or has failed.
pub(super) const ERASABLE_AT: &str = "erasable_at";
/// Phone numbers that are to be erased with the body.
const PHONES: &str = "phones";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErasedEvent {
    Erased,
    /// It is not in the log, or has no body any more; or its body was to be erased before, and is
    /// now.
    Nothing,
    /// It is still to be processed, and needs its body: from now on it loses it then.
    Noted,
    /// It is still to be processed, as noted by an earlier call; or was written just now.
    Unsettled,
    /// It had failed. Before it loses its body it is to be processed once more: it may have reports
    /// about other orders.
    Reopened,
}

impl InboundLog {
    /// Erases the body of an event, or notes that it is to go.
    pub async fn erase(&self, id: &EventId, now: Timestamp) -> Result<ErasedEvent, IoError> {
        let columns = ["state", "fingerprint", "parts", "body", ERASED_AT, ERASABLE_AT];
        let Some(row) = get(&self.client, &self.table, header_key(id), &columns).await? else {
            return Ok(ErasedEvent::Nothing);
        };
        if !has_body(&row) {
            return Ok(ErasedEvent::Nothing);
        }
        let note = |changes: Changes| changes.set(ERASABLE_AT, text(now.to_string()));
        let is_noted = is_erasable(&row);
        let (changes, outcome) = match read_state(&row)? {
            EventState::Received if is_noted => return Ok(ErasedEvent::Unsettled),
            EventState::Received => (note(Changes::new()), ErasedEvent::Noted),
            EventState::Failed if !is_noted => (note(reopening(id, now)), ErasedEvent::Reopened),
            _ if is_noted => (without_body(Changes::new(), now), ErasedEvent::Nothing),
            _ => (without_body(Changes::new(), now), ErasedEvent::Erased),
        };
        let is_body_gone = matches!(outcome, ErasedEvent::Nothing | ErasedEvent::Erased);
        let update = self.update(id, changes).only_if(row_exists().and(same_state(&row)?));
        if !update.send_if_unchanged(&self.client).await? {
            return Ok(ErasedEvent::Unsettled);
        }
        if is_body_gone {
            self.erase_parts(id, &row).await?;
        }
        Ok(outcome)
    }

    /// Notes a phone number that is to be erased with an event's body.
    pub async fn note_phone(&self, id: &EventId, phone: &str) -> Result<(), IoError> {
        let update = self.update(id, Changes::new().add(PHONES, texts([phone])));
        update.only_if(row_exists()).send(&self.client).await.map(drop)
    }

    pub async fn noted_phones(&self, id: &EventId) -> Result<Vec<String>, IoError> {
        let row = get(&self.client, &self.table, header_key(id), &[PHONES]).await?;
        Ok(read_texts(&row.unwrap_or_default(), PHONES).to_vec())
    }

    /// The parts of a large body, once the header says that it was erased: from then on nobody
    /// processes it again. The header names the parts until they are gone.
    async fn erase_parts(&self, id: &EventId, header: &Item) -> Result<(), IoError> {
        let Some(parts) = read_number::<usize>(header, "parts") else { return Ok(()) };
        let fingerprint = read_text(header, "fingerprint")?;
        for index in 0..parts {
            let key = part_key(id, fingerprint, index);
            let part = Write::update(&self.table, key, Changes::new().remove("body"));
            let _ = part.only_if(row_exists()).send(&self.client).await?;
        }
        let header = self.update(id, Changes::new().remove("parts")).only_if(row_exists());
        header.send(&self.client).await.map(drop)
    }
}

/// Removes the body from a header. Parts of it stay, and the header must name them until they are
/// erased.
pub(super) fn without_body(changes: Changes, now: Timestamp) -> Changes {
    changes.set(ERASED_AT, text(now.to_string())).remove("body").remove(PHONES)
}

pub(super) fn is_erasable(row: &Item) -> bool {
    row.contains_key(ERASABLE_AT) || row.contains_key(ERASED_AT)
}

pub(super) fn has_body(row: &Item) -> bool {
    row.contains_key("body") || row.contains_key("parts")
}

fn same_state(row: &Item) -> Result<Condition, IoError> {
    Ok(attr("state").equals(text(read_state(row)?.as_str())))
}

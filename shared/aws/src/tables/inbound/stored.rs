//! An event before its body is read, and how far an unfinished run of its processing came.

use std::collections::BTreeSet;

use domain::core::id::{EventId, ReportId};

use super::body::PART_BYTES;
use super::erase::{ERASED_AT, is_erasable};
use super::row::read_state;
use super::{EventState, InboundLog};
use crate::error::IoError;
use crate::tables::attr::{Item, number, read_bytes, read_number, read_texts, text, texts};
use crate::tables::expression::attr;
use crate::tables::update::Changes;

/// Bytes of a JSON body for each byte of it compressed, an estimate. Rows of older releases do not
/// have the size of their body.
const EXPANSION: usize = 20;

#[derive(Debug)]
pub struct StoredEvent(pub(super) Item);

impl StoredEvent {
    pub fn state(&self) -> Result<EventState, IoError> {
        read_state(&self.0)
    }

    /// Its body was erased.
    pub fn is_erased(&self) -> bool {
        self.0.contains_key(ERASED_AT)
    }

    /// Its body must go once it is settled or has failed.
    pub fn is_erasable(&self) -> bool {
        is_erasable(&self.0)
    }

    /// Its body has rows of its own.
    pub fn is_in_parts(&self) -> bool {
        self.0.contains_key("parts")
    }

    /// Of the body, in bytes.
    pub fn size(&self) -> usize {
        let packed = || {
            let parts = read_number::<usize>(&self.0, "parts").map(|parts| parts * PART_BYTES);
            parts.unwrap_or_else(|| read_bytes(&self.0, "body").map_or(0, <[u8]>::len))
        };
        read_number(&self.0, "size").unwrap_or_else(|| packed() * EXPANSION)
    }

    /// Where the last run stopped, if it had as many reports as this one.
    pub fn checkpoint(&self, reports: usize) -> Checkpoint {
        let done = read_number(&self.0, "done").filter(|done| *done <= reports);
        match done.filter(|_| read_number(&self.0, "of") == Some(reports)) {
            Some(done) => {
                let ids = read_texts(&self.0, "waiting");
                let unmatched = ids.iter().filter_map(|id| ReportId::parse(id).ok()).collect();
                Checkpoint { done, unmatched }
            }
            None => Checkpoint::default(),
        }
    }
}

/// The reports of an event that are applied and whose changes are queued.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checkpoint {
    /// The number of reports, in the order of the body.
    pub done: usize,
    /// Those of them that have no order yet.
    pub unmatched: BTreeSet<ReportId>,
}

impl InboundLog {
    /// Notes how far a run came that ran out of time, so that the next one goes on there.
    pub async fn save_checkpoint(
        &self,
        id: &EventId,
        checkpoint: &Checkpoint,
        reports: usize,
    ) -> Result<(), IoError> {
        let mut changes =
            Changes::new().set("done", number(checkpoint.done)).set("of", number(reports));
        if !checkpoint.unmatched.is_empty() {
            let ids = checkpoint.unmatched.iter().map(ReportId::as_str);
            changes = changes.set("waiting", texts(ids));
        }
        let unprocessed = attr("state").differs_from(text(EventState::Processed.as_str()));
        let update = self.update(id, changes).only_if(attr("state").exists().and(unprocessed));
        update.send(&self.client).await.map(drop)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::tables::attr::{bytes, item};

    #[test]
    fn the_size_is_stored_or_estimated() {
        let body = |len: usize| ("body", bytes(vec![0; len]));
        for (row, size) in [
            (item([("size", number(3_000_000)), body(10)]), 3_000_000),
            (item([body(100)]), 100 * EXPANSION),
            (item([("parts", number(2))]), 2 * PART_BYTES * EXPANSION),
            (item([]), 0),
        ] {
            assert_eq!(StoredEvent(row).size(), size);
        }
    }

    #[test]
    fn a_run_goes_on_only_in_an_event_of_as_many_reports() {
        let row = item([("done", number(2)), ("of", number(3)), ("waiting", texts(["r"]))]);
        let stored = StoredEvent(row);
        let unmatched = [ReportId::parse("r").unwrap()].into();
        assert_eq!(stored.checkpoint(3), Checkpoint { done: 2, unmatched });
        assert_eq!(
            stored.checkpoint(4),
            Checkpoint::default(),
            "another release reads it otherwise"
        );
        assert_eq!(StoredEvent(item([])).checkpoint(3), Checkpoint::default());
    }
}

//! Records the result of processing an event.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use domain::core::id::{EventId, ReportId};
use domain::core::timestamp::Timestamp;

use super::erase::{has_body, is_erasable, without_body};
use super::row::{all_reconciled, read_state};
use super::{EventState, InboundLog, Progress};
use crate::error::IoError;
use crate::tables::attr::{Item, text, texts};
use crate::tables::expression::{attr, row_exists};
use crate::tables::update::Changes;
use crate::tables::write::Write;

impl InboundLog {
    /// Records the result of processing an event, which is then no longer pending. `processed` is
    /// final.
    pub async fn mark(
        &self,
        id: &EventId,
        progress: &Progress,
        now: Timestamp,
    ) -> Result<(), IoError> {
        let marked = self.marking(id, progress, now).send(&self.client).await?.applied();
        let Some(row) = marked else { return Ok(()) };
        // All of its unmatched reports may have been reconciled in the meantime.
        if progress.state == EventState::Unmatched && all_reconciled(&row) {
            self.mark_processed(id, now).await?;
        }
        self.erase_if_noted(id, &row, now).await
    }

    /// Records that one of an event's unmatched reports was reconciled. With the last one the event
    /// is processed.
    pub async fn mark_reconciled(
        &self,
        id: &EventId,
        report: &ReportId,
        now: Timestamp,
    ) -> Result<(), IoError> {
        let update = self
            .update(id, Changes::new().add("adopted", texts([report.as_str()])))
            .only_if(row_exists())
            .returning(ReturnValue::AllNew);
        let Some(row) = update.send(&self.client).await?.applied() else { return Ok(()) };
        if read_state(&row)? == EventState::Unmatched && all_reconciled(&row) {
            self.mark_processed(id, now).await?;
        }
        Ok(())
    }

    /// The body was only kept until the event ended.
    pub(super) async fn erase_if_noted(
        &self,
        id: &EventId,
        row: &Item,
        now: Timestamp,
    ) -> Result<(), IoError> {
        if is_erasable(row) && has_body(row) {
            self.erase(id, now).await?;
        }
        Ok(())
    }

    async fn mark_processed(&self, id: &EventId, now: Timestamp) -> Result<(), IoError> {
        let processed = Progress::from(EventState::Processed);
        self.marking(id, &processed, now).send(&self.client).await.map(drop)
    }

    fn marking(&self, id: &EventId, progress: &Progress, now: Timestamp) -> Write {
        let state = text(progress.state.as_str());
        let notable = progress.state.is_notable().then(|| state.clone());
        let mut changes = Changes::new()
            .set("state", state)
            .set("settled_at", text(now.to_string()))
            .set("reason", progress.reason.clone().map_or(AttributeValue::Null(true), text))
            .set_or_remove("notable", notable)
            .remove("pending")
            .remove("pending_since")
            .remove("done")
            .remove("of");
        if progress.is_erasable {
            changes = without_body(changes, now);
        }
        if !progress.deliveries.is_empty() {
            let ids: Vec<String> = progress.deliveries.iter().map(ToString::to_string).collect();
            changes = changes.add("deliveries", texts(ids.iter().map(String::as_str)));
        }
        if !progress.waiting.is_empty() {
            changes = changes.set("waiting", texts(progress.waiting.iter().map(ReportId::as_str)));
        }
        let unprocessed = attr("state").differs_from(text(EventState::Processed.as_str()));
        let update = self.update(id, changes).only_if(row_exists().and(unprocessed));
        // A plain end was seen by a run that knows whether the body must go.
        let is_plain = progress.waiting.is_empty() && progress.reason.is_none();
        if is_plain { update } else { update.returning(ReturnValue::AllNew) }
    }
}

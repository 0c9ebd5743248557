//! Updates of a polled order's row after a report or a poll.

use aws_sdk_dynamodb::types::ReturnValue;
use domain::core::id::{Awb, EventId, OrderKey, ReportId};
use domain::core::timestamp::Timestamp;
use domain::orders::order::Order;
use domain::polling::{PollState, Run, Stalled};

use super::Orders;
use super::active::active_key;
use super::stale::{stale_key, stale_row};
use crate::error::IoError;
use crate::tables::attr::{Item, json, read_text, text};
use crate::tables::expression::{Condition, attr, row_exists};
use crate::tables::transaction::transact;
use crate::tables::update::Changes;
use crate::tables::write::{Write, WriteOutcome};

#[cfg(test)]
mod tests;

/// The changes that a report makes to the polling row of its order.
#[derive(Debug, Clone, Copy, Default)]
pub struct PollRowUpdate<'a> {
    /// The carrier's newest report.
    pub seen: Option<&'a ReportId>,
    /// When a webhook last reported the order.
    pub heard_at: Option<Timestamp>,
    /// When the timeline last grew.
    pub moved_at: Option<Timestamp>,
}

impl PollRowUpdate<'_> {
    fn changes(self) -> Changes {
        let mut changes = Changes::new().remove("unknown");
        if let Some(at) = self.moved_at {
            changes = changes.set("moved_at", text(at.to_string())).remove("stalled");
        }
        if let Some(seen) = self.seen {
            changes = changes.set("seen", text(seen.as_str()));
        }
        if let Some(at) = self.heard_at {
            changes = changes.set("heard_at", text(at.to_string()));
        }
        changes
    }

    /// The row exists, and every time moves forward.
    fn condition(self) -> Condition {
        let times = [("moved_at", self.moved_at), ("heard_at", self.heard_at)];
        times.into_iter().fold(row_exists(), |condition, (name, time)| match time {
            Some(at) => {
                let earlier = attr(name).below(text(at.to_string()));
                condition.and(attr(name).absent().or(earlier))
            }
            None => condition,
        })
    }

    /// Without the times that the row has already passed.
    fn newer_than(self, row: &Item) -> Self {
        let newer = |name: &str, time: Option<Timestamp>| {
            time.filter(|at| read_text(row, name).map_or(true, |stored| *stored < *at.to_string()))
        };
        Self {
            moved_at: newer("moved_at", self.moved_at),
            heard_at: newer("heard_at", self.heard_at),
            ..self
        }
    }
}

impl Orders {
    /// Updates the polling rows of an order after a report about one of its parcels, or about the
    /// whole order. Parcels that are not polled have none.
    pub async fn update_poll_rows(
        &self,
        order: &Order,
        awb: Option<&Awb>,
        update: PollRowUpdate<'_>,
    ) -> Result<(), IoError> {
        for (parcel, _) in order.polled_parcels() {
            if awb.is_none_or(|awb| awb.is_same_parcel(&parcel.awb)) {
                self.update_poll_row(&order.key, &parcel.awb, update).await?;
            }
        }
        Ok(())
    }

    async fn update_poll_row(
        &self,
        order: &OrderKey,
        awb: &Awb,
        update: PollRowUpdate<'_>,
    ) -> Result<(), IoError> {
        let before = self.write_poll_row(order, awb, update).await?;
        if before.contains_key("stale_since") {
            // The stale row goes first: after a crash in between, the retry still finds the mark.
            Write::delete(&self.table, stale_key(order, awb)).send(&self.client).await.map(drop)?;
            // Polls the parcel again, unless its row is gone by now.
            let changes = Changes::new().remove("stale_since");
            let reactivation = self.update_active(order, awb, changes).only_if(row_exists());
            reactivation.send(&self.client).await.map(drop)?;
        }
        Ok(())
    }

    /// Returns the row as it was. It is empty if a patch or another report has ended polling: then
    /// nothing is written. An old event, retried or reconciled, moves no time back.
    async fn write_poll_row(
        &self,
        order: &OrderKey,
        awb: &Awb,
        mut update: PollRowUpdate<'_>,
    ) -> Result<Item, IoError> {
        loop {
            let write = self
                .update_active(order, awb, update.changes())
                .only_if(update.condition())
                .returning(ReturnValue::AllOld)
                .returning_existing();
            match write.send(&self.client).await? {
                WriteOutcome::Applied(row) => return Ok(row),
                WriteOutcome::ConditionFailed(row) if row.is_empty() => return Ok(row),
                // At least one time is dropped, so the third write is the last.
                WriteOutcome::ConditionFailed(row) => update = update.newer_than(&row),
            }
        }
    }

    /// Records that the carrier did not know the parcel of an order that a run polled. `before` is
    /// the order as the run read it: a later change wins, and a repeated call changes nothing.
    pub async fn not_found(
        &self,
        order: &OrderKey,
        before: &PollState,
        run: &Run,
    ) -> Result<(), IoError> {
        let after = before.not_found(run);
        let Some(unknown) = &after.unknown else { return Ok(()) };
        let unchanged = attr("awb")
            .equals(text(before.awb.as_str()))
            .and(attr("moved_at").equals(text(before.moved_at.to_string())))
            .and(match &before.unknown {
                Some(unknown) => attr("unknown").equals(json(unknown)?),
                None => attr("unknown").absent(),
            });
        let mut changes = Changes::new().set("unknown", json(unknown)?);
        let mut writes = Vec::new();
        if let Some(since) = after.stale_since {
            changes = changes.set("stale_since", text(since.to_string()));
            let row = stale_row(order, &after.awb, unknown.since, since)?;
            writes.push(Write::put(&self.table, row));
        }
        writes.push(self.update_active(order, &before.awb, changes).only_if(unchanged));
        // Cancelled: another write came first, and the next run polls the order again.
        transact(&self.client, writes).await.map(drop)
    }

    /// Records that the carrier knows a parcel again, without a new status.
    pub async fn reappeared(&self, order: &OrderKey, awb: &Awb) -> Result<(), IoError> {
        let changes = Changes::new().remove("unknown");
        let write = self.update_active(order, awb, changes).only_if(attr("unknown").exists());
        write.send(&self.client).await.map(drop)
    }

    /// Claims the notification of a stalled order for this event. `false` if the order has moved
    /// since, or another event has claimed it.
    pub async fn mark_stalled(&self, stalled: &Stalled, event: &EventId) -> Result<bool, IoError> {
        let order = OrderKey { account: stalled.account.clone(), order: stalled.order_id.clone() };
        let event = text(event.as_str());
        let unclaimed = attr("moved_at")
            .equals(text(stalled.since.to_string()))
            .and(attr("stalled").absent().or(attr("stalled").equals(event.clone())));
        let write = self.update_active(&order, &stalled.awb, Changes::new().set("stalled", event));
        write.only_if(unclaimed).send(&self.client).await.map(|outcome| outcome.is_applied())
    }

    fn update_active(&self, order: &OrderKey, awb: &Awb, changes: Changes) -> Write {
        Write::update(&self.table, active_key(order, awb), changes)
    }
}

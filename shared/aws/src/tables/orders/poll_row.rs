//! Updates of a polled order's row after a report or a poll.

use aws_sdk_dynamodb::types::ReturnValue;
use domain::core::id::{Awb, EventId, OrderKey, ReportId};
use domain::core::timestamp::Timestamp;
use domain::orders::order::{Order, Poll};
use domain::polling::{PollState, Run, Stalled};

use super::Orders;
use super::active::active_key;
use super::stale::{stale_key, stale_row};
use crate::error::IoError;
use crate::tables::attr::{Item, json, text};
use crate::tables::expression::{attr, row_exists};
use crate::tables::transaction::transact;
use crate::tables::update::Changes;
use crate::tables::write::Write;

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

impl Orders {
    /// Updates the polling row of an order after a report. Orders that are not to be polled have
    /// none.
    pub async fn update_poll_row(
        &self,
        order: &Order,
        update: PollRowUpdate<'_>,
    ) -> Result<(), IoError> {
        let (Some(Poll::Shipway), Some(awb)) = (order.profile.poll, &order.profile.awb) else {
            return Ok(());
        };
        // The stale row goes first: after a crash in between, the retry still finds the active row.
        if !order.is_polled() {
            self.remove_stale(&order.key).await?;
            return self.remove_active(&order.key, awb).await;
        }
        let before = self.write_poll_row(order, awb, update).await?;
        if before.contains_key("stale_since") {
            self.remove_stale(&order.key).await?;
            self.reactivate(&order.key).await?;
        }
        Ok(())
    }

    async fn remove_stale(&self, order: &OrderKey) -> Result<(), IoError> {
        Write::delete(&self.table, stale_key(order)).send(&self.client).await.map(drop)
    }

    /// Polls a stale order again, unless its row is gone by now.
    async fn reactivate(&self, order: &OrderKey) -> Result<(), IoError> {
        let changes = Changes::new().remove("stale_since");
        self.update_active(order, changes).only_if(row_exists()).send(&self.client).await.map(drop)
    }

    /// Returns the row as it was. A concurrent patch may have given the order another AWB, which
    /// stays.
    async fn write_poll_row(
        &self,
        order: &Order,
        awb: &Awb,
        update: PollRowUpdate<'_>,
    ) -> Result<Item, IoError> {
        let mut changes = Changes::new()
            .set("account", text(order.key.account.as_str()))
            .set("order_id", text(order.key.order.as_str()))
            .set_if_absent("awb", text(awb.as_str()))
            .remove("unknown");
        changes = match update.moved_at {
            Some(at) => changes.set("moved_at", text(at.to_string())).remove("stalled"),
            None => changes.set_if_absent("moved_at", text(order.state.created_at.to_string())),
        };
        if let Some(seen) = update.seen {
            changes = changes.set("seen", text(seen.as_str()));
        }
        if let Some(at) = update.heard_at {
            changes = changes.set("heard_at", text(at.to_string()));
        }
        let write = self.update_active(&order.key, changes).returning(ReturnValue::AllOld);
        Ok(write.send(&self.client).await?.applied().unwrap_or_default())
    }

    /// Removes the row, unless it is about another parcel by now.
    async fn remove_active(&self, order: &OrderKey, awb: &Awb) -> Result<(), IoError> {
        let same_parcel = attr("awb").equals(text(awb.as_str()));
        let delete = Write::delete(&self.table, active_key(order)).only_if(same_parcel);
        delete.send(&self.client).await.map(drop)
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
        writes.push(self.update_active(order, changes).only_if(unchanged));
        // Cancelled: another write came first, and the next run polls the order again.
        transact(&self.client, writes).await.map(drop)
    }

    /// Records that the carrier knows a parcel again, without a new status.
    pub async fn reappeared(&self, order: &OrderKey) -> Result<(), IoError> {
        let changes = Changes::new().remove("unknown");
        let write = self.update_active(order, changes).only_if(attr("unknown").exists());
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
        let write = self.update_active(&order, Changes::new().set("stalled", event));
        write.only_if(unclaimed).send(&self.client).await.map(|outcome| outcome.is_applied())
    }

    fn update_active(&self, order: &OrderKey, changes: Changes) -> Write {
        Write::update(&self.table, active_key(order), changes)
    }
}

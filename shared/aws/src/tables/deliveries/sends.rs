//! Messages to shoppers. Their rows exist before their first attempt, and an attempt without a result
//! ends them: the provider has no idempotency key, so a repeat could be a second message.

use std::time::Duration;

use domain::core::timestamp::Timestamp;
use domain::webhooks::delivery::{Delivery, RETENTION_DAYS};
use domain::webhooks::lease::DeliveryState;

use super::body::pack;
use super::due::enter_index;
use super::{Deliveries, delivery_key, ended, listed};
use crate::error::IoError;
use crate::tables::attr::{Item, bytes, number, read_text, text, ttl};
use crate::tables::expression::{attr, no_row};
use crate::tables::update::Changes;
use crate::tables::write::{Write, WriteOutcome};

/// `sweep` queues a message this long after it was created, in case it was not queued at once. Under
/// load its number's limit holds it up for longer; then it is queued twice.
const SWEPT_AFTER: Duration = Duration::from_secs(5 * 60);

/// The clock of the worker that found the end of a lease may be ahead of ours.
const CLOCK_SKEW: Duration = Duration::from_secs(5);

/// A message with an attempt that has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    id: String,
    /// Of the attempt.
    owner: String,
}

impl Unfinished {
    pub(super) fn read(row: &Item) -> Result<Self, IoError> {
        let text = |name| read_text(row, name).map(str::to_owned);
        Ok(Self { id: text("pk")?, owner: text("owner")? })
    }
}

impl Deliveries {
    /// The write that creates the row of a message, unless it exists. `not_before` is when it is to
    /// go out, if later than now; after `expires_at` it is not sent. From then on it is in the index
    /// `due`: no crash can lose it.
    pub(crate) fn create_send(
        &self,
        send: &Delivery,
        not_before: Option<Timestamp>,
        expires_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Write {
        let (account, order) = (send.account.as_ref(), send.order_id.as_ref());
        let at = |time: Timestamp| number(time.millis());
        let due = not_before.unwrap_or_else(|| now.after(SWEPT_AFTER));
        let changes = listed::enter(Changes::new(), &send.endpoint, now);
        let changes = enter_index(changes, &send.id, due)
            .set_or_remove("next_attempt_at", not_before.map(at))
            .set_or_remove("expires_at", expires_at.map(at))
            .set_or_remove("account", account.map(|account| text(account.as_str())))
            .set_or_remove("order_id", order.map(|order| text(order.as_str())))
            .set_or_remove("order_created_at", send.order_created_at.map(at))
            .set("state", text(DeliveryState::Pending.as_str()))
            .set("endpoint", text(send.endpoint.as_str()))
            .set("format", text(send.kind.format()))
            .set("run", number(send.run))
            .set("attempts", number(0))
            .set("created_at", at(now))
            .set("updated_at", at(now))
            .set("body", bytes(pack(send.body.as_bytes())))
            .set("ttl", ttl(now, RETENTION_DAYS));
        Write::update(&self.table, delivery_key(&send.id), changes).only_if(no_row())
    }

    /// Ends a message whose attempt has no result. `false` if it has one by now.
    pub async fn end_unknown(
        &self,
        unfinished: &Unfinished,
        now: Timestamp,
    ) -> Result<bool, IoError> {
        let changes = ended(Changes::new(), DeliveryState::Unknown)
            .set("updated_at", number(now.millis()))
            .remove("reason")
            .remove("owner")
            .remove("lease_until");
        let update = Write::update(&self.table, delivery_key(&unfinished.id), changes)
            .only_if(attr("owner").equals(text(&unfinished.owner)));
        Ok(update.send(&self.client).await?.is_applied())
    }

    /// Notes that the provider has a message that was `unknown`. False if it is about to be: that is
    /// told before its row says so.
    pub async fn settle_unknown(&self, id: &str, now: Timestamp) -> Result<bool, IoError> {
        let changes = ended(Changes::new(), DeliveryState::Delivered)
            .set("updated_at", number(now.millis()))
            .remove("owner")
            .remove("lease_until");
        let is_unknown = attr("state").equals(text(DeliveryState::Unknown.as_str()));
        let lease_has_ended = attr("lease_until").at_most(number(now.after(CLOCK_SKEW).millis()));
        let is_unfinished = attr("owner").exists().and(lease_has_ended);
        let update = Write::update(&self.table, delivery_key(id), changes)
            .only_if(is_unknown.or(is_unfinished))
            .returning_existing();
        Ok(match update.send(&self.client).await? {
            WriteOutcome::Applied(_) => true,
            WriteOutcome::ConditionFailed(row) => !row.contains_key("owner"),
        })
    }
}

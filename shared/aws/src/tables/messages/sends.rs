//! Messages of ours: everything that one consists of is written at once.

use aws_sdk_dynamodb::types::KeysAndAttributes;
use domain::core::id::{AccountCode, EventId, OrderKey};
use domain::core::timestamp::Timestamp;
use domain::messaging::conversation::{Contact, ConversationMessage};
use domain::messaging::message::Message;
use domain::messaging::send::SendId;
use domain::orders::order::Order;
use domain::webhooks::delivery::Delivery;

use super::conversations::{EVENT, conversation_pk, conversation_row};
use super::figures::Counting;
use super::{Messages, TrackingRow};
use crate::error::IoError;
use crate::tables::attr::{Item, number, read_json, read_number, text, ttl};
use crate::tables::batch_get::batch_get;
use crate::tables::deliveries::Deliveries;
use crate::tables::expression::attr;
use crate::tables::keys::{key, order_pk};
use crate::tables::orders::{Orders, TracedDelivery};
use crate::tables::transaction::{TransactionOutcome, transact};
use crate::tables::update::Changes;
use crate::tables::write::Write;

/// The places of writes in the transaction.
const REQUEST: usize = 0;
const DELIVERY: usize = 3;
const TRACKING: usize = 4;
/// The attribute of a shopper's day.
const COUNT: &str = "count";
/// How long a day's count is kept.
const COUNTED_DAYS: u64 = 3;

/// A message that is to be sent.
pub struct NewSend<'a> {
    pub message: &'a Message,
    /// Its request, as a delivery.
    pub delivery: &'a Delivery,
    /// When it is to go out, if later than now.
    pub not_before: Option<Timestamp>,
    /// As the conversation with its shopper shows it.
    pub shown: &'a ConversationMessage<'a>,
    pub to: &'a Contact,
    /// The order that it is about, before and after.
    pub order: Option<[&'a Order; 2]>,
    /// Of a message that a rule sends.
    pub rule: Option<RuleLimits<'a>>,
}

/// Limits of a message that a rule sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleLimits<'a> {
    /// Later it is not sent.
    pub expires_at: Timestamp,
    /// The shopper's day, e.g. `2026-01-20`.
    pub day: &'a str,
    /// Messages of rules to a shopper in a day.
    pub daily_cap: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CreatedSend {
    New,
    /// A message with this id exists.
    Duplicate(Box<Message>),
    /// A message with this id existed, and was erased.
    Erased,
    /// The order was written since it was read: read it again.
    RevMismatch,
    /// The shopper has got as many messages of rules on this day as the cap allows.
    Capped,
}

impl Messages {
    /// Creates a message, its delivery and its place in the conversation, or nothing.
    pub async fn create_send(
        &self,
        send: &NewSend<'_>,
        orders: &Orders,
        deliveries: &Deliveries,
        now: Timestamp,
    ) -> Result<CreatedSend, IoError> {
        let NewSend { message, delivery, .. } = send;
        let key = message.tracking_key().ok_or_else(|| IoError::unreadable("message", "id"))?;
        let mut tracking = TrackingRow::new(key);
        tracking.tracked.link(message);
        let account = &message.account_code;
        let mut shown = conversation_row(account, send.to, send.shown)?;
        shown.insert(EVENT.to_owned(), text(delivery.id.as_str()));
        let mut writes = vec![
            self.request_write(message, None, now)?.returning_existing(),
            self.record_write(message)?,
            Write::put(&self.table, shown),
            deliveries.create_send(delivery, send.not_before, send.expires_at(), now),
        ];
        writes.extend(self.tracking_writes(&tracking, now)?);
        if let Some([before, after]) = send.order {
            let event = EventId::parse(&delivery.id);
            let event = event.map_err(|_| IoError::unreadable("message", "id"))?;
            writes.push(orders.replace_state(before, after, None)?);
            let traced = [TracedDelivery::from(*delivery)];
            writes.push(orders.trace_write(&after.key, &event, traced, now));
        }
        let capped = self.count_of_day(send, now);
        let cap_at = writes.len();
        writes.extend(capped);
        let counting = Counting { account, message: &message.id };
        match self.transact_counted(writes, counting, &tracking.changes(), now).await? {
            TransactionOutcome::Committed => Ok(CreatedSend::New),
            TransactionOutcome::Cancelled(cancelled) if cancelled.condition_failed(REQUEST) => {
                read_json(cancelled.existing(REQUEST)?, "json").map(CreatedSend::Duplicate)
            }
            // Its request is forgotten after 30 days, the message is not.
            TransactionOutcome::Cancelled(cancelled) if cancelled.condition_failed(TRACKING) => {
                let known = self.load_tracking(&tracking.key).await?.tracked.record;
                Ok(known.map_or(CreatedSend::RevMismatch, |it| CreatedSend::Duplicate(it.into())))
            }
            TransactionOutcome::Cancelled(cancelled) if cancelled.condition_failed(DELIVERY) => {
                Ok(CreatedSend::Erased)
            }
            TransactionOutcome::Cancelled(cancelled) if cancelled.condition_failed(cap_at) => {
                Ok(CreatedSend::Capped)
            }
            TransactionOutcome::Cancelled(_) => Ok(CreatedSend::RevMismatch),
        }
    }

    /// Counts a message of a rule for its shopper's day.
    fn count_of_day(&self, send: &NewSend<'_>, now: Timestamp) -> Option<Write> {
        let RuleLimits { day, daily_cap, .. } = send.rule?;
        let row = day_key(&send.message.account_code, send.to, day);
        let changes = Changes::new().add(COUNT, number(1)).set("ttl", ttl(now, COUNTED_DAYS));
        let last = daily_cap?.saturating_sub(1);
        let has_room = attr(COUNT).absent().or(attr(COUNT).at_most(number(last)));
        Some(Write::update(&self.table, row, changes).only_if(has_room))
    }

    /// The messages of rules to a shopper on a day, as far as there is a cap.
    pub async fn sent_by_rules(
        &self,
        account: &AccountCode,
        to: &Contact,
        day: &str,
    ) -> Result<u32, IoError> {
        let keys = KeysAndAttributes::builder().keys(day_key(account, to, day));
        let rows = batch_get(&self.client, &self.table, keys.consistent_read(true)).await?;
        Ok(rows.first().and_then(|row| read_number(row, COUNT)).unwrap_or_default())
    }

    /// Keeps a message that a rule did not send, if its id is new. Its order does not show it.
    pub async fn record_skipped(&self, message: &Message, now: Timestamp) -> Result<(), IoError> {
        let writes = vec![self.request_write(message, None, now)?, self.record_write(message)?];
        match transact(&self.client, writes).await? {
            TransactionOutcome::Cancelled(it) if it.condition_failed(REQUEST) => Ok(()),
            outcome => outcome.unless_conflict(),
        }
    }

    /// True if there is a message of ours with this id about the order.
    pub async fn has_request(&self, order: &OrderKey, id: &SendId) -> Result<bool, IoError> {
        let row = key(order_pk(order), format!("id:{}", id.as_str()));
        let keys = KeysAndAttributes::builder().keys(row).consistent_read(true);
        Ok(!batch_get(&self.client, &self.table, keys).await?.is_empty())
    }
}

impl NewSend<'_> {
    fn expires_at(&self) -> Option<Timestamp> {
        self.rule.map(|rule| rule.expires_at)
    }
}

fn day_key(account: &AccountCode, to: &Contact, day: &str) -> Item {
    key(conversation_pk(account, to), format!("sent:{day}"))
}

//! The messages table: messages of orders, provider reports about them, and conversations.
//!
//! | partition | sort key | row |
//! |---|---|---|
//! | `order:…` | `at:{sent_at}/{id}` | a message, by time |
//! | | `id:{id}` | a request by its id, to detect its repeat; 30 days |
//! | `sends:…` | as `order:…` | messages of ours about no order |
//! | `message:…` | `track` | the provider's reports about a message; conditional on `rev` |
//! | | | under the provider's id of a message of ours: `of`, our id, which has the reports |
//! | `stats:…` | `{template}/{shard}` | the figures of a day; 400 days |
//! | `talk:…` | `at:{at}/{message id}` | a message from or to a shopper, by time; 90 days |
//! | | `id:{other id}`, `id-before:{other id}` | another id of the same shopper, in both directions; 100 days |
//! | | `sent:{day}` | how many messages of rules the shopper got on a day, if there is a cap; 3 days |
//! | | `event:{event id}` | a further event with a message of theirs; 90 days |
//! | | `optout` | whether they want no messages; conditional on `rank` |
//! | `sender:…` | `account/{id}`, `number/{digits}` | what the provider says about a business account or number; conditional on `rev` |
//! | `template:…` | `{name}/{language}` | the same of a template |
//!
//! A `track` row that is not linked to an order expires after 90 days.

mod contacts;
mod conversations;
mod early_answers;
mod erase;
mod figures;
mod list;
mod opt_outs;
mod provider_states;
mod requests;
mod sends;
mod tracking;

use aws_sdk_dynamodb::Client;
use domain::core::id::{AccountCode, OrderKey};
use domain::core::timestamp::Timestamp;
use domain::messaging::figures::{Counted, day_of};
use domain::messaging::message::Message;
use domain::orders::order::Order;
use domain::pagination::{PageRequest, Slice};

pub use contacts::{ContactLink, LinkKind};
pub use conversations::StoredMessage;
pub use erase::ErasableMessages;
pub use figures::DayFigures;
pub use list::{FoundMessage, FoundMessages, MessageFilter, MessagesOf};
pub use provider_states::{StateKey, StateRow};
pub use requests::SeenRequest;
pub use sends::{CreatedSend, NewSend, RuleLimits};
pub use tracking::{SavedTracking, TrackingRow};

use figures::Counting;

use crate::error::IoError;
use crate::tables::attr::{Item, item, json, read_json, read_text, text, ttl};
use crate::tables::expression::attr;
use crate::tables::keys::{order_pk, tenant};
use crate::tables::orders::Orders;
use crate::tables::read::{first_page, limit, query, readable};
use crate::tables::transaction::TransactionOutcome;
use crate::tables::write::Write;

/// The partition key of the index `by_day`, which has every record.
const DAY: &str = "day";
/// Retention of what is about no order, like that of a conversation.
const DAYS_WITHOUT_ORDER: u64 = 90;

#[derive(Debug, Clone)]
pub struct Messages {
    client: Client,
    table: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    New,
    /// A message with this id is stored already.
    Duplicate(Box<Message>),
    /// The order or the tracking row was written since it was read: read both again.
    RevMismatch,
}

impl Messages {
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Stores a message together with its updated order and, for a provider's message, the tracking
    /// row that links to it.
    pub async fn record(
        &self,
        message: &Message,
        linked: Option<&TrackingRow>,
        orders: &Orders,
        [before, after]: [&Order; 2],
        now: Timestamp,
    ) -> Result<Recorded, IoError> {
        let mut writes = vec![
            self.request_write(message, None, now)?.returning_existing(),
            self.record_write(message)?,
            orders.replace_state(before, after, None)?,
        ];
        if let Some(linked) = linked {
            writes.extend(self.tracking_writes(linked, now)?);
        }
        let changes = match linked {
            Some(linked) => linked.changes(),
            None => Counted::changes(None, Counted::of_untracked(message).as_ref()),
        };
        let counting = Counting { account: &message.account_code, message: &message.id };
        match self.transact_counted(writes, counting, &changes, now).await? {
            TransactionOutcome::Committed => Ok(Recorded::New),
            TransactionOutcome::Cancelled(cancelled) if cancelled.condition_failed(0) => {
                read_json(cancelled.existing(0)?, "json").map(Recorded::Duplicate)
            }
            TransactionOutcome::Cancelled(_) => Ok(Recorded::RevMismatch),
        }
    }

    /// The record of a message, which lists find by its day.
    fn record_write(&self, message: &Message) -> Result<Write, IoError> {
        let mut row = row(&record_pk(message), format!("at:{}", sort_key(message)), message)?;
        row.insert(DAY.to_owned(), text(day_pk(&message.account_code, &day_of(message.sent_at))));
        if message.order_id.is_none() {
            row.insert("ttl".to_owned(), ttl(message.sent_at, DAYS_WITHOUT_ORDER));
        }
        Ok(Write::put(&self.table, row))
    }

    /// A page of an order's messages, newest first.
    pub async fn of_order(
        &self,
        key: &OrderKey,
        page: &PageRequest,
    ) -> Result<Slice<Message>, IoError> {
        self.newest_first(order_pk(key), page, |row| read_json(row, "json")).await
    }

    /// A page of a partition's rows `at:…`, newest first, without those that cannot be read.
    async fn newest_first<T>(
        &self,
        pk: String,
        page: &PageRequest,
        read: impl Fn(&Item) -> Result<T, IoError>,
    ) -> Result<Slice<T>, IoError> {
        // `;` follows `:`, so that `at;` is after each key that begins with `at:`.
        let mut until =
            page.after.as_ref().map_or_else(|| "at;".to_owned(), |after| format!("at:{after}"));
        loop {
            let (slice, last) = self.rows_before(&pk, &until, page.limit, &read).await?;
            match last {
                // The cursor is that of an item: a page without one would end the list.
                Some(last) if slice.items.is_empty() && slice.has_more => until = last,
                _ => return Ok(slice),
            }
        }
    }

    /// Rows before a sort key, newest first, and the sort key of the last.
    async fn rows_before<T>(
        &self,
        pk: &str,
        until: &str,
        max: usize,
        read: impl Fn(&Item) -> Result<T, IoError>,
    ) -> Result<(Slice<T>, Option<String>), IoError> {
        let range = attr("sk").between(text("at:"), text(until));
        let query = query(&self.client, &self.table, attr("pk").equals(text(pk)).and(range))
            .consistent_read(true)
            .scan_index_forward(false)
            .limit(limit(max.saturating_add(1)));
        let found = first_page(query).await?;
        // The range includes its end: the last row of the page before.
        let mut rows = found.rows;
        rows.retain(|row| read_text(row, "sk") != Ok(until));
        // A query reads 1 MB at most: it may return fewer rows although more follow.
        let has_more = found.next.is_some() || rows.len() > max;
        rows.truncate(max);
        let last = rows.last().map(|row| read_text(row, "sk").map(str::to_owned)).transpose()?;
        Ok((Slice { items: readable(&rows, "sk", read).collect(), has_more }, last))
    }
}

/// `{sent_at}/{id}`: a message's position among those of its order.
pub fn sort_key(message: &Message) -> String {
    format!("{}/{}", message.sent_at, message.id)
}

/// The partition of an account's messages of a day in the index `by_day`.
fn day_pk(account: &AccountCode, day: &str) -> String {
    format!("{}/{day}", tenant(account))
}

/// The partition of a message's record.
fn record_pk(message: &Message) -> String {
    match message.order() {
        Some(order) => order_pk(&order),
        None => format!("sends:{}", tenant(&message.account_code)),
    }
}

fn row(pk: &str, sk: String, message: &Message) -> Result<Item, IoError> {
    Ok(item([("pk", text(pk)), ("sk", text(sk)), ("json", json(message)?)]))
}

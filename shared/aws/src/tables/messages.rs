//! The messages table: messages beside their orders, what providers report of them, and what shoppers write.
//!
//! | partition | sort key | what |
//! |---|---|---|
//! | `order:…` | `at:{sent_at}/{id}` | a message, in the order of time |
//! | | `id:{id}` | the same message by its id: what makes a repeated request the same message; 30 days |
//! | `message:…` | `track` | what a provider reported of a message; `rev` is the condition of every write |
//! | `talk:…` | `at:{at}/{message id}` | what a shopper wrote, in the order of time; 90 days |
//!
//! A `track` that is linked to no order goes after 90 days.

mod conversations;
mod tracking;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{Put, ReturnValuesOnConditionCheckFailure};
use domain::core::id::OrderKey;
use domain::messaging::message::Message;
use domain::orders::order::Order;
use domain::pagination::{PageRequest, Slice};

pub use conversations::StoredMessage;
pub use tracking::TrackingRow;

use crate::error::IoError;
use crate::tables::attr::{Item, json, read_json, read_text, text, ttl};
use crate::tables::keys::order_pk;
use crate::tables::orders::Orders;
use crate::tables::transaction::{Write, transact};

/// A repeated request is recognised for so long.
const KEY_DAYS: u64 = 30;

/// The messages table.
#[derive(Debug, Clone)]
pub struct Messages {
    client: Client,
    table: String,
}

/// What became of a new message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// It is stored, and its order knows of it.
    Done,
    /// A message of this id is there already.
    Before(Box<Message>),
    /// Its order, or what its provider reported of it, was written in between: read it again.
    Stale,
}

impl Messages {
    /// The table of this name.
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Stores a message, the order that it makes newer, and with a provider's message the link from there.
    ///
    /// # Errors
    /// The tables cannot be written.
    pub async fn record(
        &self,
        message: &Message,
        linked: Option<&TrackingRow>,
        orders: &Orders,
        before: &Order,
        after: &Order,
    ) -> Result<Recorded, IoError> {
        let pk = order_pk(&after.key);
        let by_id = Put::builder()
            .table_name(&self.table)
            .set_item(Some(row(&pk, format!("id:{}", message.id), message)?))
            .item("ttl", ttl(message.sent_at, KEY_DAYS))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let by_time = Put::builder().table_name(&self.table);
        let by_time =
            by_time.set_item(Some(row(&pk, format!("at:{}", sort_key(message)), message)?));
        let mut writes = vec![
            Write::Put(by_id),
            Write::Put(by_time),
            orders.replace_state(before, after, None)?,
        ];
        if let Some(linked) = linked {
            writes.push(self.replace_tracking(linked, message.sent_at)?);
        }
        let Err(cancelled) = transact(&self.client, writes).await? else {
            return Ok(Recorded::Done);
        };
        if cancelled.failed(0) {
            return read_json(cancelled.row(0)?, "json").map(Recorded::Before);
        }
        Ok(Recorded::Stale)
    }

    /// An order's messages after `page.after`, newest first, at most `page.limit`.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn of_order(
        &self,
        key: &OrderKey,
        page: &PageRequest,
    ) -> Result<Slice<Message>, IoError> {
        self.newest(order_pk(key), page, |item| read_json(item, "json")).await
    }

    /// A partition's rows `at:…` after `page.after`, newest first, at most `page.limit`.
    async fn newest<T>(
        &self,
        pk: String,
        page: &PageRequest,
        read: impl Fn(&Item) -> Result<T, IoError>,
    ) -> Result<Slice<T>, IoError> {
        // `:` stands right before `;`: everything that begins with `at:`, or is before the cursor.
        let until =
            page.after.as_ref().map_or_else(|| "at;".to_owned(), |after| format!("at:{after}"));
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .scan_index_forward(false)
            .limit(i32::try_from(page.limit.saturating_add(1)).unwrap_or(i32::MAX))
            .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :until")
            .expression_attribute_values(":pk", text(pk))
            .expression_attribute_values(":from", text("at:"))
            .expression_attribute_values(":until", text(&until));
        let answer = query.send().await.map_err(|error| IoError::of("dynamodb:Query", &error))?;
        // The range includes its end, which is the last row of the page before.
        let rows: Vec<&Item> = answer
            .items()
            .iter()
            .filter(|item| read_text(item, "sk") != Ok(until.as_str()))
            .collect();
        // DynamoDB reads 1 MB at once: there may be fewer rows than asked for, and more after them.
        let has_more = answer.last_evaluated_key.is_some() || rows.len() > page.limit;
        let items = rows.into_iter().take(page.limit).map(read).collect::<Result<_, _>>()?;
        Ok(Slice { items, has_more })
    }
}

/// A message's place among its order's: `{sent_at}/{id}`.
pub fn sort_key(message: &Message) -> String {
    format!("{}/{}", message.sent_at, message.id)
}

fn row(pk: &str, sk: String, message: &Message) -> Result<Item, IoError> {
    Ok(Item::from([
        ("pk".to_owned(), text(pk)),
        ("sk".to_owned(), text(sk)),
        ("json".to_owned(), json(message)?),
    ]))
}

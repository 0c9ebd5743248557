//! What providers report of messages, by the provider's id.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, Put};
use domain::core::timestamp::Timestamp;
use domain::messaging::linked::TrackedMessage;
use domain::messaging::message_status::ProviderMessageKey;
use domain::orders::order::Order;

use super::Messages;
use crate::error::IoError;
use crate::tables::attr::{Item, json, number, read_json, read_number, read_text, text, ttl};
use crate::tables::batch_get::{MAX_KEYS, batch_get};
use crate::tables::orders::Orders;
use crate::tables::transaction::{Write, transact};

/// So long a message is kept that nobody links to an order.
const UNLINKED_DAYS: u64 = 90;
const ABSENT: &str = "attribute_not_exists(pk)";
const UNCHANGED: &str = "rev = :before";

/// A provider's message as it was read, to be changed and written back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackingRow {
    /// Which message.
    pub key: ProviderMessageKey,
    /// What is known of it.
    pub tracked: TrackedMessage,
    rev: u64,
}

impl TrackingRow {
    /// How often it was written: 0 if there is no row yet.
    pub fn rev(&self) -> u64 {
        self.rev
    }
}

impl Messages {
    /// What is known of these messages, in the order asked for; of some of them it may be nothing yet. A row that
    /// cannot be read hides no other.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn load_trackings(
        &self,
        keys: &[ProviderMessageKey],
    ) -> Result<Vec<Result<TrackingRow, IoError>>, IoError> {
        let mut found = BTreeMap::new();
        for some in keys.chunks(MAX_KEYS) {
            // A call takes no key twice.
            let asked: BTreeMap<String, Item> =
                some.iter().map(|key| (track_pk(key), primary_key(key))).collect();
            let asked = KeysAndAttributes::builder().set_keys(Some(asked.into_values().collect()));
            for row in batch_get(&self.client, &self.table, asked.consistent_read(true)).await? {
                found.insert(read_text(&row, "pk")?.to_owned(), row);
            }
        }
        Ok(keys.iter().map(|key| read(key, found.get(&track_pk(key)))).collect())
    }

    /// What is known of this message; it may be nothing yet.
    ///
    /// # Errors
    /// The table or the row cannot be read.
    pub async fn load_tracking(&self, key: &ProviderMessageKey) -> Result<TrackingRow, IoError> {
        let row = self.load_trackings(std::slice::from_ref(key)).await?.pop();
        row.unwrap_or_else(|| read(key, None))
    }

    /// Writes a message back, unless somebody else wrote it since it was read.
    ///
    /// # Errors
    /// The table cannot be written.
    pub async fn save_tracking(&self, row: &TrackingRow, now: Timestamp) -> Result<bool, IoError> {
        let (condition, before) = condition(row);
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item(row, now)?));
        let put = put.condition_expression(condition).set_expression_attribute_values(before);
        let Err(error) = put.send().await else { return Ok(true) };
        match error.as_service_error() {
            Some(
                PutItemError::ConditionalCheckFailedException(_)
                | PutItemError::TransactionConflictException(_),
            ) => Ok(false),
            _ => Err(IoError::of("dynamodb:PutItem", &error)),
        }
    }

    /// Writes a message back together with its order, unless somebody else wrote one of them since.
    ///
    /// # Errors
    /// The tables cannot be written.
    pub async fn save_tracking_and_order(
        &self,
        row: &TrackingRow,
        orders: &Orders,
        before: &Order,
        after: &Order,
        now: Timestamp,
    ) -> Result<bool, IoError> {
        let writes =
            vec![self.replace_tracking(row, now)?, orders.replace_state(before, after, None)?];
        Ok(transact(&self.client, writes).await?.is_ok())
    }

    pub(super) fn replace_tracking(
        &self,
        row: &TrackingRow,
        now: Timestamp,
    ) -> Result<Write, IoError> {
        let (condition, before) = condition(row);
        let put = Put::builder().table_name(&self.table).set_item(Some(item(row, now)?));
        Ok(Write::Put(put.condition_expression(condition).set_expression_attribute_values(before)))
    }
}

/// A message's partition. The account's length stands before it: no id, whatever it contains, reads as another's.
fn track_pk(key: &ProviderMessageKey) -> String {
    format!("message:{}:{}:{}", key.account.as_str().len(), key.account, key.message.as_str())
}

fn primary_key(key: &ProviderMessageKey) -> Item {
    Item::from([("pk".to_owned(), text(track_pk(key))), ("sk".to_owned(), text("track"))])
}

fn item(row: &TrackingRow, now: Timestamp) -> Result<Item, IoError> {
    let mut item = primary_key(&row.key);
    item.insert("rev".to_owned(), number(row.rev + 1));
    item.insert("json".to_owned(), json(&row.tracked)?);
    if row.tracked.record.is_none() {
        item.insert("ttl".to_owned(), ttl(now, UNLINKED_DAYS));
    }
    Ok(item)
}

type Values = Option<std::collections::HashMap<String, AttributeValue>>;

fn condition(row: &TrackingRow) -> (&'static str, Values) {
    if row.rev == 0 {
        (ABSENT, None)
    } else {
        (UNCHANGED, Some([(":before".to_owned(), number(row.rev))].into()))
    }
}

fn read(key: &ProviderMessageKey, item: Option<&Item>) -> Result<TrackingRow, IoError> {
    let Some(item) = item else {
        return Ok(TrackingRow { key: key.clone(), tracked: TrackedMessage::default(), rev: 0 });
    };
    let rev = read_number(item, "rev").ok_or_else(|| IoError::unreadable("dynamodb", "rev"))?;
    Ok(TrackingRow { key: key.clone(), tracked: read_json(item, "json")?, rev })
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use domain::core::id::AccountCode;
    use domain::messaging::channel::ProviderMessageId;
    use domain::messaging::message::{Message, MessageKey, NewMessage};
    use domain::messaging::message_status::ProviderStatus;

    use super::*;

    fn key(account: &str, message: &str) -> ProviderMessageKey {
        let (account, message) = (AccountCode::parse(account), ProviderMessageId::parse(message));
        ProviderMessageKey { account: account.unwrap(), message: message.unwrap() }
    }

    fn time(minute: u32) -> Timestamp {
        Timestamp::parse(&format!("2026-01-20T10:{minute:02}:00Z")).unwrap()
    }

    #[test]
    fn no_id_reads_as_another() {
        assert_ne!(track_pk(&key("A", "B:C")), track_pk(&key("A:B", "C")));
        assert_ne!(track_pk(&key("1:A", "B")), track_pk(&key("A", "B")));
        assert_ne!(track_pk(&key("A", "x")), track_pk(&key("A", "X")));
    }

    #[test]
    fn what_is_not_linked_goes_away_by_itself() {
        let body = br#"{"order_id":"O","account_code":"A","message_status":"queued","message_id":"wamid.1"}"#;
        let record = Message::new(
            NewMessage::read(body).unwrap(),
            &MessageKey::Provider("wamid.1"),
            time(0),
        );
        let mut row = read(&key("A", "wamid.1"), None).unwrap();
        row.tracked.tracking.observe(ProviderStatus::Sent, time(0));
        assert!(item(&row, time(0)).unwrap().contains_key("ttl"));
        row.tracked.link(&record);
        assert!(!item(&row, time(0)).unwrap().contains_key("ttl"));
    }

    #[test]
    fn a_row_is_written_over_what_was_read() {
        let mut row = read(&key("A", "wamid.1"), None).unwrap();
        assert_eq!(condition(&row), (ABSENT, None));
        row.tracked.tracking.observe(ProviderStatus::Sent, time(0));
        let stored = item(&row, time(0)).unwrap();
        let again = read(&row.key, Some(&stored)).unwrap();
        assert_eq!((&again.tracked, again.rev), (&row.tracked, 1));
        assert_eq!(
            condition(&again),
            (UNCHANGED, Some([(":before".to_owned(), number(1))].into()))
        );
        assert_eq!(item(&again, time(0)).unwrap()["rev"], number(2));
        assert!(read(&row.key, Some(&Item::new())).is_err());
    }
}

//! The status of messages as their providers report it, by the provider's message id.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::KeysAndAttributes;
use domain::core::id::EventId;
use domain::core::timestamp::Timestamp;
use domain::messaging::channel::ProviderMessageId;
use domain::messaging::figures::Counted;
use domain::messaging::linked::TrackedMessage;
use domain::messaging::message::Message;
use domain::messaging::message_status::{ProviderMessageKey, ProviderStatus};
use domain::orders::order::Order;

use super::{DAYS_WITHOUT_ORDER, Messages, SeenRequest};
use crate::error::IoError;
use crate::tables::attr::{
    Item, json, number, read_json, read_number, read_text, read_texts, text, texts, ttl,
};
use crate::tables::batch_get::{MAX_KEYS, batch_get};
use crate::tables::expression::{Condition, attr, no_row};
use crate::tables::keys::{key, tenant};
use crate::tables::orders::Orders;
use crate::tables::write::Write;

/// A message has four statuses, as a rule.
const MAX_EVENTS: usize = 50;
/// The attribute of a row that leads to another one.
const OF: &str = "of";
/// The attribute of a row that the figures include. Releases before the figures wrote rows without it.
const COUNTED: &str = "counted";

/// A message's tracking as it was read, to be changed and written back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackingRow {
    pub key: ProviderMessageKey,
    pub tracked: TrackedMessage,
    /// The events that reported about it, by which erasing finds their bodies.
    pub events: BTreeSet<EventId>,
    rev: u64,
    /// What the figures include.
    counted: Option<Counted>,
    /// The row under the provider's id, which leads to this one from the next write on.
    adopted: Option<(ProviderMessageKey, u64)>,
}

/// A tracking row was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SavedTracking {
    /// Until when somebody may watch its order live.
    pub watched_until: Option<Timestamp>,
}

impl TrackingRow {
    /// A row that is not stored yet.
    pub fn new(key: ProviderMessageKey) -> Self {
        let (tracked, events) = (TrackedMessage::default(), BTreeSet::new());
        Self { key, tracked, events, rev: 0, counted: None, adopted: None }
    }

    /// Takes what was reported under the provider's id of this message, which is of ours. Reports
    /// under that id come to this row from the next write on. Has no effect if someone else recorded
    /// a message under that id.
    pub fn adopt(&mut self, provider: Self) {
        self.tracked.provider_id = Some(provider.key.message.clone());
        if provider.tracked.record.is_none() {
            self.tracked.tracking.join(&provider.tracked.tracking);
            if let Some(at) = provider.tracked.replied_at {
                self.tracked.answer(at);
            }
            self.tracked.early_answers.extend(provider.tracked.early_answers);
            self.events.extend(provider.events);
            self.adopted = Some((provider.key, provider.rev));
        }
    }

    /// The number of writes so far: 0 if there is no row yet.
    pub fn rev(&self) -> u64 {
        self.rev
    }

    /// What the next write changes in the figures.
    pub(super) fn changes(&self) -> Vec<Counted> {
        Counted::changes(self.counted.as_ref(), Counted::of(&self.tracked).as_ref())
    }

    /// Notes an event that changes the message, unless enough are noted.
    pub fn note(&mut self, event: &EventId) {
        if self.events.len() < MAX_EVENTS {
            self.events.insert(event.clone());
        }
    }
}

impl Messages {
    /// The tracking of these messages, in this order; empty for an unknown message. A message of ours
    /// may be named by our id or by the provider's. Unreadable rows are errors of their own.
    pub async fn load_trackings(
        &self,
        keys: &[ProviderMessageKey],
    ) -> Result<Vec<Result<TrackingRow, IoError>>, IoError> {
        let mut rows = self.tracking_items(keys).await?;
        let own = |key: &ProviderMessageKey| own_key(key, rows.get(&tracking_pk(key)));
        let resolved: Vec<ProviderMessageKey> =
            keys.iter().map(|key| own(key).unwrap_or_else(|| key.clone())).collect();
        let led: Vec<ProviderMessageKey> = keys.iter().filter_map(own).collect();
        rows.extend(self.tracking_items(&led).await?);
        Ok(resolved.iter().map(|key| read(key, rows.get(&tracking_pk(key)))).collect())
    }

    /// By partition key.
    async fn tracking_items(
        &self,
        keys: &[ProviderMessageKey],
    ) -> Result<BTreeMap<String, Item>, IoError> {
        let mut rows = BTreeMap::new();
        for chunk in keys.chunks(MAX_KEYS) {
            // DynamoDB rejects a request that names a key twice.
            let keys: BTreeMap<String, Item> =
                chunk.iter().map(|key| (tracking_pk(key), tracking_key(key))).collect();
            let keys = KeysAndAttributes::builder().set_keys(Some(keys.into_values().collect()));
            for row in batch_get(&self.client, &self.table, keys.consistent_read(true)).await? {
                rows.insert(read_text(&row, "pk")?.to_owned(), row);
            }
        }
        Ok(rows)
    }

    /// As [`Messages::load_trackings`], for a page: an unreadable row is logged, and `None`.
    pub async fn readable_trackings(
        &self,
        keys: &[ProviderMessageKey],
    ) -> Result<Vec<Option<TrackingRow>>, IoError> {
        let rows = self.load_trackings(keys).await?;
        let log = |error: &IoError| tracing::error!(%error, "message.unreadable_tracking");
        Ok(rows.into_iter().map(|row| row.inspect_err(log).ok()).collect())
    }

    /// The tracking of a message; empty for an unknown message.
    pub async fn load_tracking(&self, key: &ProviderMessageKey) -> Result<TrackingRow, IoError> {
        let row = self.load_trackings(std::slice::from_ref(key)).await?.pop();
        row.unwrap_or_else(|| read(key, None))
    }

    /// Writes a tracking row whose status was `before`, together with its order if the order shows
    /// this message's status. `None` if one of them was written since it was read, or is being
    /// written.
    pub async fn save_tracking(
        &self,
        row: &TrackingRow,
        before: Option<ProviderStatus>,
        orders: &Orders,
        now: Timestamp,
    ) -> Result<Option<SavedTracking>, IoError> {
        let order = self.changed_order(row, before, orders).await?;
        let watched_until = order.as_ref().and_then(|order| order.watched_until);
        let write = order.map(|order| order_write(row, &order, orders, now)).transpose()?.flatten();
        let is_saved = self.save_counted(row, write.into_iter().collect(), now).await?;
        Ok(is_saved.then_some(SavedTracking { watched_until }))
    }

    /// As [`Messages::save_tracking`]; also notes the request that moved the status, so that its
    /// repeat has no effect. `false` if one of the rows was written since it was read, or if the request was noted already.
    pub async fn save_move(
        &self,
        row: &TrackingRow,
        before: Option<ProviderStatus>,
        orders: &Orders,
        SeenRequest { message, answer }: &SeenRequest,
        now: Timestamp,
    ) -> Result<bool, IoError> {
        let request = self.request_write(message, Some(answer), now)?;
        let order = self.changed_order(row, before, orders).await?;
        let order = order.map(|order| order_write(row, &order, orders, now)).transpose()?.flatten();
        let others = [request].into_iter().chain(order);
        self.save_counted(row, others.collect(), now).await
    }

    /// The order that the message is about, if the message's status changes.
    async fn changed_order(
        &self,
        row: &TrackingRow,
        before: Option<ProviderStatus>,
        orders: &Orders,
    ) -> Result<Option<Order>, IoError> {
        match row.tracked.record.as_ref().and_then(Message::order) {
            Some(order) if row.tracked.tracking.status() != before => orders.load(&order).await,
            _ => Ok(None),
        }
    }

    pub(super) fn tracking_writes(
        &self,
        row: &TrackingRow,
        now: Timestamp,
    ) -> Result<Vec<Write>, IoError> {
        let put = |item, rev| Write::put(&self.table, item).only_if(unchanged(rev));
        let mut writes = vec![put(item(row, now)?, row.rev)];
        if let Some((provider, rev)) = &row.adopted {
            let mut alias = alias(provider, &row.key, *rev);
            if !is_of_order(row) {
                alias.insert("ttl".to_owned(), ttl(now, DAYS_WITHOUT_ORDER));
            }
            writes.push(put(alias, *rev));
        }
        Ok(writes)
    }
}

/// The write of an order that shows this message's status.
fn order_write(
    row: &TrackingRow,
    order: &Order,
    orders: &Orders,
    now: Timestamp,
) -> Result<Option<Write>, IoError> {
    let Some(record) = row.tracked.record.as_ref().filter(|it| it.is_newest(&order.state)) else {
        return Ok(None);
    };
    let after = record.latest_on(order, row.tracked.display_status(record), now);
    orders.replace_state(order, &after, None).map(Some)
}

fn tracking_pk(key: &ProviderMessageKey) -> String {
    format!("message:{}:{}", tenant(&key.account), key.message.as_str())
}

pub(super) fn tracking_key(message: &ProviderMessageKey) -> Item {
    key(tracking_pk(message), "track")
}

fn item(row: &TrackingRow, now: Timestamp) -> Result<Item, IoError> {
    let mut item = tracking_key(&row.key);
    item.insert("rev".to_owned(), number(row.rev + 1));
    item.insert("json".to_owned(), json(&row.tracked)?);
    item.insert(COUNTED.to_owned(), number(1));
    if !row.events.is_empty() {
        item.insert("events".to_owned(), texts(row.events.iter().map(EventId::as_str)));
    }
    if !is_of_order(row) {
        item.insert("ttl".to_owned(), ttl(now, DAYS_WITHOUT_ORDER));
    }
    Ok(item)
}

/// What is about an order is kept as long as the order.
fn is_of_order(row: &TrackingRow) -> bool {
    row.tracked.record.as_ref().is_some_and(|record| record.order_id.is_some())
}

/// The row under the provider's id of a message of ours.
fn alias(provider: &ProviderMessageKey, own: &ProviderMessageKey, rev: u64) -> Item {
    let mut item = tracking_key(provider);
    item.insert("rev".to_owned(), number(rev + 1));
    item.insert(OF.to_owned(), text(own.message.as_str()));
    item
}

/// The key of the message of ours to which a row leads.
fn own_key(key: &ProviderMessageKey, item: Option<&Item>) -> Option<ProviderMessageKey> {
    let message = ProviderMessageId::parse(read_text(item?, OF).ok()?)?;
    Some(ProviderMessageKey { account: key.account.clone(), message })
}

fn unchanged(rev: u64) -> Condition {
    if rev == 0 { no_row() } else { attr("rev").equals(number(rev)) }
}

pub(super) fn read(key: &ProviderMessageKey, item: Option<&Item>) -> Result<TrackingRow, IoError> {
    let Some(item) = item else { return Ok(TrackingRow::new(key.clone())) };
    let rev = read_number(item, "rev").ok_or_else(|| IoError::unreadable("dynamodb", "rev"))?;
    let events = read_texts(item, "events").iter().filter_map(|id| EventId::parse(id).ok());
    let events = events.collect();
    let tracked = read_json(item, "json")?;
    let counted = if item.contains_key(COUNTED) { Counted::of(&tracked) } else { None };
    Ok(TrackingRow { key: key.clone(), tracked, events, rev, counted, adopted: None })
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use domain::core::id::AccountCode;
    use domain::messaging::channel::ProviderMessageId;
    use domain::messaging::message::{Message, MessageKey, NewMessage};

    use super::*;
    use crate::client::fake::{FakeAws, clients};

    #[tokio::test]
    async fn shows_a_page_without_an_unreadable_row() {
        let rows = r#"{"Responses":{"messages":[
            {"pk":{"S":"message:1:A:wamid.1"},"sk":{"S":"track"},"rev":{"N":"1"},"json":{"S":"{"}},
            {"pk":{"S":"message:1:A:wamid.2"},"sk":{"S":"track"},"rev":{"N":"7"},
             "json":{"S":"{\"track\":{},\"record\":null}"}}]}}"#;
        let fake = FakeAws::sequence(&[(200, rows)]);
        let dynamodb = clients(fake.edge()).dynamodb();
        let messages = Messages::new(dynamodb, "messages".to_owned());
        let keys = ["wamid.1", "wamid.2", "wamid.3"].map(|id| key("A", id));
        let rows = messages.readable_trackings(&keys).await.unwrap();
        let revs: Vec<Option<u64>> = rows.iter().map(|row| row.as_ref().map(|it| it.rev)).collect();
        assert_eq!(revs, [None, Some(7), Some(0)]);
    }

    fn key(account: &str, message: &str) -> ProviderMessageKey {
        let (account, message) = (AccountCode::parse(account), ProviderMessageId::parse(message));
        ProviderMessageKey { account: account.unwrap(), message: message.unwrap() }
    }

    fn time(minute: u32) -> Timestamp {
        Timestamp::parse(&format!("2026-01-20T10:{minute:02}:00Z")).unwrap()
    }

    #[test]
    fn keys_of_different_tenants_differ() {
        assert_ne!(tracking_pk(&key("A", "B:C")), tracking_pk(&key("A:B", "C")));
        assert_ne!(tracking_pk(&key("1:A", "B")), tracking_pk(&key("A", "B")));
        assert_ne!(tracking_pk(&key("A", "x")), tracking_pk(&key("A", "X")));
    }

    #[test]
    fn only_unlinked_rows_expire() {
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
    fn replaces_only_the_row_that_was_read() {
        let mut row = read(&key("A", "wamid.1"), None).unwrap();
        assert_eq!(unchanged(row.rev), no_row());
        row.tracked.tracking.observe(ProviderStatus::Sent, time(0));
        let stored = item(&row, time(0)).unwrap();
        let again = read(&row.key, Some(&stored)).unwrap();
        assert_eq!((&again.tracked, again.rev), (&row.tracked, 1));
        assert_eq!(unchanged(again.rev), attr("rev").equals(number(1)));
        assert_eq!(item(&again, time(0)).unwrap()["rev"], number(2));
        assert!(read(&row.key, Some(&Item::new())).is_err());
    }
}

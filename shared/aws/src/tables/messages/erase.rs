//! Erases the messages of an order, and the conversation of its shopper.

use std::collections::BTreeSet;

use domain::core::id::{AccountCode, EventId, OrderKey};
use domain::messaging::conversation::Contact;
use domain::messaging::message::Message;
use domain::messaging::message_status::ProviderMessageKey;
use domain::messaging::send::SendId;

use super::conversations::{EVENT, EVENT_PREFIX, conversation_pk};
use super::tracking::tracking_key;
use super::{Messages, TrackingRow, record_pk, sort_key};
use crate::error::IoError;
use crate::tables::attr::{Item, item, read_json, read_text};
use crate::tables::concurrency::run_all;
use crate::tables::expression::attr;
use crate::tables::keys::{key as row_key, order_pk};
use crate::tables::read::{all_rows, query};
use crate::tables::write::Write;

/// Rows that are to be erased, and the events that have the same content.
#[derive(Debug, Default)]
pub struct ErasableMessages {
    pub events: BTreeSet<EventId>,
    /// Messages of ours about no order, whose deliveries have the same content.
    pub sends: BTreeSet<SendId>,
    /// To whom messages of ours went.
    pub recipients: BTreeSet<Contact>,
    rows: Vec<Item>,
}

impl Messages {
    /// The messages of an order, and their provider's reports.
    pub async fn erasable_of_order(&self, order: &OrderKey) -> Result<ErasableMessages, IoError> {
        let rows = self.partition(order_pk(order)).await?;
        let messages = rows.iter().map(|row| read_json::<Message>(row, "json"));
        let messages = messages.collect::<Result<Vec<_>, _>>()?;
        let keys: BTreeSet<_> = messages.iter().filter_map(Message::tracking_key).collect();
        let keys: Vec<ProviderMessageKey> = keys.into_iter().collect();
        let recipients = messages.iter().filter_map(|it| Some(it.send.as_ref()?.to.clone()));
        let recipients = recipients.collect();
        let mut erasable = ErasableMessages { rows, recipients, ..ErasableMessages::default() };
        for tracking in self.load_trackings(&keys).await? {
            let TrackingRow { key, tracked, events, .. } = tracking?;
            // An order may have a request about a message of another one, which was refused.
            if tracked.record.is_none_or(|record| record.order().as_ref() == Some(order)) {
                erasable.events.extend(events);
                erasable.rows.push(tracking_key(&key));
                let account = key.account;
                let alias =
                    tracked.provider_id.map(|message| ProviderMessageKey { account, message });
                erasable.rows.extend(alias.map(|alias| tracking_key(&alias)));
            }
        }
        Ok(erasable)
    }

    /// The messages from and to a contact, by all their ids.
    pub async fn erasable_conversation(
        &self,
        account: &AccountCode,
        with: &Contact,
    ) -> Result<ErasableMessages, IoError> {
        let mut erasable = ErasableMessages::default();
        for id in self.ids_of(account, with).await? {
            erasable.rows.extend(self.partition(conversation_pk(account, &id)).await?);
        }
        let events = erasable.rows.iter().filter_map(|row| {
            let noted = read_text(row, "sk").ok().and_then(|sk| sk.strip_prefix(EVENT_PREFIX));
            EventId::parse(noted.or_else(|| read_text(row, EVENT).ok())?).ok()
        });
        for event in events.collect::<Vec<_>>() {
            match SendId::parse(event.as_str()) {
                Some(send) => drop(erasable.sends.insert(send)),
                None => drop(erasable.events.insert(event)),
            }
        }
        self.add_sends_about_no_order(account, &mut erasable).await?;
        Ok(erasable)
    }

    /// Messages about an order are erased with it, as its other data.
    async fn add_sends_about_no_order(
        &self,
        account: &AccountCode,
        erasable: &mut ErasableMessages,
    ) -> Result<(), IoError> {
        let sends: Vec<SendId> = std::mem::take(&mut erasable.sends).into_iter().collect();
        let keys: Vec<_> = sends.iter().map(|send| send.tracking_key(account)).collect();
        let rows = self.load_trackings(&keys).await?;
        for (send, row) in sends.into_iter().zip(rows) {
            let TrackingRow { key, tracked, events, .. } = row?;
            let Some(record) = tracked.record.filter(|record| record.order_id.is_none()) else {
                continue;
            };
            let pk = record_pk(&record);
            let by_time = format!("at:{}", sort_key(&record));
            erasable
                .rows
                .extend([by_time, format!("id:{}", record.id)].map(|sk| row_key(pk.clone(), sk)));
            erasable.rows.push(tracking_key(&key));
            let alias = tracked.provider_id;
            let alias = alias.map(|message| ProviderMessageKey { account: key.account, message });
            erasable.rows.extend(alias.map(|alias| tracking_key(&alias)));
            erasable.events.extend(events);
            erasable.sends.insert(send);
        }
        Ok(())
    }

    /// Returns the number of rows.
    pub async fn erase(&self, erasable: &ErasableMessages) -> Result<u64, IoError> {
        let deletes = erasable.rows.iter().map(async |row| {
            let key = item([("pk", row["pk"].clone()), ("sk", row["sk"].clone())]);
            Write::delete(&self.table, key).send(&self.client).await.map(drop)
        });
        let deleted = run_all(deletes).await?;
        Ok(u64::try_from(deleted.len()).unwrap_or(u64::MAX))
    }

    async fn partition(&self, pk: String) -> Result<Vec<Item>, IoError> {
        let rows = attr("pk").equals(crate::tables::attr::text(pk));
        all_rows(query(&self.client, &self.table, rows).consistent_read(true)).await
    }
}

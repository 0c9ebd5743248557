//! Messages from and to shoppers, by contact. Their content is never logged.

use domain::core::id::{AccountCode, EventId};
use domain::core::raw_json::RawJson;
use domain::messaging::conversation::{Contact, ConversationMessage};
use domain::pagination::{PageRequest, Slice};

use super::Messages;
use crate::error::IoError;
use crate::tables::attr::{Item, item, json, read_json, read_text, text, ttl};
use crate::tables::keys::tenant;
use crate::tables::write::{Write, WriteOutcome};

/// Retention of conversation messages.
pub(super) const RETENTION_DAYS: u64 = 90;
/// The event that a message came with.
pub(super) const EVENT: &str = "event";
pub(super) const EVENT_PREFIX: &str = "event:";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMessage {
    /// The cursor of the page after this message.
    pub sort_key: String,
    pub message: RawJson,
}

impl Messages {
    /// Stores a message from or to a contact. `false` if it is stored already.
    pub async fn insert_conversation(
        &self,
        account: &AccountCode,
        with: &Contact,
        message: &ConversationMessage<'_>,
        event: &EventId,
    ) -> Result<bool, IoError> {
        let mut row = conversation_row(account, with, message)?;
        row.insert(EVENT.to_owned(), text(event.as_str()));
        match Write::insert(&self.table, row).returning_existing().send(&self.client).await? {
            WriteOutcome::Applied(_) => Ok(true),
            WriteOutcome::ConditionFailed(row) if read_text(&row, EVENT) == Ok(event.as_str()) => {
                Ok(false)
            }
            // Another event has the message too: erasing must find its body.
            WriteOutcome::ConditionFailed(_) => {
                self.note_event(account, with, event, message.received_at()).await.map(|()| false)
            }
        }
    }

    /// A page of the messages between a contact, by all their ids, and an account, newest first.
    pub async fn conversation(
        &self,
        account: &AccountCode,
        with: &Contact,
        page: &PageRequest,
    ) -> Result<Slice<StoredMessage>, IoError> {
        let mut slices = Vec::new();
        for id in self.ids_of(account, with).await? {
            slices.push(self.newest_first(conversation_pk(account, &id), page, read).await?);
        }
        Ok(merge(slices, page.limit))
    }
}

/// Merges pages of several partitions into one. Messages older than the end of a page that does not
/// hold all its partition has are left out: that partition may have newer ones.
fn merge(slices: Vec<Slice<StoredMessage>>, limit: usize) -> Slice<StoredMessage> {
    let incomplete = slices.iter().filter(|slice| slice.has_more);
    let ends = incomplete.filter_map(|slice| slice.items.last());
    let oldest = ends.map(|message| message.sort_key.clone()).max().unwrap_or_default();
    let mut has_more = slices.iter().any(|slice| slice.has_more);
    let mut items: Vec<StoredMessage> = slices
        .into_iter()
        .flat_map(|slice| slice.items)
        .filter(|message| message.sort_key >= oldest)
        .collect();
    items.sort_by(|one, other| other.sort_key.cmp(&one.sort_key));
    items.dedup_by(|one, other| one.sort_key == other.sort_key);
    has_more |= items.len() > limit;
    items.truncate(limit);
    Slice { items, has_more }
}

/// Without the event that it came with.
pub(super) fn conversation_row(
    account: &AccountCode,
    with: &Contact,
    message: &ConversationMessage<'_>,
) -> Result<Item, IoError> {
    Ok(item([
        ("pk", text(conversation_pk(account, with))),
        ("sk", text(format!("at:{}", message.sort_key()))),
        ("json", json(message)?),
        ("ttl", ttl(message.received_at(), RETENTION_DAYS)),
    ]))
}

pub(super) fn conversation_pk(account: &AccountCode, with: &Contact) -> String {
    format!("talk:{}:{}", tenant(account), with.as_str())
}

fn read(row: &Item) -> Result<StoredMessage, IoError> {
    let sk = read_text(row, "sk")?;
    let sort_key = sk.strip_prefix("at:").ok_or_else(|| IoError::unreadable("dynamodb", "sk"))?;
    Ok(StoredMessage { sort_key: sort_key.to_owned(), message: read_json(row, "json")? })
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::client::fake::{FakeAws, clients};

    #[test]
    fn keys_of_different_tenants_differ() {
        let key = |account: &str, from: &str| {
            conversation_pk(&AccountCode::parse(account).unwrap(), &Contact::parse(from).unwrap())
        };
        assert_ne!(key("A", "B:C"), key("A:B", "C"));
        assert_ne!(key("1:A", "B"), key("A", "B"));
    }

    #[tokio::test]
    async fn unreadable_messages_do_not_end_the_list() {
        let row = |sk: &str, json: &str| serde_json::json!({"pk": {"S": "talk"}, "sk": {"S": sk}, "json": {"S": json}});
        let (bad, good) = (row("at:b/2", "{"), row("at:a/1", "1"));
        let responses = [vec![], vec![&bad, &good], vec![&bad, &good]];
        let responses = responses.map(|rows| serde_json::json!({"Items": rows}).to_string());
        let responses = std::sync::Mutex::new(std::collections::VecDeque::from(responses));
        let fake = FakeAws::new(move |_| (200, responses.lock().unwrap().pop_front().unwrap()));
        let messages = Messages::new(clients(fake.edge()).dynamodb(), "messages".to_owned());
        let account = AccountCode::parse("STORE001").unwrap();
        let with = Contact::parse("919876543210").unwrap();
        let page = PageRequest { limit: 1, after: None };
        let found = messages.conversation(&account, &with, &page).await.unwrap();
        let keys: Vec<_> = found.items.iter().map(|it| it.sort_key.as_str()).collect();
        assert_eq!((keys, found.has_more), (vec!["a/1"], false));
    }

    fn slice(sort_keys: &str, has_more: bool) -> Slice<StoredMessage> {
        let message = |key: char| StoredMessage {
            sort_key: key.to_string(),
            message: serde_json::from_str("1").unwrap(),
        };
        Slice { items: sort_keys.chars().map(message).collect(), has_more }
    }

    #[test]
    fn merges_the_pages_of_several_ids() {
        for (one, other, limit, expected, has_more) in [
            (slice("9531", false), slice("864", false), 9, "9865431", false),
            (slice("95", false), slice("95", false), 9, "95", false),
            (slice("9531", false), slice("864", false), 3, "986", true),
            // `5` and older may follow `7` in the first partition.
            (slice("97", true), slice("854", false), 3, "987", true),
            (slice("97", true), slice("86", true), 2, "98", true),
            (slice("", false), slice("", false), 2, "", false),
        ] {
            let page = merge(vec![one, other], limit);
            let keys: String = page.items.iter().map(|message| message.sort_key.as_str()).collect();
            assert_eq!((keys.as_str(), page.has_more), (expected, has_more));
        }
    }
}

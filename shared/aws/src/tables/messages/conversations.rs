//! Messages from and to shoppers, by contact. Their content is never logged.

use domain::core::id::AccountCode;
use domain::core::raw_json::RawJson;
use domain::messaging::conversation::{Contact, ConversationMessage};
use domain::pagination::{PageRequest, Slice};

use super::Messages;
use crate::error::IoError;
use crate::tables::attr::{Item, item, json, read_json, read_text, text, ttl};
use crate::tables::keys::tenant;
use crate::tables::write::Write;

/// Retention of conversation messages.
const RETENTION_DAYS: u64 = 90;

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
    ) -> Result<bool, IoError> {
        let row = item([
            ("pk", text(conversation_pk(account, with))),
            ("sk", text(format!("at:{}", message.sort_key()))),
            ("json", json(message)?),
            ("ttl", ttl(message.received_at(), RETENTION_DAYS)),
        ]);
        Ok(Write::insert(&self.table, row).send(&self.client).await?.is_applied())
    }

    /// A page of the messages between a contact and an account, newest first.
    pub async fn conversation(
        &self,
        account: &AccountCode,
        with: &Contact,
        page: &PageRequest,
    ) -> Result<Slice<StoredMessage>, IoError> {
        self.newest_first(conversation_pk(account, with), page, read).await
    }
}

fn conversation_pk(account: &AccountCode, with: &Contact) -> String {
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

    #[test]
    fn keys_of_different_tenants_differ() {
        let key = |account: &str, from: &str| {
            conversation_pk(&AccountCode::parse(account).unwrap(), &Contact::parse(from).unwrap())
        };
        assert_ne!(key("A", "B:C"), key("A:B", "C"));
        assert_ne!(key("1:A", "B"), key("A", "B"));
    }
}

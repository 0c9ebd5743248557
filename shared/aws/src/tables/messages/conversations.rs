//! What shoppers write, by who wrote. Never logged.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use domain::core::id::AccountCode;
use domain::core::raw_json::RawJson;
use domain::messaging::conversation::{Contact, ConversationMessage};
use domain::pagination::{PageRequest, Slice};

use super::Messages;
use crate::error::IoError;
use crate::tables::attr::{Item, json, read_json, read_text, text, ttl};

const DAYS: u64 = 90;

/// A message of a conversation, as it was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMessage {
    /// Its place, from which a next page begins.
    pub sort_key: String,
    /// The message.
    pub message: RawJson,
}

impl Messages {
    /// Keeps what a contact wrote, unless it is there; whether it was new.
    ///
    /// # Errors
    /// The table cannot be written.
    pub async fn insert_inbound(
        &self,
        account: &AccountCode,
        from: &Contact,
        message: &ConversationMessage<'_>,
    ) -> Result<bool, IoError> {
        let item = Item::from([
            ("pk".to_owned(), text(conversation_pk(account, from))),
            ("sk".to_owned(), text(format!("at:{}", message.sort_key()))),
            ("json".to_owned(), json(message)?),
            ("ttl".to_owned(), ttl(message.received_at(), DAYS)),
        ]);
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        let Err(error) = put.condition_expression("attribute_not_exists(pk)").send().await else {
            return Ok(true);
        };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(_)) => Ok(false),
            _ => Err(IoError::of("dynamodb:PutItem", &error)),
        }
    }

    /// What a contact wrote to an account before `page.after`, newest first, at most `page.limit`.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn conversation(
        &self,
        account: &AccountCode,
        with: &Contact,
        page: &PageRequest,
    ) -> Result<Slice<StoredMessage>, IoError> {
        self.newest(conversation_pk(account, with), page, read).await
    }
}

/// A conversation's partition. The account's length stands before it: no contact, whatever it is called, reads as
/// another's.
fn conversation_pk(account: &AccountCode, with: &Contact) -> String {
    format!("talk:{}:{account}:{}", account.as_str().len(), with.as_str())
}

fn read(item: &Item) -> Result<StoredMessage, IoError> {
    let sk = read_text(item, "sk")?;
    let sort_key = sk.strip_prefix("at:").ok_or_else(|| IoError::unreadable("dynamodb", "sk"))?;
    Ok(StoredMessage { sort_key: sort_key.to_owned(), message: read_json(item, "json")? })
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn no_id_reads_as_another() {
        let key = |account: &str, from: &str| {
            conversation_pk(&AccountCode::parse(account).unwrap(), &Contact::parse(from).unwrap())
        };
        assert_ne!(key("A", "B:C"), key("A:B", "C"));
        assert_ne!(key("1:A", "B"), key("A", "B"));
    }
}

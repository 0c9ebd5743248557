//! A conversation message in answers of the API.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::core::raw_json::RawJson;
use crate::messaging::channel::ProviderMessageId;
use crate::messaging::send::SendId;

/// Fields that rows of older releases lack, with their values there.
const LATER_FIELDS: [(&str, &str); 4] =
    [("direction", "\"inbound\""), ("to", "null"), ("group_id", "null"), (STATUS, "null")];
/// Not stored with the message.
const STATUS: &str = "message_status";
/// The id to which answers refer. Of a message of ours it is not stored with the message.
const PROVIDER_ID: &str = "provider_id";

/// A stored message with its digits unchanged, and its status. Personal data: never logged.
#[derive(Serialize)]
#[serde(transparent)]
pub struct ConversationView(BTreeMap<String, RawJson>);

impl ConversationView {
    /// `None` if the stored text is no object.
    pub fn read(stored: &RawJson) -> Option<Self> {
        let mut fields: BTreeMap<String, RawJson> = serde_json::from_str(stored.as_str()).ok()?;
        for (name, value) in LATER_FIELDS {
            if !fields.contains_key(name) {
                fields.insert(name.to_owned(), serde_json::from_str(value).ok()?);
            }
        }
        let id = fields.get("message_id").cloned();
        let is_ours = id.as_ref().and_then(RawJson::to_text).and_then(|id| SendId::parse(&id));
        let provider_id = id.filter(|_| is_ours.is_none());
        let unknown = || serde_json::from_str("null").ok();
        fields.insert(PROVIDER_ID.to_owned(), provider_id.or_else(unknown)?);
        Some(Self(fields))
    }

    /// The id of a message of the business, which may have a status.
    pub fn outbound_id(&self) -> Option<ProviderMessageId> {
        let text = |name: &str| self.0.get(name).and_then(RawJson::to_text);
        let is_outbound = text("direction").as_deref() == Some("outbound");
        text("message_id").filter(|_| is_outbound).and_then(|id| ProviderMessageId::parse(&id))
    }

    pub fn set_status(&mut self, status: &'static str) {
        self.set(STATUS, status);
    }

    pub fn set_provider_id(&mut self, id: &ProviderMessageId) {
        self.set(PROVIDER_ID, id.as_str());
    }

    fn set(&mut self, field: &str, text: &str) {
        let json = serde_json::Value::from(text).to_string();
        if let Ok(json) = serde_json::from_str(&json) {
            self.0.insert(field.to_owned(), json);
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn view(stored: &str) -> ConversationView {
        ConversationView::read(&serde_json::from_str(stored).unwrap()).unwrap()
    }

    #[test]
    fn completes_rows_of_older_releases() {
        let old = view(r#"{"message_id":"wamid.A","from":"1650","content":{"latitude":-0.10}}"#);
        assert_eq!(old.outbound_id(), None);
        assert_eq!(
            serde_json::to_string(&old).unwrap(),
            r#"{"content":{"latitude":-0.10},"direction":"inbound","from":"1650","group_id":null,"message_id":"wamid.A","message_status":null,"provider_id":"wamid.A","to":null}"#
        );
    }

    #[test]
    fn shows_the_status_of_an_outbound_message() {
        let mut sent = view(r#"{"message_id":"wamid.A","direction":"outbound","to":"1650"}"#);
        assert_eq!(sent.outbound_id(), ProviderMessageId::parse("wamid.A"));
        sent.set_status("read");
        assert_eq!(
            serde_json::to_string(&sent).unwrap(),
            r#"{"direction":"outbound","group_id":null,"message_id":"wamid.A","message_status":"read","provider_id":"wamid.A","to":"1650"}"#
        );
    }

    #[test]
    fn shows_the_id_to_which_answers_to_a_message_of_ours_refer() {
        let id = SendId::new(crate::core::hash::Fingerprint::of("message"));
        let mut sent = view(&format!(r#"{{"message_id":"{}"}}"#, id.as_str()));
        let provider_id = |it: &ConversationView| it.0[PROVIDER_ID].as_str().to_owned();
        assert_eq!(provider_id(&sent), "null");
        sent.set_provider_id(&ProviderMessageId::parse("wamid.B").unwrap());
        assert_eq!(provider_id(&sent), "\"wamid.B\"");
    }

    #[test]
    fn rejects_stored_texts_that_are_no_object() {
        for text in ["[]", "null", "1", "\"x\""] {
            assert!(ConversationView::read(&serde_json::from_str(text).unwrap()).is_none());
        }
    }
}

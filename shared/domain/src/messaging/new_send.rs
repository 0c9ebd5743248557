//! The body of `POST /api/messages/whatsapp`.

use serde::Deserialize;

use crate::core::deserialize::Object;
use crate::core::hash::Fingerprint;
use crate::core::id::{AccountCode, OrderId};
use crate::core::raw_json::RawJson;
use crate::core::request_body::{InvalidBody, read_object};
use crate::core::timestamp::Timestamp;
use crate::messaging::cloud_api::{LanguageCode, Template, TemplateRequest};
use crate::messaging::message::{Message, Send};
use crate::messaging::message_details::TemplateName;
use crate::messaging::recipient::{CountryCode, Recipient};
use crate::messaging::send::SendId;

/// A template message to a shopper.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewSend {
    #[serde(alias = "accountCode")]
    pub account_code: Option<AccountCode>,
    #[serde(alias = "orderId")]
    pub order_id: Option<OrderId>,
    #[serde(deserialize_with = "recipient")]
    pub to: Recipient,
    pub template: NewTemplate,
    /// The provider's id of the phone number that sends it.
    #[serde(alias = "phoneNumberId")]
    pub phone_number_id: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewTemplate {
    pub name: TemplateName,
    pub language: LanguageCode,
    /// WhatsApp's components, passed through.
    #[serde(default, deserialize_with = "components")]
    pub components: Option<RawJson>,
}

impl NewSend {
    pub fn read(body: &[u8]) -> Result<Self, InvalidBody> {
        read_object(body)
    }

    /// The id of the message of this request: the same key of the same account is the same message
    /// (idempotency). Without a key, each request is a message of its own.
    pub fn id(account: &AccountCode, key: Option<&str>, request_id: &str) -> SendId {
        let hash = Fingerprint::of("send").with(account);
        SendId::new(match key {
            Some(key) => hash.with("key").with(key),
            None => hash.with("request").with(request_id),
        })
    }

    pub fn message(
        &self,
        id: &SendId,
        account: &AccountCode,
        number: &str,
        now: Timestamp,
    ) -> Option<Message> {
        let (template, to) = (self.template(), self.to.contact()?);
        let send = Send::new(number.to_owned(), to, &template, None);
        let (order, name) = (self.order_id.clone(), template.name().clone());
        Some(Message::of_send(id, account.clone(), order, name, Some(send), now))
    }

    /// What the provider is asked.
    pub fn request(&self, id: &SendId) -> TemplateRequest {
        TemplateRequest::new(&self.to, self.template(), id.as_str())
    }

    fn template(&self) -> Template {
        let NewTemplate { name, language, components } = self.template.clone();
        Template::new(name, language, components)
    }
}

fn recipient<'de, D: serde::Deserializer<'de>>(input: D) -> Result<Recipient, D::Error> {
    let text = String::deserialize(input)?;
    Recipient::parse(&text, &CountryCode::default()).ok_or_else(|| {
        serde::de::Error::custom(
            "must be a phone number with country code, or a user id of WhatsApp",
        )
    })
}

fn components<'de, D: serde::Deserializer<'de>>(input: D) -> Result<Option<RawJson>, D::Error> {
    let json = Option::<RawJson>::deserialize(input)?;
    let is_list = |json: &RawJson| {
        serde_json::from_str::<Vec<Object<serde::de::IgnoredAny>>>(json.as_str()).is_ok()
    };
    if json.as_ref().is_none_or(is_list) {
        Ok(json)
    } else {
        Err(serde::de::Error::custom("must be a list of objects"))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn body(change: &str) -> String {
        format!(
            r#"{{"to":"+91 98765 43210","template":{{"name":"shipped","language":"en"}}{change}}}"#
        )
    }

    fn read(body: &str) -> NewSend {
        NewSend::read(body.as_bytes()).unwrap()
    }

    fn id(account: &str, key: Option<&str>, request: &str) -> SendId {
        NewSend::id(&AccountCode::parse(account).unwrap(), key, request)
    }

    #[test]
    fn a_key_of_an_account_is_one_message() {
        assert_eq!(id("A", Some("k"), "r1"), id("A", Some("k"), "r2"));
        let all = [id("A", Some("k"), "r"), id("B", Some("k"), "r"), id("A", Some("l"), "r")];
        let unkeyed = [id("A", None, "k"), id("A", None, "r1"), id("A", None, "r2")];
        let ids: std::collections::BTreeSet<_> = all.iter().chain(&unkeyed).collect();
        assert_eq!(ids.len(), 6);
    }

    #[test]
    fn the_request_has_our_id_as_callback_data() {
        let (new, id) = (read(&body("")), id("A", Some("k"), "r"));
        let request: serde_json::Value = serde_json::from_str(&new.request(&id).to_json()).unwrap();
        assert_eq!(request["biz_opaque_callback_data"], id.as_str());
        assert_eq!(
            (&request["to"], &request["template"]["name"]),
            (&"+919876543210".into(), &"shipped".into())
        );
    }

    /// The components are part of what makes a request the same.
    #[test]
    fn other_parameters_are_another_request() {
        let message = |change: &str| {
            let (account, new) = (AccountCode::parse("A").unwrap(), read(change));
            new.message(&id("A", Some("k"), "r"), &account, "7", Timestamp::EPOCH).unwrap()
        };
        let first = message(&body(""));
        assert!(message(&body(r#","order_id":null"#)).repeats(&first));
        let components = r#"{"to":"+919876543210","template":{"name":"shipped","language":"en","components":[]}}"#;
        assert!(!message(components).repeats(&first));
        assert!(!message(&body(r#","order_id":"O-1""#)).repeats(&first));
    }

    #[test]
    fn errors_name_the_invalid_field_without_its_content() {
        for (body, field) in [
            (r#"{"template":{"name":"a","language":"en"}}"#, "to"),
            (r#"{"to":"canary","template":{"name":"a","language":"en"}}"#, "to"),
            (r#"{"to":919876543210,"template":{"name":"a","language":"en"}}"#, "to"),
            (r#"{"to":"+919876543210"}"#, "template"),
            (r#"{"to":"+919876543210","template":{"language":"en"}}"#, "template.name"),
            (
                r#"{"to":"+919876543210","template":{"name":"a","language":"canary!"}}"#,
                "template.language",
            ),
            (&body(r#","components":[]"#), "components"),
            (&body(r#","text":"canary""#), "text"),
        ] {
            let error = NewSend::read(body.as_bytes()).unwrap_err();
            let is_named = matches!(&error, InvalidBody::Invalid { field: at, .. } if at == field);
            assert!(is_named && !error.to_string().contains("canary"), "{body}: {error}");
        }
    }
}

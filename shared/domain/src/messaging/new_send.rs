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
    pub fn id(account: &AccountCode, key: Option<&str>, request_id: &str) -> Option<SendId> {
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

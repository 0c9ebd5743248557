//! WhatsApp's Cloud API: the request that sends a template message.
//!
//! Source: Meta's pages "Template messages", "Business-scoped user IDs" and "Error codes".

mod answer;
mod failure;

use serde::{Deserialize, Serialize};

use crate::core::hash::Fingerprint;
use crate::core::raw_json::RawJson;
use crate::messaging::channel::Content;
use crate::messaging::conversation::Contact;
use crate::messaging::message_details::TemplateName;
use crate::messaging::recipient::Recipient;

pub use answer::{Acceptance, SendAnswer};
pub use failure::{Refusal, SendFailure};

/// The language of a template, e.g. `en` or `pt_BR`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LanguageCode(String);

impl LanguageCode {
    /// 2 to 16 ASCII letters, with `_` or `-` between them.
    pub fn parse(text: &str) -> Option<Self> {
        let is_inner = |byte: u8| byte.is_ascii_alphabetic() || b"_-".contains(&byte);
        let is_code = (2..=16).contains(&text.len())
            && text.bytes().all(is_inner)
            && text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.ends_with(|c: char| c.is_ascii_alphabetic());
        is_code.then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for LanguageCode {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("must be a language code such as `en` or `pt_BR`")
    }
}

impl From<LanguageCode> for String {
    fn from(code: LanguageCode) -> Self {
        code.0
    }
}

/// Debug output is safe: [`RawJson`] is redacted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Template {
    name: TemplateName,
    language: Language,
    /// The values of the template's parameters: an array, byte for byte.
    #[serde(skip_serializing_if = "Option::is_none")]
    components: Option<RawJson>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Language {
    code: LanguageCode,
}

impl Template {
    pub fn new(name: TemplateName, code: LanguageCode, components: Option<RawJson>) -> Self {
        Self { name, language: Language { code }, components }
    }

    pub fn name(&self) -> &TemplateName {
        &self.name
    }

    pub fn language(&self) -> &LanguageCode {
        &self.language.code
    }

    pub fn hash_of_parameters(&self) -> String {
        let components = self.components.as_ref().map(RawJson::as_str);
        Fingerprint::of("parameters").with_option(components).finish()
    }

    /// As the conversation shows it.
    pub fn to_content(&self) -> Content {
        Content::Template {
            name: self.name.as_str().to_owned(),
            language: self.language.code.as_str().to_owned(),
            components: self.components.clone(),
        }
    }
}

/// Whom a request is for.
pub fn recipient_of(request: &[u8]) -> Option<Contact> {
    #[derive(Deserialize)]
    struct Named {
        to: Option<String>,
        recipient: Option<String>,
    }
    let named: Named = serde_json::from_slice(request).ok()?;
    Contact::parse(named.to.or(named.recipient)?.trim_start_matches('+'))
}

/// The body of `POST /{phone_number_id}/messages`. Personal data: never logged.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct TemplateRequest {
    messaging_product: &'static str,
    recipient_type: &'static str,
    /// A phone number. A user id in this field is answered 200, and dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    /// A business-scoped user id.
    #[serde(skip_serializing_if = "Option::is_none")]
    recipient: Option<String>,
    r#type: &'static str,
    template: Template,
    /// Comes back with every status of the message.
    biz_opaque_callback_data: String,
}

impl std::fmt::Debug for TemplateRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TemplateRequest")
            .field("id", &self.biz_opaque_callback_data)
            .field("template", &self.template)
            .finish_non_exhaustive()
    }
}

impl TemplateRequest {
    /// `id` is Waypost's id of the message.
    pub fn new(recipient: &Recipient, template: Template, id: &str) -> Self {
        // Without the `+`, WhatsApp may take the number for one of the business's own country.
        let (to, user) = match recipient {
            Recipient::Phone(digits) => (Some(format!("+{digits}")), None),
            Recipient::UserId(id) => (None, Some(id.clone())),
        };
        Self {
            messaging_product: "whatsapp",
            recipient_type: "individual",
            to,
            recipient: user,
            r#type: "template",
            template,
            biz_opaque_callback_data: id.to_owned(),
        }
    }

    pub fn template(&self) -> &Template {
        &self.template
    }

    pub fn to_json(&self) -> String {
        // String keys and no floats: serialization cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;

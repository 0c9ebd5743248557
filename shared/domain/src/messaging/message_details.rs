//! What a sender tells about a message besides its status.

use serde::{Deserialize, Deserializer, Serialize};

use crate::core::raw_json::RawJson;
use crate::messaging::channel::ChannelError;

/// A text of 1 to `MAX` characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Bounded<const MAX: usize>(String);

impl<const MAX: usize> Bounded<MAX> {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> TryFrom<String> for Bounded<MAX> {
    type Error = String;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let fits = !text.trim().is_empty() && text.chars().count() <= MAX;
        fits.then_some(Self(text)).ok_or_else(|| format!("must be 1 to {MAX} characters"))
    }
}

impl<const MAX: usize> From<Bounded<MAX>> for String {
    fn from(text: Bounded<MAX>) -> Self {
        text.0
    }
}

/// E.g. `whatsapp`, `sms`.
pub type ChannelName = Bounded<64>;
/// A name of a template at the provider. WhatsApp's have at most 512 characters.
pub type TemplateName = Bounded<512>;

type Code = Bounded<64>;
type Title = Bounded<256>;
type Details = Bounded<1024>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ErrorBody {
    #[serde(default, deserialize_with = "code")]
    code: Option<Code>,
    title: Option<Title>,
    details: Option<Details>,
}

/// Why the message failed: `{code?, title?, details?}`, or a text, which is the title.
pub(super) fn error<'de, D: Deserializer<'de>>(input: D) -> Result<Option<ChannelError>, D::Error> {
    use serde::de::Error;
    let Some(value) = Option::<RawJson>::deserialize(input)? else { return Ok(None) };
    if !value.is_object() {
        let text: Title = serde_json::from_str(value.as_str()).map_err(|_| {
            D::Error::custom("must be 1 to 256 characters, or {code?, title?, details?}")
        })?;
        return Ok(Some(ChannelError { code: None, title: Some(text.0), details: None }));
    }
    // The error of the inner reader would quote the content.
    let body: ErrorBody = serde_json::from_str(value.as_str()).map_err(|_| {
        D::Error::custom("must have a code (64 characters), a title (256) or details (1024)")
    })?;
    let error = ChannelError {
        code: body.code.map(String::from),
        title: body.title.map(String::from),
        details: body.details.map(String::from),
    };
    let has_content = error.code.is_some() || error.title.is_some() || error.details.is_some();
    Ok(has_content.then_some(error))
}

/// Providers' codes are numbers.
fn code<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Code>, D::Error> {
    let text = crate::core::deserialize::text_or_number(input)?;
    text.map(Code::try_from).transpose().map_err(serde::de::Error::custom)
}

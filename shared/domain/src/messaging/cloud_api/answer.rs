//! Reads the answer to a send.

use serde_json::Value;
use strum::{EnumString, IntoStaticStr};

use super::failure::{Refusal, SendFailure};
use crate::messaging::channel::{ChannelError, ProviderMessageId};

const TITLE_CHARS: usize = 256;
const DETAILS_CHARS: usize = 1024;

/// What WhatsApp does with an accepted template message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, IntoStaticStr, EnumString)]
#[strum(serialize_all = "snake_case")]
pub enum Acceptance {
    /// Also for a `message_status` that is missing or unknown.
    #[default]
    Accepted,
    /// The quality of a new template is assessed on its first messages.
    HeldForQualityAssessment,
    /// The template is paused.
    Paused,
}

impl Acceptance {
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendAnswer {
    Accepted {
        /// The `wamid`.
        message: ProviderMessageId,
        acceptance: Acceptance,
    },
    Failed {
        failure: SendFailure,
        error: ChannelError,
    },
}

impl SendAnswer {
    /// Any body has a reading. An id in a 2xx counts before everything else, as it means that the
    /// message was sent; without an error and without an id, the HTTP status is all there is.
    pub fn read(http_status: u16, body: &[u8]) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        match (accepted(&body), body.get("error")) {
            (Some(accepted), _) if (200..300).contains(&http_status) => accepted,
            (_, Some(error)) if error.is_object() => failed(error, http_status),
            _ => failed(&Value::Null, http_status),
        }
    }
}

fn accepted(body: &Value) -> Option<SendAnswer> {
    let message = body.get("messages")?.get(0)?;
    let acceptance = message.get("message_status").and_then(Value::as_str);
    Some(SendAnswer::Accepted {
        message: ProviderMessageId::parse(message.get("id")?.as_str()?)?,
        acceptance: acceptance.and_then(|text| text.parse().ok()).unwrap_or_default(),
    })
}

/// With code 100: the number in the URL does not exist, or the token has no permission for it. It is
/// the Graph API's answer, without the details that the Cloud API gives for a wrong parameter.
const UNKNOWN_OBJECT: i64 = 33;

fn failed(error: &Value, http_status: u16) -> SendAnswer {
    let code = error.get("code").and_then(code);
    let title = text(error.get("message"), TITLE_CHARS);
    let details = error.get("error_data").and_then(|data| data.get("details"));
    let subcode = error.get("error_subcode").and_then(self::code);
    SendAnswer::Failed {
        failure: match (code, subcode) {
            (Some(100), Some(UNKNOWN_OBJECT)) => SendFailure::PauseNumber(Refusal::Number),
            _ => SendFailure::of(code, http_status),
        },
        error: ChannelError {
            code: code.map(|code| code.to_string()),
            title: Some(title.unwrap_or_else(|| format!("HTTP {http_status}"))),
            details: text(details, DETAILS_CHARS),
        },
    }
}

/// Providers between us and WhatsApp write codes as strings.
fn code(value: &Value) -> Option<i64> {
    let code = value.as_i64().or_else(|| value.as_str()?.parse().ok())?;
    (code >= 0).then_some(code)
}

fn text(value: Option<&Value>, max: usize) -> Option<String> {
    let text = value?.as_str()?.trim();
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    (!text.is_empty()).then(|| plain.take(max).collect())
}

//! Messages that Waypost sends itself.

use serde::{Deserialize, Serialize};

use crate::core::hash::Fingerprint;
use crate::core::id::{AccountCode, EndpointName};
use crate::core::timestamp::Timestamp;
use crate::core::trace::TraceParent;
use crate::messaging::channel::{ChannelError, ProviderMessageId};
use crate::messaging::cloud_api::TemplateRequest;
use crate::messaging::message::Message;
use crate::messaging::message_status::ProviderMessageKey;
use crate::orders::order::Order;
use crate::webhooks::delivery::Delivery;
use crate::webhooks::kind::Kind;

const PREFIX: &str = "wa_";
/// The part of a number's name before its id. No endpoint has it: SSM allows no `:`.
const NUMBER_PREFIX: &str = "whatsapp:";

/// The id of a message of ours: the provider gets it as callback data, and returns it with each
/// status.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SendId(ProviderMessageId);

impl SendId {
    pub fn new(hash: Fingerprint) -> Self {
        Self(ProviderMessageId::of_hash(PREFIX, hash))
    }

    /// `None` for ids and callback data of other senders. One of theirs may look like ours.
    pub fn parse(text: &str) -> Option<Self> {
        const HASH: usize = 32;
        let hash = text.strip_prefix(PREFIX)?;
        let is_ours = hash.len() == HASH
            && hash.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        ProviderMessageId::parse(text).filter(|_| is_ours).map(Self)
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    pub fn as_message_id(&self) -> &ProviderMessageId {
        &self.0
    }

    /// Where the message's statuses are kept: under our id, because the provider's is known later.
    pub fn tracking_key(&self, account: &AccountCode) -> ProviderMessageKey {
        ProviderMessageKey { account: account.clone(), message: self.0.clone() }
    }
}

/// The name under which a phone number has its deliveries and its health, as endpoints have theirs.
pub fn endpoint_of_number(number: &str) -> Option<EndpointName> {
    EndpointName::parse(&format!("{NUMBER_PREFIX}{number}")).ok()
}

/// The provider's id of the phone number. `None` for an endpoint.
pub fn number_of_endpoint(endpoint: &EndpointName) -> Option<&str> {
    endpoint.as_str().strip_prefix(NUMBER_PREFIX)
}

/// A message of ours on its way out. `None` if the record is not of such a message.
pub fn delivery_of(
    message: &Message,
    request: &TemplateRequest,
    order: Option<&Order>,
    trace: Option<TraceParent>,
    now: Timestamp,
) -> Option<Delivery> {
    let kind = Kind::WhatsApp;
    Some(Delivery {
        v: kind.version(),
        id: message.id.clone(),
        run: 1,
        endpoint: endpoint_of_number(&message.send.as_ref()?.phone_number_id)?,
        kind,
        account: Some(message.account_code.clone()),
        order_id: message.order_id.clone(),
        version: None,
        order_created_at: order.map(|order| order.state.created_at),
        awb: None,
        probe: false,
        accepted_at: Some(now),
        traceparent: trace,
        body: request.to_json(),
    })
}

/// Why a message was not sent, and will not be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsent {
    /// The provider refused it, with this error code if its answer had one.
    Refused(Option<u32>),
    /// The shopper wants no messages of rules.
    OptedOut,
    /// What a rule would tell is too old by now.
    TooOld,
    /// The account's rules have its rule no more.
    RuleRemoved,
    /// The order has another phone number by now, or none.
    RecipientChanged,
    /// The order has another status by now.
    Outdated,
}

impl Unsent {
    /// In rows and logs. `None` if it is not known.
    pub fn reason(self) -> Option<String> {
        match self {
            Self::Refused(code) => code.map(|code| code.to_string()),
            Self::OptedOut => Some("opted_out".to_owned()),
            Self::TooOld => Some("too_old".to_owned()),
            Self::RuleRemoved => Some("rule_removed".to_owned()),
            Self::RecipientChanged => Some("recipient_changed".to_owned()),
            Self::Outdated => Some("outdated".to_owned()),
        }
    }
}

/// How sending a message ended, as a message of the events queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendResult {
    /// [`SendResult::VERSION`].
    pub v: u8,
    pub account: AccountCode,
    pub send: SendId,
    pub at: Timestamp,
    pub outcome: SendOutcome,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SendOutcome {
    /// The provider took it, under this id.
    Accepted { provider_id: ProviderMessageId },
    /// The provider refused it, or it was given up.
    Failed { error: ChannelError },
    /// The provider may have it.
    Unknown,
}

impl SendResult {
    /// Older releases, which cannot read it, leave a message of a later version in the queue.
    pub const VERSION: u8 = 2;

    pub fn to_message(&self) -> String {
        // String keys and no floats: serialization cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// `None` for an unreadable message or another version.
    pub fn read(message: &str) -> Option<Self> {
        serde_json::from_str(message).ok().filter(|result: &Self| result.v == Self::VERSION)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_ids_are_ours() {
        let id = SendId::new(Fingerprint::of("message").with("1"));
        assert_eq!(SendId::parse(id.as_str()), Some(id.clone()));
        let longer = format!("{}a", id.as_str());
        for text in ["", "wa_", "wamid.A", "order-1", "WA_", &longer, &id.as_str().to_uppercase()] {
            assert_eq!(SendId::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_number_has_a_name_that_no_endpoint_has() {
        let name = endpoint_of_number("106540352242922").unwrap();
        assert_eq!(name.as_str(), "whatsapp:106540352242922");
        assert_eq!(number_of_endpoint(&name), Some("106540352242922"));
        assert_eq!(number_of_endpoint(&EndpointName::parse("whatsapp").unwrap()), None);
    }

    #[test]
    fn a_result_reads_back() {
        let result = |outcome| SendResult {
            v: SendResult::VERSION,
            account: AccountCode::parse("A").unwrap(),
            send: SendId::new(Fingerprint::of("message")),
            at: Timestamp::EPOCH,
            outcome,
        };
        let error = ChannelError { code: Some("131026".to_owned()), title: None, details: None };
        let provider_id = ProviderMessageId::parse("wamid.A").unwrap();
        for outcome in [
            SendOutcome::Accepted { provider_id },
            SendOutcome::Failed { error },
            SendOutcome::Unknown,
        ] {
            let result = result(outcome);
            assert_eq!(SendResult::read(&result.to_message()), Some(result));
        }
        assert_eq!(SendResult::read(r#"{"v":3}"#), None);
    }
}

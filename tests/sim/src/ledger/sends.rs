//! The messages that Waypost was asked to send, and what became of them outside.

use std::collections::BTreeMap;

use domain::core::id::{AccountCode, OrderKey};
use domain::core::timestamp::Timestamp;
use domain::messaging::send::SendResult;
use domain::webhooks::delivery::Delivery;
use domain::webhooks::kind::Kind;
use serde_json::Value;

use crate::call::{Call, Service};
use crate::sandbox::SandboxId;
use crate::world::State;

#[derive(Default)]
pub(crate) struct SendsLedger {
    /// Answered 202, by id. A repeat has the id of the first.
    pub(crate) accepted: BTreeMap<String, Accepted>,
    /// Answered 409: their keys are said to be those of other messages.
    pub(crate) refused: Vec<(AccountCode, String)>,
    /// Requests without a key whose answer did not arrive: each may have made a message.
    pub(crate) uncertain: usize,
    /// Requests that reached the Cloud API.
    pub(crate) posts: Vec<CloudPost>,
    /// Outcomes that `deliver` told.
    pub(crate) results: Vec<SendResult>,
    /// By message: who claimed its attempts, and when.
    pub(crate) claims: BTreeMap<String, Vec<(SandboxId, u64)>>,
    /// How often `sweep` queued a message.
    pub(crate) swept: BTreeMap<String, usize>,
    pub(crate) crowd: Option<Crowd>,
}

/// Orders that change at one moment, each of which is to send one message.
pub(crate) struct Crowd {
    /// With the phone numbers of their shoppers.
    pub(crate) orders: BTreeMap<OrderKey, String>,
    pub(crate) at: u64,
}

/// A message that was accepted.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Accepted {
    pub(crate) account: AccountCode,
    pub(crate) order: Option<OrderKey>,
    pub(crate) key: Option<String>,
    pub(crate) body: Value,
    pub(crate) sent_at: Timestamp,
}

/// What the Cloud API made of a request, and whether its answer says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It has the message under this id.
    Accepted(String),
    /// The same, but the answer does not tell, or none arrives.
    AcceptedUnheard(String),
    /// It does not have the message, and says so.
    Refused,
    /// It does not have the message, but the answer does not tell, or none arrives.
    RefusedUnheard,
}

impl Verdict {
    /// The provider's id of the message.
    pub(crate) fn message(&self) -> Option<&str> {
        match self {
            Self::Accepted(id) | Self::AcceptedUnheard(id) => Some(id),
            Self::Refused | Self::RefusedUnheard => None,
        }
    }

    pub(crate) fn is_heard(&self) -> bool {
        matches!(self, Self::Accepted(_) | Self::Refused)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct CloudPost {
    pub(crate) id: String,
    pub(crate) number: String,
    pub(crate) verdict: Verdict,
    pub(crate) at: u64,
}

impl SendsLedger {
    /// The provider's ids of a message: more than one if it was sent twice.
    pub(crate) fn messages_of(&self, id: &str) -> impl Iterator<Item = &str> {
        let own = self.posts.iter().filter(move |post| post.id == id);
        own.filter_map(|post| post.verdict.message())
    }
}

impl State {
    /// Records a claim of the next attempt of a message, whether or not it succeeds.
    pub(crate) fn record_claim(&mut self, sandbox: SandboxId, call: &Call) {
        let request = &call.request;
        let is_claim = call.service == Service::DynamoDb
            && call.operation == "UpdateItem"
            && request["TableName"] == "DeliveriesTable"
            && request["UpdateExpression"]
                .as_str()
                .is_some_and(|update| update.contains("#lease_until = "));
        let id = request["Key"]["pk"]["S"].as_str().filter(|id| id.starts_with("wa_"));
        if let (true, Some(id)) = (is_claim, id) {
            let claim = (sandbox, self.now());
            self.ledger.sends.claims.entry(id.to_owned()).or_default().push(claim);
        }
    }

    pub(crate) fn record_swept(&mut self, delivery: &Delivery) {
        if delivery.kind == Kind::WhatsApp {
            *self.ledger.sends.swept.entry(delivery.id.clone()).or_default() += 1;
        }
    }

    pub(crate) fn record_send_results(&mut self, queue: &str, request: &Value) {
        if queue == "EventsQueue" {
            let body = request["MessageBody"].as_str();
            self.ledger.sends.results.extend(body.and_then(SendResult::read));
        }
    }
}

//! A source from the view of its sender: its path, a valid body and its credentials.

use std::borrow::Cow;

use domain::core::hash::Fingerprint;
use domain::core::id::EventId;
use serde_json::{Value, json};

use super::request::WebhookRequest;
use super::test_case::{Outcome, TestCase};
use super::test_order::TestOrder;
use crate::support::{Answer, stack, unique};

#[derive(Clone)]
pub struct SourceFixture {
    /// The source's name in reports.
    pub source: &'static str,
    /// The account of the path. It has no endpoints and no orders of other tests.
    pub account: String,
    pub path: String,
    /// A body that changes [`SourceFixture::order`] of the same tag.
    pub valid_body: fn(&str) -> Value,
    pub order: fn(&str) -> TestOrder,
    /// The headers that authenticate a body.
    pub credentials: fn(&[u8]) -> Vec<(&'static str, String)>,
    /// Further headers of every request.
    pub headers: &'static [(&'static str, &'static str)],
    pub fields: Fields,
}

/// JSON pointers into a valid body.
#[derive(Clone)]
pub struct Fields {
    /// The ids of the event, the order or the message.
    pub ids: &'static [&'static str],
    /// The provider's status.
    pub status: &'static str,
    pub time: &'static str,
    /// The time is in seconds since 1970 instead of a date.
    pub epoch_seconds: bool,
    /// Personal data.
    pub person: &'static str,
    pub list: &'static str,
}

impl SourceFixture {
    /// Moves the source to a new hook of a new account.
    pub async fn on_new_hook(self) -> Self {
        let account = unique("ACC-");
        let credentials = (self.credentials)(b"{}");
        let headers: Vec<(&str, &str)> =
            credentials.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let path = stack().hook(self.source, &json!({"account": account}), &headers).await;
        Self { account, path, ..self }
    }

    /// The same source on another path, of another account.
    pub fn at(&self, account: &str, path: &str) -> Self {
        Self { account: account.to_owned(), path: path.to_owned(), ..self.clone() }
    }

    /// A request with this body and valid credentials.
    pub fn request(&self, body: impl Into<Vec<u8>>) -> WebhookRequest {
        let request = WebhookRequest::json(&self.path, body);
        let request = (self.credentials)(&request.body)
            .into_iter()
            .fold(request, |request, (name, value)| request.with_header(name, value));
        self.headers
            .iter()
            .fold(request, |request, (name, value)| request.with_header(name, *value))
    }

    pub fn valid_request(&self, tag: &str) -> WebhookRequest {
        self.request((self.valid_body)(tag).to_string())
    }

    /// A valid request with a body of `size` bytes, padded with spaces.
    pub fn request_of_size(&self, tag: &str, size: usize) -> WebhookRequest {
        let mut body = (self.valid_body)(tag).to_string().into_bytes();
        body.resize(size, b' ');
        self.request(body)
    }

    /// A valid body with these values at these pointers.
    pub fn body_with(&self, tag: &str, values: &[(&str, Value)]) -> Value {
        let mut body = (self.valid_body)(tag);
        for (pointer, value) in values {
            put(&mut body, pointer, value.clone());
        }
        body
    }

    /// A valid body with this JSON text at one pointer. Unlike [`Value`], the text may contain
    /// numbers of any size, repeated keys and lone surrogates.
    pub fn body_with_text(&self, tag: &str, pointer: &str, json: &str) -> String {
        const PLACEHOLDER: &str = "placeholder of the text";
        let body = self.body_with(tag, &[(pointer, PLACEHOLDER.into())]);
        body.to_string().replacen(&format!("\"{PLACEHOLDER}\""), json, 1)
    }

    /// A case for an order of its own, with these values in a valid body.
    pub fn case_with(
        &self,
        name: &str,
        values: &[(&str, Value)],
        expected: Outcome,
    ) -> TestCase<'static> {
        let tag = unique("");
        let request = self.request(self.body_with(&tag, values).to_string());
        TestCase::new(name, request, expected).for_order(self.order(&tag))
    }

    pub fn order(&self, tag: &str) -> TestOrder {
        let mut order = (self.order)(tag);
        order.body["accountCode"] = self.account.as_str().into();
        order
    }

    /// The body without its credentials.
    pub fn stored_body<'a>(&self, request: &'a WebhookRequest) -> Cow<'a, [u8]> {
        sources::by_name(self.source).unwrap().without_credentials(&request.body)
    }

    /// All ids under which a request may be stored: fingerprints of its body, or the event id in
    /// its body or its answer.
    pub fn event_ids(&self, request: &WebhookRequest, answer: &Answer) -> Vec<EventId> {
        let body: Option<Value> = serde_json::from_slice(&request.body).ok();
        let names = [answer.json.get("event_id"), body.as_ref().and_then(|body| body.get("id"))];
        let names: Vec<&str> = names.into_iter().flatten().filter_map(Value::as_str).collect();
        let mut ids: Vec<EventId> =
            names.iter().filter_map(|name| EventId::parse(name).ok()).collect();
        let stored = self.stored_body(request);
        // WhatsApp bodies name their account themselves: some events have none.
        let no_account = (self.source == "whatsapp").then_some("");
        for account in [self.account.as_str()].into_iter().chain(no_account) {
            let base = |kind| Fingerprint::of(kind).with(self.source).with(account);
            ids.extend(names.iter().map(|name| base("named event").with(name).into()));
            ids.extend(["event", "quarantined event"].map(|kind| base(kind).with(&*stored).into()));
        }
        ids
    }
}

/// Sets the value at a pointer. Its parent object must exist.
pub fn put(body: &mut Value, pointer: &str, value: Value) {
    let (object, key) = pointer.rsplit_once('/').unwrap();
    body.pointer_mut(object).unwrap()[key] = value;
}

//! A source as its senders see it: where they send, what a good body is, and what proves who they are.

use domain::core::hash::Fingerprint;
use domain::core::id::EventId;
use serde_json::Value;

use super::case::Subject;
use super::post::{Answered, Post};

/// A path of a source, and how to use it well.
#[derive(Clone)]
pub struct Surface {
    /// As reports call it.
    pub source: &'static str,
    /// Whose the path is. No endpoint is told of it, and nobody else writes its orders.
    pub account: String,
    pub path: String,
    /// A body that moves [`Surface::subject`] of the same tag.
    pub good: fn(&str) -> Value,
    pub subject: fn(&str) -> Subject,
    /// The headers that prove who sends a body.
    pub credentials: fn(&[u8]) -> Vec<(&'static str, String)>,
    /// Headers that every request has.
    pub headers: &'static [(&'static str, &'static str)],
    pub fields: Fields,
}

/// Where a good body has what, as JSON pointers.
#[derive(Clone)]
pub struct Fields {
    /// What names the event, the order or the message.
    pub ids: &'static [&'static str],
    /// The provider's words for the status.
    pub words: &'static str,
    pub time: &'static str,
    /// Whether that is in seconds since 1970, and not a date.
    pub seconds: bool,
    /// Something about a person.
    pub person: &'static str,
    /// A list.
    pub list: &'static str,
}

impl Surface {
    /// The same by another path, of another account.
    pub fn at(&self, account: &str, path: &str) -> Self {
        Self { account: account.to_owned(), path: path.to_owned(), ..self.clone() }
    }

    /// A request with this body, as its provider would send it.
    pub fn post(&self, body: impl Into<Vec<u8>>) -> Post {
        let post = Post::to(&self.path, body);
        let post = (self.credentials)(&post.body)
            .into_iter()
            .fold(post, |post, (name, value)| post.with(name, value));
        self.headers.iter().fold(post, |post, (name, value)| post.with(name, *value))
    }

    /// A good request.
    pub fn good(&self, tag: &str) -> Post {
        self.post((self.good)(tag).to_string())
    }

    /// A good request of so many bytes: JSON may end in spaces.
    pub fn of_size(&self, tag: &str, size: usize) -> Post {
        let mut body = (self.good)(tag).to_string().into_bytes();
        body.resize(size, b' ');
        self.post(body)
    }

    /// A good body with this JSON text in one place, which may be one that good bodies do not have.
    pub fn with(&self, tag: &str, pointer: &str, json: &str) -> String {
        const PLACE: &str = "the place of it";
        let mut body = (self.good)(tag);
        put(&mut body, pointer, PLACE.into());
        body.to_string().replacen(&format!("\"{PLACE}\""), json, 1)
    }

    pub fn subject(&self, tag: &str) -> Subject {
        let mut subject = (self.subject)(tag);
        subject.order["accountCode"] = self.account.as_str().into();
        subject
    }

    /// The ids that a request may be kept under: made of its bytes, or of the id that its body or its answer names.
    pub fn event_ids(&self, post: &Post, answer: &Answered) -> Vec<EventId> {
        let body: Option<Value> = serde_json::from_slice(&post.body).ok();
        let names = [answer.json.get("event_id"), body.as_ref().and_then(|body| body.get("id"))];
        let names: Vec<&str> = names.into_iter().flatten().filter_map(Value::as_str).collect();
        let mut ids: Vec<EventId> =
            names.iter().filter_map(|name| EventId::parse(name).ok()).collect();
        // Of WhatsApp's bodies some are nobody's: they say themselves whose they are.
        let nobody = (self.source == "whatsapp").then_some("");
        for account in [self.account.as_str()].into_iter().chain(nobody) {
            let of = |kind| Fingerprint::of(kind).with(self.source).with(account);
            ids.extend(names.iter().map(|name| of("named event").with(name).into()));
            ids.extend(["event", "quarantined event"].map(|kind| of(kind).with(&post.body).into()));
        }
        ids
    }
}

/// Sets what a pointer names; the object that it is in has to be there.
pub fn put(body: &mut Value, pointer: &str, value: Value) {
    let (object, key) = pointer.rsplit_once('/').unwrap();
    body.pointer_mut(object).unwrap()[key] = value;
}

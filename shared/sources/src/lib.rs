//! The providers: how a request proves that it comes from one, and what its body claims.
//!
//! Bytes come in, reports go out; nothing here does IO or knows the time. A source is one file that implements
//! [`Source`] and one line in [`SOURCES`].

mod auth;
mod scans;
mod text;
mod times;

pub mod esahayak;
pub mod shiprocket;
pub mod shipway;
pub mod whatsapp;

use std::net::IpAddr;

use domain::core::hash::Fingerprint;
use domain::core::id::AccountCode;
use domain::core::request_body::InvalidBody;
use domain::core::timestamp::Timestamp;
use domain::messaging::channel::ChannelUpdate;
use domain::tracking::report::{Report, SourceName};

/// Every provider that may call us.
pub static SOURCES: &[&dyn Source] =
    &[&esahayak::Esahayak, &shiprocket::Shiprocket, &shipway::Shipway, &whatsapp::WhatsApp];

/// The source whose webhooks come in at `/webhooks/{path}`.
pub fn by_path(path: &str) -> Option<&'static dyn Source> {
    SOURCES.iter().copied().find(|source| source.path() == path)
}

/// The source of that name, e.g. the one that a logged event came from.
pub fn by_name(name: &str) -> Option<&'static dyn Source> {
    SOURCES.iter().copied().find(|source| source.name().as_str() == name)
}

/// A provider that calls us.
pub trait Source: Sync {
    /// As it stands in settings paths, reports and payloads.
    fn name(&self) -> SourceName;

    /// The last part of its webhook's path.
    fn path(&self) -> &'static str;

    /// The largest body it sends, in bytes.
    fn body_limit(&self) -> usize {
        1024 * 1024
    }

    /// Makes the check for its requests.
    ///
    /// # Errors
    /// Which parameter and field cannot be used.
    fn configure(&self, setup: &Setup<'_>) -> Result<Box<dyn Authenticator>, InvalidSetting>;

    /// What tells an admitted request from others of its source and account. It may be no envelope at all.
    fn dedup_key(&self, _request: &Request<'_>) -> DedupKey {
        DedupKey::Body
    }

    /// Reads a body that was admitted.
    ///
    /// # Errors
    /// The body is no envelope of this source. Odd content inside an envelope is none.
    fn read(&self, received: &Received<'_>) -> Result<Reading, Unreadable>;

    /// The sender's own name of this attempt, for our logs.
    fn attempt<'a>(&self, _request: &Request<'a>) -> Option<&'a str> {
        None
    }

    /// Whether it would send for days what is answered with an error. Then a body that cannot be read, kept for us to
    /// look at, is answered 200.
    fn retries_on_error(&self) -> bool {
        false
    }
}

/// What a source's parameters say, for one of its paths.
#[derive(Clone, Copy)]
pub struct Setup<'a> {
    /// The text of `settings`.
    pub settings: &'a str,
    /// The hook's own secret, else the text of `secret`.
    pub secret: Option<&'a str>,
    /// The hook that this is about, if it is not the source's plain path.
    pub hook: Option<Hook<'a>>,
}

/// A path of an account's own.
#[derive(Clone, Copy)]
pub struct Hook<'a> {
    /// The last part of the path. It is hard to guess if whoever set it up chose it so.
    pub id: &'a str,
    /// Whether it has a secret of its own.
    pub has_secret: bool,
}

/// The check of a source's requests, in the one mode that its settings choose.
pub trait Authenticator: Send + Sync {
    /// Whether a request comes from whom it should.
    ///
    /// # Errors
    /// It does not.
    fn authenticate(&self, request: &Request<'_>) -> Result<(), AuthError>;

    /// Whose a checked request is if it came by the source's plain path. A hook's path says so by itself.
    fn owner(&self, body: &[u8]) -> Owner;

    /// The answer to a provider that asks by GET whether this is the right address.
    fn handshake(&self, _query: &[(&str, &str)]) -> Handshake {
        Handshake::Unknown
    }
}

/// Whose a request is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// One account's.
    Account(AccountCode),
    /// Its updates say so, each for itself.
    Several,
    /// Nobody's: only hooks are open.
    Nobody,
}

/// The answer to a provider that asks whether this is the right address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handshake {
    /// It is: this text, as plain text.
    Echo(String),
    /// It is not, for one who asks like that: 403.
    Refused,
    /// This source does not ask: 404.
    Unknown,
}

/// What tells a request from others of its source and account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DedupKey {
    /// Its bytes.
    Body,
    /// Its bytes and the minute it came in: it names no time of its own, and may be true again later.
    BodyAndMinute,
    /// The provider's id for it. Other bytes under the same id are quarantined.
    ProviderId(String),
    /// Its bytes; and it contradicts itself, for this reason: it is quarantined.
    Contradictory(&'static str),
}

/// An admitted body.
#[derive(Clone, Copy)]
pub struct Received<'a> {
    /// Whose it is; absent where its updates say so, each for itself.
    pub account: Option<&'a AccountCode>,
    /// When it came in.
    pub at: Timestamp,
    /// To the byte.
    pub body: &'a [u8],
}

impl Received<'_> {
    /// The beginning of a report's id: what makes a claim the same claim goes after it.
    pub(crate) fn report_id(&self, source: &SourceName) -> Fingerprint {
        let account = self.account.map_or("", AccountCode::as_str);
        Fingerprint::of("report").with(account).with(source.as_str())
    }
}

/// What proves who sent a request.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// Its headers, names in any case.
    pub headers: &'a [(&'a str, &'a str)],
    /// The peer's address as API Gateway saw it; what headers say of it is the sender's to choose.
    pub source_ip: Option<IpAddr>,
    /// Its body, as sent.
    pub body: &'a [u8],
}

impl<'a> Request<'a> {
    /// The header of this name. Nothing where it comes twice: which one counts would be a guess.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        let mut values = self.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        let first = values.next();
        first.filter(|_| values.next().is_none()).map(|(_, value)| *value)
    }
}

/// What a body says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// Claims about orders.
    Reports(Items<Report>),
    /// ChannelEvent about messages.
    Updates(Items<ChannelUpdate>),
    /// Nothing, and why, e.g. `test_ping`.
    Ignored(&'static str),
}

/// What could be read of a list, one by one: an odd item hurts no other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Items<T> {
    /// In the order of the body.
    pub items: Vec<T>,
    /// How many could not be read.
    pub skipped: usize,
}

impl<T> From<Vec<T>> for Items<T> {
    fn from(items: Vec<T>) -> Self {
        Self { items, skipped: 0 }
    }
}

/// Why a request was not admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// It comes from elsewhere: 403.
    #[error("the address is not on the list")]
    Address,
    /// Its token or signature is missing or wrong: 401.
    #[error("the credentials are missing or wrong")]
    Credentials,
}

/// Why an admitted body cannot be read. Never quotes the body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Not JSON, not an object, nested too deep, or with a field of the wrong kind.
    #[error(transparent)]
    Body(#[from] InvalidBody),
    /// An object without what its source always sends.
    #[error("missing {0}")]
    Missing(&'static str),
}

impl Unreadable {
    /// The field at fault, where one is.
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Body(InvalidBody::Invalid { field, .. }) => Some(field),
            Self::Body(InvalidBody::Malformed(_)) => None,
            Self::Missing(field) => Some(field),
        }
    }
}

/// Which of a source's parameters cannot be used, and why. Never quotes their content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{parameter}{}: {problem}", .field.as_ref().map(|field| format!(" ({field})")).unwrap_or_default())]
pub struct InvalidSetting {
    /// `settings`, `secret` or `hooks`.
    pub parameter: &'static str,
    /// The field at fault, where one is.
    pub field: Option<String>,
    /// What is wrong.
    pub problem: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_is_found_by_its_one_name_and_path() {
        for source in SOURCES {
            let name = source.name();
            assert_eq!(by_path(source.path()).map(Source::name).as_ref(), Some(&name));
            assert_eq!(by_name(name.as_str()).map(Source::path), Some(source.path()));
        }
        assert!(by_path("shiprocket").is_none() && by_name("carrier").is_none());
    }

    #[test]
    fn a_header_is_found_in_any_case_but_not_twice() {
        let headers = [("X-Api-Key", "a"), ("x-twice", "a"), ("X-TWICE", "a")];
        let request = Request { headers: &headers, source_ip: None, body: b"" };
        assert_eq!(request.header("x-api-key"), Some("a"));
        assert_eq!(request.header("x-twice"), None);
        assert_eq!(request.header("x-other"), None);
    }
}

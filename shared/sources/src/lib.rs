//! The providers: how a request proves that it comes from one, and what its body claims.
//!
//! Bytes come in, reports go out; nothing here does IO or knows the time. A source is one file that implements
//! [`Source`] and one line in [`SOURCES`].

mod gate;
mod text;
mod times;

pub mod esahayak;
pub mod shiprocket;
pub mod shipway;

use std::net::IpAddr;

use domain::id::AccountCode;
use domain::json::InvalidBody;
use domain::report::{Report, SourceName};

/// Every provider that may call us.
pub static SOURCES: &[&dyn Source] = &[&shiprocket::Shiprocket];

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

    /// Makes the check for its requests from the texts of its `settings` and `secret` parameters.
    ///
    /// # Errors
    /// Which parameter and field cannot be used.
    fn configure(&self, settings: &str, secret: Option<&str>) -> Result<Box<dyn Gate>, InvalidSetting>;

    /// Reads a body that was admitted for this account.
    ///
    /// # Errors
    /// The body is no envelope of this source. Odd content inside an envelope is none.
    fn read(&self, account: &AccountCode, body: &[u8]) -> Result<Reading, Unreadable>;
}

/// The check of a source's requests, in the one mode that its settings choose.
pub trait Gate: Send + Sync {
    /// Whose request this is.
    ///
    /// # Errors
    /// It does not come from whom it should.
    fn admit(&self, request: &Request<'_>) -> Result<AccountCode, Denied>;
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
    /// Its claims, sorted by id.
    Reports(Vec<Report>),
    /// Nothing about any order, and why, e.g. `test_ping`.
    Ignored(&'static str),
}

/// Why a request was not admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
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
    /// Not JSON, not an object, or nested too deep.
    #[error(transparent)]
    Body(#[from] InvalidBody),
    /// An object without what its source always sends.
    #[error("missing {0}")]
    Missing(&'static str),
}

/// Which of a source's parameters cannot be used, and why. Never quotes their content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{parameter}{}: {problem}", .field.as_ref().map(|field| format!(" ({field})")).unwrap_or_default())]
pub struct InvalidSetting {
    /// `settings` or `secret`.
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

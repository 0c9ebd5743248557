//! Providers that send webhooks: authentication of their requests and parsing of their bodies.
//!
//! No IO and no clock. A source is one file that implements [`Source`], with its `mod` line here and
//! its line in [`SOURCES`].

pub mod auth;
mod credentials;
mod reading;
mod request;
mod scans;
mod setup;
#[cfg(test)]
mod testing;
mod text;
mod times;

pub mod esahayak;
pub mod shiprocket;
pub mod shipway;
pub mod whatsapp;

use std::borrow::Cow;

use domain::core::timestamp::Timestamp;
use domain::tracking::report::SourceName;

pub use auth::{AuthError, Authenticator, Handshake, Tenant};
pub use reading::{
    DedupKey, IgnoreReason, Items, Parsed, QuarantineReason, Reading, TenantHint, Unreadable,
};
pub use request::Request;
pub use setup::{Hook, InvalidSetting, Setup};

pub static SOURCES: &[&dyn Source] = &[
    // One line per source. The enums of openapi.yaml have the same order (`tests/openapi.rs`).
    &shiprocket::Shiprocket,
    &shipway::Shipway,
    &esahayak::Esahayak,
    &whatsapp::WhatsApp,
];

/// Finds the source that receives webhooks at `/webhooks/{path}`.
pub fn by_path(path: &str) -> Option<&'static dyn Source> {
    SOURCES.iter().copied().find(|source| source.path() == path)
}

pub fn by_name(name: &str) -> Option<&'static dyn Source> {
    SOURCES.iter().copied().find(|source| source.name().as_str() == name)
}

/// The sources that an order's `refs` may name.
pub fn ref_sources() -> Vec<SourceName> {
    SOURCES.iter().filter(|source| source.has_order_refs()).map(|source| source.name()).collect()
}

/// A provider that sends webhooks.
pub trait Source: Sync {
    /// Used in settings paths, reports and payloads.
    fn name(&self) -> SourceName;

    /// Last segment of the webhook path, `/webhooks/{path}`.
    fn path(&self) -> &'static str;

    /// Largest accepted body, in bytes.
    fn body_limit(&self) -> usize {
        1024 * 1024
    }

    /// Builds the authenticator for the plain path or for one hook.
    fn configure(&self, setup: &Setup<'_>) -> Result<Box<dyn Authenticator>, InvalidSetting>;

    /// Parses an authenticated request that was received `at`.
    ///
    /// `inbound` calls it once per request and `process` once per event. `process` has no headers:
    /// they may decide the dedup key, but not the reading.
    ///
    /// Fails only if the body is not an envelope of this source. Invalid values inside an envelope
    /// count as absent or as [`Items::skipped`].
    fn parse(&self, request: &Request<'_>, at: Timestamp) -> Result<Parsed, Unreadable>;

    /// The sender's id of the attempt, for the log.
    fn attempt_id<'a>(&self, _request: &Request<'a>) -> Option<&'a str> {
        None
    }

    /// Members of a body that hold a credential.
    fn credentials(&self) -> &'static [&'static str] {
        &[]
    }

    /// The body as it is stored: the same bytes, but for its credentials.
    fn without_credentials<'a>(&self, body: &'a [u8]) -> Cow<'a, [u8]> {
        credentials::without_credentials(body, self.credentials())
    }

    /// True if the sender retries for days after an error. Unreadable bodies, which are stored as
    /// failed events, are then answered 200 instead of 400.
    fn retries_on_error(&self) -> bool {
        false
    }

    /// True if reports carry the provider's order id. Orders may then have `refs.{name}`.
    fn has_order_refs(&self) -> bool {
        false
    }

    /// True for a status that is known to mean nothing for an order, such as "other". It is kept
    /// without effect, and without a warning about an unknown status.
    fn is_neutral_status(&self, _words: &str) -> bool {
        false
    }

    /// True if the sender probes the path with GET, HEAD or an empty POST before it sends webhooks.
    /// Probes are answered 200 without authentication, and not stored.
    fn answers_probes(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_source_by_its_name_and_path() {
        for source in SOURCES {
            let name = source.name();
            assert_eq!(by_path(source.path()).map(Source::name).as_ref(), Some(&name));
            assert_eq!(by_name(name.as_str()).map(Source::path), Some(source.path()));
        }
        assert!(by_path("shiprocket").is_none() && by_name("carrier").is_none());
    }
}

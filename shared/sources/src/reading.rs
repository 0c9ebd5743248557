//! The result of parsing a body.

use std::collections::BTreeSet;

use domain::core::request_body::InvalidBody;
use domain::messaging::channel::ChannelUpdate;
use domain::tracking::report::Report;
use strum::IntoStaticStr;

/// A parsed request: its dedup key, a hint at its tenant, and its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    pub dedup_key: DedupKey,
    pub tenant: TenantHint,
    pub reading: Reading,
}

/// Deduplicated by its bytes, with no tenant in the body.
impl From<Reading> for Parsed {
    fn from(reading: Reading) -> Self {
        Self { dedup_key: DedupKey::Body, tenant: TenantHint::default(), reading }
    }
}

/// The idempotency key of a request within its source and account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DedupKey {
    Body,
    /// For a body without a time: the same body may be sent again later with a new meaning.
    BodyAndMinute,
    /// The provider's id of the event. The same id with another body is quarantined.
    ProviderId(String),
    /// The request contradicts itself and is quarantined. Deduplicated by its bytes.
    Contradictory(QuarantineReason),
}

/// The recipients that a body names by the provider's ids, e.g. WhatsApp phone number ids. Empty if
/// some part of the body names none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TenantHint(pub BTreeSet<String>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    Reports(Items<Report>),
    Updates(Items<ChannelUpdate>),
    Ignored(IgnoreReason),
}

/// The valid items of a list, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Items<T> {
    pub items: Vec<T>,
    /// Number of invalid items left out.
    pub skipped: usize,
}

impl<T> From<Vec<T>> for Items<T> {
    fn from(items: Vec<T>) -> Self {
        Self { items, skipped: 0 }
    }
}

/// Why a valid body has no effect. Stored as the event's `reason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum IgnoreReason {
    EmptyFeed,
    NoOrderNamed,
    NoUpdates,
    OtherObject,
    TestPing,
    UnknownType,
}

impl IgnoreReason {
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Why an event is quarantined. Stored as the event's `reason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum QuarantineReason {
    /// The header that repeats the type of the event is missing or differs from the body.
    EventHeader,
    /// Another body came with the same [`DedupKey::ProviderId`].
    IdReused,
}

impl QuarantineReason {
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Why an authenticated body cannot be parsed. Never quotes the body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Not JSON, not an object, nested too deep, or a field of the wrong type.
    #[error(transparent)]
    Body(#[from] InvalidBody),
    /// A field that the source always sends is missing.
    #[error("missing {0}")]
    Missing(&'static str),
}

impl Unreadable {
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Body(InvalidBody::Invalid { field, .. }) => Some(field),
            Self::Body(InvalidBody::Malformed(_)) => None,
            Self::Missing(field) => Some(field),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_keep_their_stored_names() {
        use IgnoreReason::{
            EmptyFeed, NoOrderNamed, NoUpdates, OtherObject, TestPing, UnknownType,
        };
        for (reason, stored) in [
            (EmptyFeed, "empty_feed"),
            (NoOrderNamed, "no_order_named"),
            (NoUpdates, "no_updates"),
            (OtherObject, "other_object"),
            (TestPing, "test_ping"),
            (UnknownType, "unknown_type"),
        ] {
            assert_eq!(reason.as_str(), stored);
        }
        assert_eq!(QuarantineReason::EventHeader.as_str(), "event_header");
        assert_eq!(QuarantineReason::IdReused.as_str(), "id_reused");
    }
}

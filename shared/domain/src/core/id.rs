//! Ids of accounts, orders, parcels, events and endpoints.

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

pub const MAX_ID_BYTES: usize = 128;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidId {
    #[error("must not be empty")]
    Empty,
    #[error("must not be longer than 128 bytes")]
    TooLong,
    #[error("must not contain control characters or `/`")]
    BadCharacter,
    #[error("must not start or end with white space")]
    Surrounded,
    #[error("must not contain `?` or `%`")]
    Escape,
}

/// Normalises to Unicode NFC, so that two spellings of an id are one key.
fn normalise(text: &str) -> Result<String, InvalidId> {
    if text.trim().is_empty() {
        return Err(InvalidId::Empty);
    }
    if text.trim() != text {
        return Err(InvalidId::Surrounded);
    }
    if text.chars().any(|c| c.is_control() || c == '/') {
        return Err(InvalidId::BadCharacter);
    }
    let normal: String = text.nfc().collect();
    if normal.len() > MAX_ID_BYTES {
        return Err(InvalidId::TooLong);
    }
    Ok(normal)
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            pub fn parse(text: &str) -> Result<Self, InvalidId> {
                normalise(text).map(Self)
            }

            /// As [`Self::parse`], for an id that a caller chooses. It stands in paths, where proxies
            /// and clients escape and cut it differently if it has `?` or `%`. What providers name,
            /// and what is stored, may have them.
            pub fn parse_new(text: &str) -> Result<Self, InvalidId> {
                let id = Self::parse(text)?;
                if id.0.contains(['?', '%']) { Err(InvalidId::Escape) } else { Ok(id) }
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<[u8]> for $name {
            fn as_ref(&self) -> &[u8] {
                self.0.as_bytes()
            }
        }
    )+};
}

ids! {
    /// A tenant, e.g. `STORE001`. No data crosses accounts.
    AccountCode,
    /// Unique within its account; chosen by the customer.
    OrderId,
    /// The carrier's tracking number of a parcel (air waybill).
    Awb,
    /// A provider's id of an order or shipment.
    ProviderId,
    /// One request of a source, or one reconciled report. See docs/data-model.md.
    EventId,
    /// One report about one order; the key of its timeline entry (dedup).
    ReportId,
    /// Part of the endpoint's settings path.
    EndpointName,
}

impl OrderId {
    /// The order ids that a sender may mean by this one: with or without a leading `#`, as Shopify
    /// writes it, and without the id that Shiprocket appends.
    pub fn other_spellings(&self) -> Vec<Self> {
        let own = self.without_appended_id();
        [self.toggle_hash(), own.clone(), own.and_then(|own| own.toggle_hash())]
            .into_iter()
            .flatten()
            .collect()
    }

    fn toggle_hash(&self) -> Option<Self> {
        match self.0.strip_prefix('#') {
            Some(bare) => Self::parse(bare).ok(),
            None => Self::parse(&format!("#{self}")).ok(),
        }
    }

    /// The part before the last `_` if the rest is an id of Shiprocket. Shorter numbers count
    /// something of the shop's own.
    fn without_appended_id(&self) -> Option<Self> {
        const MIN_DIGITS: usize = 6;
        let (own, appended) = self.0.rsplit_once('_')?;
        let digits = appended.bytes().all(|byte| byte.is_ascii_digit());
        (digits && appended.len() >= MIN_DIGITS).then(|| Self::parse(own).ok()).flatten()
    }
}

impl Awb {
    /// Without leading zeros, if it is a number with some. Sources that send AWBs as JSON numbers
    /// drop them.
    fn bare(&self) -> Option<Self> {
        let bare = self.0.trim_start_matches('0');
        let number = self.0.bytes().all(|byte| byte.is_ascii_digit());
        (number && !bare.is_empty() && bare.len() < self.0.len()).then(|| Self(bare.to_owned()))
    }

    /// The spelling that identifies the parcel.
    #[must_use]
    pub fn canonical(&self) -> Self {
        self.bare().unwrap_or_else(|| self.clone())
    }

    pub fn is_same_parcel(&self, other: &Self) -> bool {
        self == other || self.canonical() == other.canonical()
    }
}

macro_rules! from_fingerprint {
    ($($name:ident),+) => {$(
        impl From<crate::core::hash::Fingerprint> for $name {
            fn from(fingerprint: crate::core::hash::Fingerprint) -> Self {
                Self(fingerprint.finish())
            }
        }
    )+};
}

from_fingerprint!(EventId, ReportId);

impl From<EventId> for ReportId {
    /// An event of Waypost's own API has one report.
    fn from(event: EventId) -> Self {
        Self(event.0)
    }
}

impl From<ReportId> for EventId {
    /// A report that was parked until its order existed becomes an event of its own.
    fn from(report: ReportId) -> Self {
        Self(report.0)
    }
}

/// Order ids are unique within an account only, so an order is always identified by both.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OrderKey {
    pub account: AccountCode,
    pub order: OrderId,
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn parses_ids_by_the_rules() {
        for (text, expected) in [
            ("", Err(InvalidId::Empty)),
            (" ", Err(InvalidId::Empty)),
            (" a", Err(InvalidId::Surrounded)),
            ("a\u{a0}", Err(InvalidId::Surrounded)),
            ("a/b", Err(InvalidId::BadCharacter)),
            ("a\r\nb", Err(InvalidId::BadCharacter)),
            ("a\0", Err(InvalidId::BadCharacter)),
            ("a\u{1b}[2J", Err(InvalidId::BadCharacter)),
            ("a#b", Ok("a#b")),
            ("ORD 1", Ok("ORD 1")),
            ("e\u{301}", Ok("\u{e9}")),
        ] {
            let got = OrderId::parse(text);
            assert_eq!(got.as_ref().map(OrderId::as_str), expected.as_ref().copied(), "{text:?}");
        }
        assert!(OrderId::parse(&"x".repeat(128)).is_ok());
        assert_eq!(OrderId::parse(&"x".repeat(129)), Err(InvalidId::TooLong));
    }

    #[test]
    fn a_new_id_has_nothing_that_paths_escape_differently() {
        for (text, expected) in [
            ("a?b", Err(InvalidId::Escape)),
            ("100%", Err(InvalidId::Escape)),
            ("a%2Fb", Err(InvalidId::Escape)),
            ("a/b", Err(InvalidId::BadCharacter)),
            ("#1001&x=1", Ok("#1001&x=1")),
        ] {
            let got = OrderId::parse_new(text);
            assert_eq!(got.as_ref().map(OrderId::as_str), expected.as_ref().copied(), "{text:?}");
        }
        assert!(OrderId::parse("100%?").is_ok(), "as carriers name it");
    }

    #[test]
    fn order_ids_have_other_spellings() {
        let long = "x".repeat(128);
        for (id, expected) in [
            ("1001", &["#1001"][..]),
            ("#1001", &["1001"]),
            ("##1001", &["#1001"]),
            ("#", &[]),
            ("# 1", &[]),
            ("ORD-7001_740007001", &["#ORD-7001_740007001", "ORD-7001", "#ORD-7001"]),
            ("#1001_740007001", &["1001_740007001", "#1001", "1001"]),
            ("A_1_740007001", &["#A_1_740007001", "A_1", "#A_1"]),
            ("A_740007001_1", &["#A_740007001_1"]),
            ("A_74000", &["#A_74000"]),
            ("A_74000x", &["#A_74000x"]),
            ("A_", &["#A_"]),
            ("_740007001", &["#_740007001"]),
            ("A _740007001", &["#A _740007001"]),
            (&long, &[]),
        ] {
            let spellings = OrderId::parse(id).unwrap().other_spellings();
            let spellings: Vec<&str> = spellings.iter().map(OrderId::as_str).collect();
            assert_eq!(spellings, expected, "{id}");
        }
    }

    #[test]
    fn leading_zeros_of_a_numeric_awb_do_not_count() {
        let awb = |text: &str| Awb::parse(text).unwrap();
        for (one, other, same) in [
            ("0012", "12", true),
            ("12", "0012", true),
            ("012", "0012", true),
            ("12", "12", true),
            ("00", "0", false),
            ("0012A", "12A", false),
            ("0012", "120", false),
        ] {
            assert_eq!(awb(one).is_same_parcel(&awb(other)), same, "{one} {other}");
        }
        for (spelling, canonical) in [("0012", "12"), ("12", "12"), ("000", "000")] {
            assert_eq!(awb(spelling).canonical().as_str(), canonical);
        }
    }
}

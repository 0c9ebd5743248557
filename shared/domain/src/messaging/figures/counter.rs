//! The counters of the figures and their names.

use crate::messaging::figures::duration::Bucket;
use crate::messaging::pricing::{Pricing, PricingCategory, PricingType};

/// The provider's documented error codes that a message may fail with, sorted. A row of the figures
/// has a counter for each: others would be unbounded, since senders name codes too.
const CODES: [u32; 62] = [
    0, 1, 2, 3, 4, 10, 33, 100, 190, 200, 299, 368, 80_007, 130_429, 130_472, 130_497, 131_000,
    131_005, 131_008, 131_009, 131_016, 131_021, 131_026, 131_031, 131_037, 131_042, 131_045,
    131_047, 131_048, 131_049, 131_050, 131_051, 131_052, 131_053, 131_055, 131_056, 131_057,
    131_060, 131_064, 132_000, 132_001, 132_005, 132_007, 132_008, 132_012, 132_015, 132_016,
    132_018, 132_068, 132_069, 133_000, 133_004, 133_005, 133_006, 133_008, 133_009, 133_010,
    133_015, 133_016, 134_011, 135_000, 137_000,
];

/// Something that happened to a message, at most once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Counter {
    Sent,
    Accepted,
    Delivered,
    Read,
    Failed,
    Replied,
    /// Why it failed.
    Error(ErrorCode),
    /// How long after the provider took it.
    DeliveredIn(Bucket),
    ReadIn(Bucket),
    /// The provider told its price.
    Priced(Pricing),
    /// The same, and it was delivered.
    DeliveredPriced(Pricing),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorCode {
    Known(u32),
    /// One that is not documented.
    Other,
    /// The failure has no code.
    None,
}

impl ErrorCode {
    pub fn of(code: Option<&str>) -> Self {
        let Some(code) = code else { return Self::None };
        let known = code.parse().ok().filter(|code| CODES.binary_search(code).is_ok());
        known.map_or(Self::Other, Self::Known)
    }

    fn name(self) -> String {
        match self {
            Self::Known(code) => code.to_string(),
            Self::Other => "other".to_owned(),
            Self::None => "none".to_owned(),
        }
    }

    fn parse(name: &str) -> Self {
        Self::of(Some(name).filter(|name| *name != "none"))
    }
}

impl Counter {
    /// Short: the names are stored with every count. Letters, digits and `_`, as expressions of
    /// DynamoDB take them.
    pub fn name(self) -> String {
        match self {
            Self::Sent => "sent".to_owned(),
            Self::Accepted => "accepted".to_owned(),
            Self::Delivered => "delivered".to_owned(),
            Self::Read => "read".to_owned(),
            Self::Failed => "failed".to_owned(),
            Self::Replied => "replied".to_owned(),
            Self::Error(code) => format!("e_{}", code.name()),
            Self::DeliveredIn(bucket) => format!("d_{}", bucket.number()),
            Self::ReadIn(bucket) => format!("r_{}", bucket.number()),
            Self::Priced(pricing) => format!("p_{}", name_of(pricing)),
            Self::DeliveredPriced(pricing) => format!("dp_{}", name_of(pricing)),
        }
    }

    /// `None` for names of other releases.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "sent" => Self::Sent,
            "accepted" => Self::Accepted,
            "delivered" => Self::Delivered,
            "read" => Self::Read,
            "failed" => Self::Failed,
            "replied" => Self::Replied,
            _ => {
                let (kind, rest) = name.split_once('_')?;
                match kind {
                    "e" => Self::Error(ErrorCode::parse(rest)),
                    "d" => Self::DeliveredIn(Bucket::parse(rest)?),
                    "r" => Self::ReadIn(Bucket::parse(rest)?),
                    "p" => Self::Priced(read_pricing(rest)?),
                    "dp" => Self::DeliveredPriced(read_pricing(rest)?),
                    _ => return None,
                }
            }
        })
    }
}

fn name_of(Pricing { category, kind, billable }: Pricing) -> String {
    let billable = match billable {
        Some(true) => "billable",
        Some(false) => "free",
        None => "unknown",
    };
    format!("{}__{}__{billable}", category.as_str(), kind.as_str())
}

fn read_pricing(name: &str) -> Option<Pricing> {
    let mut parts = name.split("__");
    let (category, kind) = (parts.next()?, parts.next()?);
    let billable = match parts.next()? {
        "billable" => Some(true),
        "free" => Some(false),
        _ => None,
    };
    let (category, kind) = (PricingCategory::parse(category), PricingType::parse(Some(kind)));
    Some(Pricing { category, kind, billable })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn counters_read_back_by_their_names() {
        let category = PricingCategory::AuthenticationInternational;
        let pricing = |billable| Pricing { category, kind: PricingType::FreeEntryPoint, billable };
        let mut all = vec![
            Counter::Sent,
            Counter::Accepted,
            Counter::Delivered,
            Counter::Read,
            Counter::Failed,
            Counter::Replied,
            Counter::Error(ErrorCode::Other),
            Counter::Error(ErrorCode::None),
            Counter::DeliveredIn(Bucket::of(Duration::from_secs(5))),
            Counter::ReadIn(Bucket::of(Duration::ZERO)),
        ];
        all.extend(CODES.map(|code| Counter::Error(ErrorCode::Known(code))));
        for billable in [Some(true), Some(false), None] {
            all.push(Counter::Priced(pricing(billable)));
            all.push(Counter::DeliveredPriced(pricing(billable)));
        }
        for counter in all {
            let name = counter.name();
            assert_eq!(Counter::parse(&name), Some(counter), "{name}");
            assert!(name.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_'), "{name}");
        }
        for name in ["", "ttl", "template", "x_1", "d_45", "d_", "p_utility"] {
            assert_eq!(Counter::parse(name), None, "{name}");
        }
    }

    #[test]
    fn codes_are_bounded() {
        assert!(CODES.is_sorted());
        for (code, expected) in [
            (Some("131026"), ErrorCode::Known(131_026)),
            (Some("0"), ErrorCode::Known(0)),
            (Some("7"), ErrorCode::Other),
            (Some("none"), ErrorCode::Other),
            (Some(""), ErrorCode::Other),
            (None, ErrorCode::None),
        ] {
            assert_eq!(ErrorCode::of(code), expected, "{code:?}");
        }
    }
}

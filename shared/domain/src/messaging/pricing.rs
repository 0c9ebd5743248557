//! What a provider says about the price of a message. It names no amounts.

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

/// WhatsApp's `pricing`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Pricing {
    pub category: PricingCategory,
    #[serde(rename = "type")]
    pub kind: PricingType,
    /// `None` if it does not say so.
    pub billable: Option<bool>,
}

/// The kind of message, on which the price depends.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    IntoStaticStr,
    EnumString,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum PricingCategory {
    Authentication,
    AuthenticationInternational,
    Marketing,
    MarketingLite,
    ReferralConversion,
    Service,
    Utility,
    /// One that is not documented.
    Other,
}

impl PricingCategory {
    /// WhatsApp writes `authentication-international`.
    pub fn parse(text: &str) -> Self {
        text.replace('-', "_").parse().unwrap_or(Self::Other)
    }

    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Why the message costs something, or nothing.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    IntoStaticStr,
    EnumString,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum PricingType {
    Regular,
    FreeCustomerService,
    FreeEntryPoint,
    /// None, as before July 2025, or one that is not documented.
    Other,
}

impl PricingType {
    pub fn parse(text: Option<&str>) -> Self {
        text.and_then(|text| text.parse().ok()).unwrap_or(Self::Other)
    }

    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_provider() {
        for (text, category) in [
            ("utility", PricingCategory::Utility),
            ("authentication-international", PricingCategory::AuthenticationInternational),
            ("authentication_international", PricingCategory::AuthenticationInternational),
            ("new_one", PricingCategory::Other),
            ("", PricingCategory::Other),
        ] {
            assert_eq!(PricingCategory::parse(text), category, "{text}");
        }
        assert_eq!(PricingType::parse(Some("regular")), PricingType::Regular);
        assert_eq!(PricingType::parse(Some("free_entry_point")), PricingType::FreeEntryPoint);
        assert_eq!(PricingType::parse(None), PricingType::Other);
    }

    #[test]
    fn rows_have_the_same_spelling() {
        for category in PricingCategory::VARIANTS {
            assert_eq!(serde_json::to_value(category).unwrap(), category.as_str());
        }
        for kind in PricingType::VARIANTS {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        let pricing = Pricing {
            category: PricingCategory::Utility,
            kind: PricingType::Regular,
            billable: Some(true),
        };
        let text = r#"{"category":"utility","type":"regular","billable":true}"#;
        assert_eq!(serde_json::to_string(&pricing).unwrap(), text);
        assert_eq!(serde_json::from_str::<Pricing>(text).unwrap(), pricing);
    }
}

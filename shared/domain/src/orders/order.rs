//! A stored order: key, profile (the shop's data) and tracking state.

mod names;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::core::deserialize::{Object, object, or_default, text_or_number};
use crate::core::id::{Awb, OrderKey, ProviderId};
use crate::core::raw_json::RawJson;
use crate::core::request_body::{InvalidBody, field_path};
use crate::core::timestamp::Timestamp;
use crate::tracking::entry::TimelineEntry;
use crate::tracking::report::{ParcelScans, Ref, SourceName};
use crate::tracking::state::{ParcelState, State};

pub use names::{
    GivenUp, goes_to, has_left, is_withdrawn, moved_to, names_by_id, parcel_moved_to,
    reports_under, went, went_to,
};

const MAX_NAME_CHARS: usize = 200;
/// E.164 has 15 digits; the rest is for separators and extensions.
const MAX_PHONE_CHARS: usize = 40;

#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    pub key: OrderKey,
    pub profile: Profile,
    pub state: State,
    /// How many of its newest facts are stored with the state.
    pub recent: usize,
    /// The newest scans of its parcels, of those that are stored with the state.
    pub scans: Vec<ParcelScans>,
    /// Names that the order gave up, possibly before its timeline shows it.
    pub given_up: BTreeSet<Ref>,
    /// Until then somebody may watch the order live.
    pub watched_until: Option<Timestamp>,
}

impl Order {
    /// Notes that the order has these names again.
    pub fn regain<'a>(&mut self, names: impl IntoIterator<Item = &'a Ref>) {
        for name in names {
            self.given_up.remove(name);
        }
    }

    /// The names by which sources may know the order, besides its id: given by the shop, or learnt
    /// from reports. `entries` are all of its timeline.
    pub fn names(&self, entries: &[TimelineEntry]) -> BTreeSet<Ref> {
        let mut names = self.names_by_facts(entries);
        names.retain(|name| !self.given_up.contains(name));
        names
    }

    /// As [`Self::names`], but with those that it gave up and whose departure the timeline does not
    /// show yet.
    pub fn names_by_facts(&self, entries: &[TimelineEntry]) -> BTreeSet<Ref> {
        let mut names = self.profile.refs();
        names.extend(self.state.added.iter().map(Ref::awb));
        names.extend(names::of_facts(&self.state.start, entries));
        names.retain(|name| self.is_own(name, entries));
        names
    }

    /// The parcels of the shop have the order's carrier unless it gave them one of their own.
    pub fn carrier_name_of<'a>(&'a self, parcel: &'a ParcelState) -> Option<&'a str> {
        let of_order = self.profile.carrier_name.as_deref().filter(|_| !parcel.learnt);
        parcel.carrier_name.as_deref().or(of_order)
    }
}

/// Personal data: never logged.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Customer {
    #[serde(deserialize_with = "text_or_number")]
    pub phone: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
}

impl std::fmt::Debug for Customer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Customer([REDACTED])")
    }
}

/// Passed through to endpoints.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VendorDetails {
    pub vendor_id: Option<RawJson>,
    pub vendor_name: Option<RawJson>,
    pub mobile: Option<RawJson>,
    pub business_address: Option<RawJson>,
    pub selected_services: Option<RawJson>,
}

/// The tracking API that is polled for the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Poll {
    Shipway,
}

/// The shop's data of an order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Profile {
    #[serde(deserialize_with = "text_or_number")]
    pub customer_id: Option<String>,
    #[serde(deserialize_with = "awb")]
    pub awb: Option<Awb>,
    #[serde(deserialize_with = "awb")]
    pub return_awb: Option<Awb>,
    pub carrier_id: Option<RawJson>,
    pub carrier_name: Option<String>,
    pub poll: Option<Poll>,
    /// Provider ids by source.
    #[serde(deserialize_with = "or_default")]
    pub refs: BTreeMap<String, ProviderText>,
    #[serde(deserialize_with = "customer")]
    pub customer: Customer,
    /// `[{title, sku?, qty, price}]`.
    pub items: Option<RawJson>,
    pub fare: Option<RawJson>,
    pub payment_method: Option<RawJson>,
    pub payment_status: Option<RawJson>,
    /// `{address, coordinates: [lon, lat]}`.
    pub pickup: Option<RawJson>,
    /// `{address, coordinates: [lon, lat]}`.
    pub drop: Option<RawJson>,
    pub customer_notes: Option<RawJson>,
    pub vendor_notes: Option<RawJson>,
    pub scheduled_at: Option<Timestamp>,
    pub metadata: Option<RawJson>,
    #[serde(deserialize_with = "object")]
    pub vendor_details: Option<VendorDetails>,
}

/// A provider id, also accepted as a number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawJson", into = "String")]
pub struct ProviderText(pub ProviderId);

impl TryFrom<RawJson> for ProviderText {
    type Error = String;
    fn try_from(value: RawJson) -> Result<Self, String> {
        let text = value.to_text().ok_or("must be a string or a number")?;
        ProviderId::parse(&text).map(Self).map_err(|error| error.to_string())
    }
}

impl From<ProviderText> for String {
    fn from(id: ProviderText) -> Self {
        id.0.into()
    }
}

/// Shops send AWBs as strings or as numbers.
pub(crate) fn awb<'de, D: serde::Deserializer<'de>>(input: D) -> Result<Option<Awb>, D::Error> {
    let text = text_or_number(input)?;
    text.map(|text| Awb::parse(&text).map_err(serde::de::Error::custom)).transpose()
}

/// Of a name.
pub(super) fn check_length(field: &str, value: Option<&str>) -> Result<(), InvalidBody> {
    check_chars(field, value, MAX_NAME_CHARS)
}

fn check_chars(field: &str, value: Option<&str>, limit: usize) -> Result<(), InvalidBody> {
    if value.is_some_and(|value| value.chars().count() > limit) {
        let message = format_args!("must not be longer than {limit} characters");
        return Err(InvalidBody::field(field, message));
    }
    Ok(())
}

fn customer<'de, D: serde::Deserializer<'de>>(input: D) -> Result<Customer, D::Error> {
    Ok(object(input)?.unwrap_or_default())
}

#[derive(Deserialize)]
struct Item {
    title: String,
    sku: Option<RawJson>,
    qty: u64,
}

impl Profile {
    /// Checks the rules that the types do not.
    pub fn check(&self, ref_sources: &[SourceName]) -> Result<(), InvalidBody> {
        self.read_items()?;
        for (field, value) in
            [("pickup", &self.pickup), ("drop", &self.drop), ("metadata", &self.metadata)]
        {
            if value.as_ref().is_some_and(|value| !value.is_object()) {
                return Err(InvalidBody::field(field, "must be an object"));
            }
        }
        if let (Some(awb), Some(return_awb)) = (&self.awb, &self.return_awb)
            && awb.is_same_parcel(return_awb)
        {
            return Err(InvalidBody::field("returnAwb", "must differ from awb"));
        }
        if let Some(carrier) = &self.carrier_id
            && carrier.to_text().is_none()
        {
            return Err(InvalidBody::field("carrierId", "must be a string or a number"));
        }
        let known: Vec<&str> = ref_sources.iter().map(SourceName::as_str).collect();
        match self.refs.keys().find(|source| !known.contains(&source.as_str())) {
            Some(source) => {
                let message = format_args!("must be {}", known.join(" or "));
                Err(InvalidBody::field(format!("refs.{source}"), message))
            }
            None => Ok(()),
        }
    }

    /// Apart from `check`: orders of older releases may have longer texts.
    pub(super) fn check_lengths(&self) -> Result<(), InvalidBody> {
        let Customer { phone, first_name, last_name } = &self.customer;
        for (field, value, limit) in [
            ("customerId", &self.customer_id, MAX_NAME_CHARS),
            ("carrierName", &self.carrier_name, MAX_NAME_CHARS),
            ("customer.phone", phone, MAX_PHONE_CHARS),
            ("customer.firstName", first_name, MAX_NAME_CHARS),
            ("customer.lastName", last_name, MAX_NAME_CHARS),
        ] {
            check_chars(field, value.as_deref(), limit)?;
        }
        Ok(())
    }

    fn read_items(&self) -> Result<Vec<Item>, InvalidBody> {
        let Some(items) = &self.items else { return Ok(Vec::new()) };
        let reader = &mut serde_json::Deserializer::from_str(items.as_str());
        let items: Vec<Object<Item>> =
            serde_path_to_error::deserialize(reader).map_err(|error| {
                let path = field_path(&error);
                let path = if path == "." { "items".to_owned() } else { format!("items{path}") };
                InvalidBody::field(
                    path,
                    "must be a list of {title, sku?, qty (a whole number), price}",
                )
            })?;
        Ok(items.into_iter().map(|item| item.0).collect())
    }

    /// The number of distinct products, by SKU or title, and the sum of the quantities.
    pub fn counts(&self) -> (usize, u64) {
        let items = self.read_items().unwrap_or_default();
        let products: BTreeSet<String> = items
            .iter()
            .map(|item| {
                item.sku.as_ref().and_then(RawJson::to_text).unwrap_or_else(|| item.title.clone())
            })
            .collect();
        (products.len(), items.iter().map(|item| item.qty).fold(0, u64::saturating_add))
    }

    /// The references that sources may use, besides the order id.
    pub fn refs(&self) -> BTreeSet<Ref> {
        let parcels = self.awb.iter().chain(&self.return_awb).map(Ref::awb);
        let providers = self.refs.iter().map(|(source, id)| Ref::Provider {
            source: SourceName::from(source.as_str()),
            id: id.0.clone(),
        });
        parcels.chain(providers).collect()
    }
}

#[cfg(test)]
mod tests;

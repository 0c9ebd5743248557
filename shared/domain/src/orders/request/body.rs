//! The body of the requests that create or patch an order.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::core::deserialize::{Object, present};
use crate::core::id::{AccountCode, Awb, InvalidId, OrderId, ProviderId};
use crate::core::raw_json::RawJson;
use crate::core::timestamp::Timestamp;
use crate::orders::order::{Customer, Poll, Profile, ProviderText, VendorDetails};

/// `None` if absent, `Some(None)` if `null`.
type Field<T> = Option<Option<T>>;

#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(super) struct OrderBody {
    #[serde(alias = "order_id", deserialize_with = "present")]
    pub(super) order_id: Field<NewOrderId>,
    #[serde(alias = "account_code")]
    pub(super) account_code: Option<AccountCode>,
    #[serde(deserialize_with = "present")]
    pub(super) status: Field<String>,
    #[serde(alias = "customer_id", deserialize_with = "present")]
    customer_id: Field<Text>,
    #[serde(deserialize_with = "present")]
    awb: Field<AwbText>,
    #[serde(alias = "return_awb", deserialize_with = "present")]
    return_awb: Field<AwbText>,
    #[serde(alias = "carrier_id", deserialize_with = "present")]
    carrier_id: Field<RawJson>,
    #[serde(alias = "carrier_name", deserialize_with = "present")]
    carrier_name: Field<String>,
    #[serde(deserialize_with = "present")]
    poll: Field<Poll>,
    #[serde(deserialize_with = "present")]
    refs: Field<BTreeMap<String, Option<ProviderIdText>>>,
    #[serde(deserialize_with = "present")]
    customer: Field<Object<CustomerBody>>,
    #[serde(deserialize_with = "present")]
    items: Field<RawJson>,
    #[serde(deserialize_with = "present")]
    fare: Field<RawJson>,
    #[serde(alias = "payment_method", deserialize_with = "present")]
    payment_method: Field<RawJson>,
    #[serde(alias = "payment_status", deserialize_with = "present")]
    payment_status: Field<RawJson>,
    #[serde(deserialize_with = "present")]
    pickup: Field<RawJson>,
    #[serde(deserialize_with = "present")]
    drop: Field<RawJson>,
    #[serde(alias = "customer_notes", deserialize_with = "present")]
    customer_notes: Field<RawJson>,
    #[serde(alias = "vendor_notes", deserialize_with = "present")]
    vendor_notes: Field<RawJson>,
    #[serde(alias = "scheduled_at", deserialize_with = "present")]
    scheduled_at: Field<Timestamp>,
    #[serde(deserialize_with = "present")]
    metadata: Field<RawJson>,
    #[serde(alias = "vendor_details", deserialize_with = "present")]
    vendor_details: Field<Object<VendorDetailsBody>>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct CustomerBody {
    #[serde(deserialize_with = "present")]
    phone: Field<Text>,
    #[serde(alias = "first_name", deserialize_with = "present")]
    first_name: Field<String>,
    #[serde(alias = "last_name", deserialize_with = "present")]
    last_name: Field<String>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct VendorDetailsBody {
    #[serde(alias = "vendor_id", deserialize_with = "present")]
    vendor_id: Field<RawJson>,
    #[serde(alias = "vendor_name", deserialize_with = "present")]
    vendor_name: Field<RawJson>,
    #[serde(deserialize_with = "present")]
    mobile: Field<RawJson>,
    #[serde(alias = "business_address", deserialize_with = "present")]
    business_address: Field<RawJson>,
    #[serde(alias = "selected_services", deserialize_with = "present")]
    selected_services: Field<RawJson>,
}

impl OrderBody {
    /// A source in `refs` whose id is `null`: only a patch can remove an id.
    pub(super) fn null_ref(&self) -> Option<&str> {
        let refs = self.refs.as_ref()?.as_ref()?;
        refs.iter().find(|(_, id)| id.is_none()).map(|(source, _)| source.as_str())
    }

    /// Absent fields stay and `null` clears. Objects whose fields Waypost reads are merged; values
    /// that it passes through are replaced whole.
    pub(super) fn apply(&self, profile: &mut Profile) {
        set(&mut profile.customer_id, &self.customer_id);
        set(&mut profile.awb, &self.awb);
        set(&mut profile.return_awb, &self.return_awb);
        set(&mut profile.carrier_id, &self.carrier_id);
        set(&mut profile.carrier_name, &self.carrier_name);
        set(&mut profile.poll, &self.poll);
        match &self.refs {
            Some(Some(refs)) => merge(&mut profile.refs, refs),
            Some(None) => profile.refs.clear(),
            None => {}
        }
        match &self.customer {
            Some(Some(customer)) => customer.0.apply(&mut profile.customer),
            Some(None) => profile.customer = Customer::default(),
            None => {}
        }
        set(&mut profile.items, &self.items);
        set(&mut profile.fare, &self.fare);
        set(&mut profile.payment_method, &self.payment_method);
        set(&mut profile.payment_status, &self.payment_status);
        set(&mut profile.pickup, &self.pickup);
        set(&mut profile.drop, &self.drop);
        set(&mut profile.customer_notes, &self.customer_notes);
        set(&mut profile.vendor_notes, &self.vendor_notes);
        set(&mut profile.scheduled_at, &self.scheduled_at);
        set(&mut profile.metadata, &self.metadata);
        match &self.vendor_details {
            Some(Some(vendor)) => vendor.0.apply(profile.vendor_details.get_or_insert_default()),
            Some(None) => profile.vendor_details = None,
            None => {}
        }
    }
}

impl CustomerBody {
    fn apply(&self, customer: &mut Customer) {
        set(&mut customer.phone, &self.phone);
        set(&mut customer.first_name, &self.first_name);
        set(&mut customer.last_name, &self.last_name);
    }
}

impl VendorDetailsBody {
    fn apply(&self, vendor: &mut VendorDetails) {
        set(&mut vendor.vendor_id, &self.vendor_id);
        set(&mut vendor.vendor_name, &self.vendor_name);
        set(&mut vendor.mobile, &self.mobile);
        set(&mut vendor.business_address, &self.business_address);
        set(&mut vendor.selected_services, &self.selected_services);
    }
}

fn set<T: From<U>, U: Clone>(target: &mut Option<T>, field: &Field<U>) {
    if let Some(value) = field {
        *target = value.clone().map(T::from);
    }
}

fn merge(
    refs: &mut BTreeMap<String, ProviderText>,
    patch: &BTreeMap<String, Option<ProviderIdText>>,
) {
    for (source, id) in patch {
        match id {
            Some(id) => refs.insert(source.clone(), ProviderText(id.0.clone())),
            None => refs.remove(source),
        };
    }
}

/// A string, or a number by its digits.
#[derive(Clone, Deserialize)]
#[serde(try_from = "RawJson")]
struct Text(String);

impl TryFrom<RawJson> for Text {
    type Error = &'static str;
    fn try_from(value: RawJson) -> Result<Self, Self::Error> {
        value.to_text().map(Self).ok_or("must be a string or a number")
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.0
    }
}

#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct NewOrderId(pub(super) OrderId);

impl TryFrom<String> for NewOrderId {
    type Error = InvalidId;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        OrderId::parse_new(&text).map(Self)
    }
}

#[derive(Clone, Deserialize)]
#[serde(try_from = "Text")]
pub(super) struct ProviderIdText(ProviderId);

impl TryFrom<Text> for ProviderIdText {
    type Error = InvalidId;
    fn try_from(text: Text) -> Result<Self, Self::Error> {
        ProviderId::parse_new(&text.0).map(Self)
    }
}

/// Shops send AWBs as strings or as numbers.
#[derive(Clone, Deserialize)]
#[serde(try_from = "Text")]
pub(super) struct AwbText(Awb);

impl TryFrom<Text> for AwbText {
    type Error = InvalidId;
    fn try_from(text: Text) -> Result<Self, Self::Error> {
        Awb::parse_new(&text.0).map(Self)
    }
}

impl From<AwbText> for Awb {
    fn from(awb: AwbText) -> Self {
        awb.0
    }
}

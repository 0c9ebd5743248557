//! Request bodies of partners: create an order, report a status, patch an order.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::core::deserialize::{Object, present};
use crate::core::hash::Fingerprint;
use crate::core::id::{AccountCode, Awb, OrderId};
use crate::core::raw_json::RawJson;
use crate::core::request_body::{InvalidBody, read_object};
use crate::core::timestamp::Timestamp;
use crate::orders::api_event::StatusReport;
use crate::orders::order::{Customer, Profile, ProviderText};
use crate::tracking::report::SourceName;
use crate::tracking::status::Status;

/// The body of `POST /api/external/orders`.
#[derive(Debug, Clone, PartialEq)]
pub struct NewOrder {
    pub order_id: OrderId,
    pub account: Option<AccountCode>,
    /// The status at creation.
    pub status: Status,
    pub profile: Profile,
    /// Idempotency: the same content is the same request.
    pub fingerprint: String,
}

#[derive(Deserialize)]
struct NewOrderHead {
    #[serde(rename = "orderId", alias = "order_id")]
    order_id: OrderId,
    #[serde(rename = "accountCode", alias = "account_code")]
    account: Option<AccountCode>,
    status: Option<String>,
}

impl NewOrder {
    /// `ref_sources` are the sources that `refs` may name.
    pub fn read(body: &[u8], ref_sources: &[SourceName]) -> Result<Self, InvalidBody> {
        let head: NewOrderHead = read_object(body)?;
        let profile: Profile = read_object(body)?;
        profile.check(ref_sources)?;
        let status = match head.status.as_deref() {
            None => Status::Pending,
            Some(text) => reportable_status(text)?,
        };
        let fingerprint = fingerprint(status, &profile);
        Ok(Self { order_id: head.order_id, account: head.account, status, profile, fingerprint })
    }
}

/// Absent fields do not count, so that a field of a later release does not change older
/// fingerprints.
fn fingerprint(status: Status, profile: &Profile) -> String {
    let content = serde_json::to_string(profile).unwrap_or_default();
    let fields: BTreeMap<String, RawJson> = serde_json::from_str(&content).unwrap_or_default();
    let present = fields.iter().filter(|(_, value)| value.as_str() != "null");
    let hash = Fingerprint::of("order").with(status.as_str());
    present.fold(hash, |hash, (name, value)| hash.with(name).with(value.as_str())).finish()
}

/// `unknown` is for unmapped provider statuses only.
fn reportable_status(text: &str) -> Result<Status, InvalidBody> {
    Status::parse(text)
        .filter(|status| *status != Status::Unknown)
        .ok_or_else(|| InvalidBody::field("status", "must be an order status"))
}

const MAX_NOTE_BYTES: usize = 1000;

#[derive(Deserialize)]
struct NewStatus {
    status: String,
    #[serde(rename = "occurredAt", alias = "occurred_at")]
    occurred_at: Option<Timestamp>,
    note: Option<String>,
    #[serde(rename = "accountCode", alias = "account_code")]
    account: Option<AccountCode>,
}

/// The body of `POST /api/external/orders/{order_id}/status`, and the account in it.
pub fn read_status(
    order_id: OrderId,
    body: &[u8],
) -> Result<(StatusReport, Option<AccountCode>), InvalidBody> {
    let body: NewStatus = read_object(body)?;
    if body.note.as_ref().is_some_and(|note| note.len() > MAX_NOTE_BYTES) {
        return Err(InvalidBody::field("note", "must not be longer than 1000 bytes"));
    }
    let status = reportable_status(&body.status)?;
    Ok((
        StatusReport { order_id, status, occurred_at: body.occurred_at, note: body.note },
        body.account,
    ))
}

/// The body of `PATCH /api/external/orders/{order_id}`: absent fields stay, `null` clears.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OrderPatch {
    #[serde(alias = "account_code")]
    pub account_code: Option<AccountCode>,
    #[serde(deserialize_with = "present")]
    awb: Option<Option<RawJson>>,
    #[serde(alias = "return_awb", deserialize_with = "present")]
    return_awb: Option<Option<RawJson>>,
    #[serde(alias = "carrier_id", deserialize_with = "present")]
    carrier_id: Option<Option<RawJson>>,
    #[serde(alias = "carrier_name", deserialize_with = "present")]
    carrier_name: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    refs: Option<Option<BTreeMap<String, Option<ProviderText>>>>,
    #[serde(deserialize_with = "present")]
    customer: Option<Option<Object<CustomerPatch>>>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct CustomerPatch {
    #[serde(deserialize_with = "present")]
    phone: Option<Option<RawJson>>,
    #[serde(alias = "first_name", deserialize_with = "present")]
    first_name: Option<Option<String>>,
    #[serde(alias = "last_name", deserialize_with = "present")]
    last_name: Option<Option<String>>,
}

impl OrderPatch {
    pub fn read(body: &[u8]) -> Result<Self, InvalidBody> {
        read_object(body)
    }

    /// `ref_sources` are the sources that `refs` may name.
    pub fn apply(
        &self,
        profile: &Profile,
        ref_sources: &[SourceName],
    ) -> Result<Profile, InvalidBody> {
        let mut new = profile.clone();
        if let Some(awb) = &self.awb {
            new.awb = read_awb("awb", awb.as_ref())?;
        }
        if let Some(awb) = &self.return_awb {
            new.return_awb = read_awb("returnAwb", awb.as_ref())?;
        }
        if let Some(carrier_id) = &self.carrier_id {
            new.carrier_id.clone_from(carrier_id);
        }
        if let Some(carrier_name) = &self.carrier_name {
            new.carrier_name.clone_from(carrier_name);
        }
        match &self.refs {
            Some(Some(refs)) => merge(&mut new.refs, refs),
            Some(None) => new.refs.clear(),
            None => {}
        }
        match &self.customer {
            Some(Some(customer)) => customer.0.apply(&mut new.customer)?,
            Some(None) => new.customer = Customer::default(),
            None => {}
        }
        new.check(ref_sources)?;
        Ok(new)
    }
}

fn merge(
    refs: &mut BTreeMap<String, ProviderText>,
    patch: &BTreeMap<String, Option<ProviderText>>,
) {
    for (source, id) in patch {
        match id {
            Some(id) => refs.insert(source.clone(), id.clone()),
            None => refs.remove(source),
        };
    }
}

impl CustomerPatch {
    fn apply(&self, customer: &mut Customer) -> Result<(), InvalidBody> {
        if let Some(phone) = &self.phone {
            customer.phone = read_text("customer.phone", phone.as_ref())?;
        }
        if let Some(name) = &self.first_name {
            customer.first_name.clone_from(name);
        }
        if let Some(name) = &self.last_name {
            customer.last_name.clone_from(name);
        }
        Ok(())
    }
}

fn read_text(field: &str, value: Option<&RawJson>) -> Result<Option<String>, InvalidBody> {
    let invalid = || InvalidBody::field(field, "must be a string or a number");
    value.map(|value| value.to_text().ok_or_else(invalid)).transpose()
}

fn read_awb(field: &str, value: Option<&RawJson>) -> Result<Option<Awb>, InvalidBody> {
    let text = read_text(field, value)?;
    text.map(|text| Awb::parse(&text).map_err(|error| InvalidBody::field(field, error))).transpose()
}

#[cfg(test)]
mod tests;

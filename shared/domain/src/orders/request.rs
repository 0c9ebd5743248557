//! Request bodies of partners: create an order, report a status, patch an order.

mod body;

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use crate::core::canonical_json::canonical;
use crate::core::hash::Fingerprint;
use crate::core::id::{AccountCode, Awb, OrderId, OrderKey};
use crate::core::raw_json::RawJson;
use crate::core::request_body::{InvalidBody, read_object};
use crate::core::timestamp::Timestamp;
use crate::orders::api_event::{StatusReport, TakenName};
use crate::orders::order::{Order, Profile, check_length};
use crate::tracking::entry::ParcelChange;
use crate::tracking::report::{Ref, SourceName};
use crate::tracking::state::{Start, State};
use crate::tracking::status::Status;

use body::{AwbText, NewOrderId, OrderBody};

/// Of all patches together, as JSON. DynamoDB takes rows of 400 KB.
const MAX_PROFILE_BYTES: usize = 300_000;

/// The body of `POST /api/external/orders`.
#[derive(Debug, Clone, PartialEq)]
pub struct NewOrder {
    pub order_id: OrderId,
    pub account: Option<AccountCode>,
    /// The status at creation.
    pub status: Status,
    pub profile: Profile,
    /// Idempotency: the same values are the same request.
    pub fingerprint: String,
}

impl NewOrder {
    /// The order that the request creates. `taken` are names that other orders give up to it.
    pub fn to_order(&self, key: &OrderKey, taken: &[TakenName], now: Timestamp) -> Order {
        let profile = self.profile.clone();
        let given = profile.awb.iter().chain(&profile.return_awb);
        let is_recycled =
            |awb: &&Awb| taken.iter().any(|it| it.name == Ref::awb(awb) && !it.with_reports);
        let start = Start {
            status: self.status,
            awb: profile.awb.clone(),
            return_awb: profile.return_awb.clone(),
            recycled: given.filter(is_recycled).cloned().collect(),
        };
        Order {
            key: key.clone(),
            profile,
            state: State::at_creation(start, now),
            recent: 0,
            scans: Vec::new(),
            given_up: BTreeSet::new(),
            watched_until: None,
        }
    }

    /// `ref_sources` are the sources that `refs` may name.
    pub fn read(body: &[u8], ref_sources: &[SourceName]) -> Result<Self, InvalidBody> {
        let body: OrderBody = read_object(body)?;
        let missing = || InvalidBody::field("orderId", "missing field `orderId`");
        let NewOrderId(order_id) = body.order_id.clone().flatten().ok_or_else(missing)?;
        if let Some(source) = body.null_ref() {
            let field = format!("refs.{source}");
            return Err(InvalidBody::field(field, "must be a string or a number"));
        }
        let mut profile = Profile::default();
        body.apply(&mut profile);
        profile.check_lengths()?;
        profile.check(ref_sources)?;
        let status = match body.status.flatten() {
            None => Status::Pending,
            Some(text) => reportable_status(&text)?,
        };
        let fingerprint = fingerprint(status, &profile);
        Ok(Self { order_id, account: body.account_code, status, profile, fingerprint })
    }
}

/// Of passed-through values as canonical JSON. Absent fields do not count, so that a field of a later
/// release does not change older fingerprints.
fn fingerprint(status: Status, profile: &Profile) -> String {
    let content = serde_json::to_string(profile).unwrap_or_default();
    let fields: BTreeMap<String, RawJson> = serde_json::from_str(&content).unwrap_or_default();
    let hash = Fingerprint::of("order").with(status.as_str());
    let present = fields.iter().filter(|(_, value)| value.as_str() != "null");
    let add = |hash: Fingerprint, (name, value): (&String, &RawJson)| {
        hash.with(name).with(canonical(value.as_str()))
    };
    present.fold(hash, add).finish()
}

/// `unknown` is for unmapped provider statuses only.
fn reportable_status(text: &str) -> Result<Status, InvalidBody> {
    Status::parse(text).filter(|status| *status != Status::Unknown).ok_or_else(|| {
        let names: Vec<&str> = Status::ALL[1..].iter().map(|status| status.as_str()).collect();
        InvalidBody::field("status", format_args!("must be one of {}", names.join(", ")))
    })
}

const MAX_NOTE_BYTES: usize = 1000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewStatus {
    status: String,
    #[serde(rename = "occurredAt", alias = "occurred_at")]
    occurred_at: Option<Timestamp>,
    note: Option<String>,
    awb: Option<AwbText>,
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
    let awb = body.awb.map(Awb::from);
    let (occurred_at, note) = (body.occurred_at, body.note);
    Ok((StatusReport { order_id, status, occurred_at, note, awb }, body.account))
}

/// The body of `POST /api/external/orders/{order_id}/shipments`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ShipmentBody {
    awb: AwbText,
    #[serde(rename = "carrierId", alias = "carrier_id")]
    carrier_id: Option<RawJson>,
    #[serde(rename = "carrierName", alias = "carrier_name")]
    carrier_name: Option<String>,
    #[serde(rename = "accountCode", alias = "account_code")]
    account: Option<AccountCode>,
}

/// A further parcel of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewShipment {
    pub awb: Awb,
    pub carrier_id: Option<RawJson>,
    pub carrier_name: Option<String>,
    pub account: Option<AccountCode>,
}

impl NewShipment {
    pub fn read(body: &[u8]) -> Result<Self, InvalidBody> {
        let ShipmentBody { awb, carrier_id, carrier_name, account } = read_object(body)?;
        check_length("carrierName", carrier_name.as_deref())?;
        if carrier_id.as_ref().is_some_and(|carrier| carrier.to_text().is_none()) {
            return Err(InvalidBody::field("carrierId", "must be a string or a number"));
        }
        Ok(Self { awb: awb.into(), carrier_id, carrier_name, account })
    }

    pub fn to_change(&self) -> ParcelChange {
        ParcelChange::Added {
            awb: self.awb.clone(),
            carrier_id: self.carrier_id.clone(),
            carrier_name: self.carrier_name.clone(),
        }
    }
}

/// The body of `PATCH /api/external/orders/{order_id}`: absent fields stay, `null` clears.
#[derive(Clone)]
pub struct OrderPatch(OrderBody);

impl OrderPatch {
    pub fn read(body: &[u8]) -> Result<Self, InvalidBody> {
        let body: OrderBody = read_object(body)?;
        if body.order_id.is_some() {
            return Err(InvalidBody::field("orderId", "cannot be changed"));
        }
        if body.status.is_some() {
            return Err(InvalidBody::field("status", "cannot be patched, report it instead"));
        }
        Ok(Self(body))
    }

    pub fn account(&self) -> Option<&AccountCode> {
        self.0.account_code.as_ref()
    }

    /// `ref_sources` are the sources that `refs` may name.
    pub fn apply(
        &self,
        profile: &Profile,
        ref_sources: &[SourceName],
    ) -> Result<Profile, InvalidBody> {
        let mut patched = Profile::default();
        self.0.apply(&mut patched);
        patched.check_lengths()?;
        let mut new = profile.clone();
        self.0.apply(&mut new);
        new.check(ref_sources)?;
        let bytes = json_bytes(&new);
        if bytes > MAX_PROFILE_BYTES && bytes > json_bytes(profile) {
            let message = format!("the order would have more than {MAX_PROFILE_BYTES} bytes");
            return Err(InvalidBody::field(largest_field(&patched), message));
        }
        Ok(new)
    }
}

fn json_bytes(profile: &Profile) -> usize {
    serde_json::to_string(profile).map_or(0, |json| json.len())
}

fn largest_field(profile: &Profile) -> String {
    let Ok(Value::Object(fields)) = serde_json::to_value(profile) else { return String::new() };
    let largest = fields.into_iter().max_by_key(|(_, value)| value.to_string().len());
    largest.map(|(name, _)| name).unwrap_or_default()
}

#[cfg(test)]
mod tests;

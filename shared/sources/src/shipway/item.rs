//! One order of a webhook.

use domain::core::id::{Awb, OrderId};
use domain::core::timestamp::Timestamp;
use domain::tracking::report::{Report, SourceName};

use super::report_identity::{Name, ReportIdentity};
use super::{dates, scans, status};
use crate::Request;
use crate::text::{Fields, LABEL};

/// Order id of the panel's "Send Sample Webhook".
const SAMPLE: &str = "99999999";

/// Fields with the time of the status.
const TIMES: [&str; 2] = ["status_time", "scans_current_status_time"];
/// Fields with a code. `current_status` is the usual one; it may also hold a name.
const CODES: [&str; 2] = ["current_status", "current_status_code"];
/// Fields with a description, for an item without a code.
const DESCRIPTIONS: [&str; 3] =
    ["scans_current_status", "current_status_desc", "current_status_description"];

pub(super) struct Item {
    fields: Fields,
    scans: Vec<Fields>,
}

impl From<Fields> for Item {
    fn from(fields: Fields) -> Self {
        let scans = scans::of(&fields);
        Self { fields, scans }
    }
}

impl Item {
    pub(super) fn is_sample(&self) -> bool {
        self.fields.text("order_id").is_some_and(|id| id == SAMPLE)
    }

    /// The first field with a time, parsable or not.
    pub(super) fn raw_time(&self) -> Option<String> {
        dates::raw_times(&self.fields, &TIMES).next().or_else(|| scans::raw_time(&self.scans))
    }

    /// `None` if the item names neither parcel nor order.
    pub(super) fn report(
        &self,
        request: &Request<'_>,
        at: Timestamp,
        source: SourceName,
    ) -> Option<Report> {
        let (awb, order_id) = (self.parcel("awbno"), self.fields.id("order_id", OrderId::parse));
        let name = awb.as_ref().map(Name::Parcel).or(order_id.as_ref().map(Name::Order))?;
        let field = self.status_field();
        let label = field.and_then(|name| self.fields.words(name, LABEL));
        let (status, leg) = status::of(label.as_deref().unwrap_or_default());
        let scans = scans::read(&self.scans);
        // The newest scan comes first: `status_time` may be the time of sending, and polled reports
        // have only scans.
        let occurred_at = (scans.last().and_then(|scan| scan.at))
            .or_else(|| dates::read(&self.fields, &TIMES))
            .or_else(|| scans::newest_time(&scans));
        let identity = ReportIdentity {
            name,
            status: field.and_then(|name| self.fields.text(name)),
            newest: scans.last(),
            occurred_at,
            raw_time: self.raw_time(),
        };
        Some(Report {
            id: identity.pushed_id(request.account, at),
            source,
            return_awb: self
                .parcel("reverse_tracking_number")
                .filter(|number| !is_same(awb.as_ref(), number)),
            awb,
            provider_id: None,
            order_id,
            leg,
            status,
            source_status: label,
            occurred_at,
            location: scans.last().and_then(|scan| scan.location.clone()),
            note: None,
            eta: dates::read_day(&self.fields, "expected_delivery_date"),
            attempts: None,
            carrier_name: self.carrier_name(),
            scans,
        })
    }

    /// The field that gives the status: the first code with a meaning, else the first code, else a
    /// description.
    fn status_field(&self) -> Option<&'static str> {
        self.first_known(&CODES).or_else(|| self.first_known(&DESCRIPTIONS))
    }

    /// The first of these fields with a known text, else the first with any.
    fn first_known(&self, names: &[&'static str]) -> Option<&'static str> {
        let text = |name: &str| self.fields.words(name, LABEL);
        let is_known = |name: &&&str| text(name).is_some_and(|text| status::is_known(&text));
        let known = names.iter().find(is_known);
        known.or_else(|| names.iter().find(|name| text(name).is_some())).copied()
    }

    /// Some systems send the carrier's id for its name.
    fn carrier_name(&self) -> Option<String> {
        let is_number = |name: &String| name.bytes().all(|byte| byte.is_ascii_digit());
        self.fields.words("carrier", LABEL).filter(|name| !is_number(name))
    }

    /// A tracking number. Some systems write zero for none.
    fn parcel(&self, name: &str) -> Option<Awb> {
        self.fields.id(name, Awb::parse).filter(|awb| !significant(awb).is_empty())
    }
}

/// Some systems drop the leading zeros of tracking numbers.
fn is_same(awb: Option<&Awb>, other: &Awb) -> bool {
    awb.is_some_and(|awb| significant(awb) == significant(other))
}

fn significant(awb: &Awb) -> &str {
    awb.as_str().trim_start_matches('0')
}

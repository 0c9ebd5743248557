//! One parcel of a response.

use domain::core::id::Awb;
use domain::core::timestamp::Timestamp;
use domain::tracking::report::{Report, Scan};
use domain::tracking::status::{Leg, Status};

use super::TrackingQuery;
use crate::Source;
use crate::shipway::report_identity::{Name, ReportIdentity};
use crate::shipway::{Shipway, dates, scans, status};
use crate::text::{Fields, LABEL};

/// Names of the scan list: the first is in known responses, the second in Shipway's PHP SDK.
const HISTORIES: [&str; 3] = ["shipment_track_activities", "tracking_history", "scans"];

pub(super) struct Parcel {
    pub(super) awb: Awb,
    /// Usually a code, sometimes a name.
    code: CarrierStatus,
    /// The name of the same status.
    name: CarrierStatus,
    delivered_at: Option<Timestamp>,
    eta: Option<Timestamp>,
    carrier_name: Option<String>,
    raw_time: Option<String>,
    scans: Vec<Scan>,
}

struct CarrierStatus {
    /// Verbatim.
    text: Option<String>,
    /// For display.
    label: Option<String>,
    status: Status,
    leg: Leg,
}

impl CarrierStatus {
    fn of(fields: &Fields, name: &str) -> Self {
        let text = fields.text(name);
        let (status, leg) = status::of(text.as_deref().unwrap_or_default());
        Self { text, label: fields.words(name, LABEL), status, leg }
    }

    fn is_return(&self) -> bool {
        self.leg == Leg::Return || self.status.leg() == Some(Leg::Return)
    }
}

impl Parcel {
    /// `None` without an AWB, or without a status and scans.
    pub(super) fn of(item: Fields) -> Option<Self> {
        let awb = item.id("awb", Awb::parse)?;
        let details = item.object("tracking_details");
        let shipment = shipment(&details);
        let history = scans::first([&details, &item].into_iter().flat_map(lists));
        let eta = [&shipment, &details]
            .into_iter()
            .find_map(|fields| dates::read_day(fields, "expected_delivery_date"));
        let parcel = Self {
            awb,
            code: CarrierStatus::of(&details, "shipment_status"),
            name: CarrierStatus::of(&shipment, "current_status"),
            delivered_at: dates::read(&shipment, &["delivered_date"]),
            eta,
            carrier_name: shipment.words("courier_name", LABEL),
            raw_time: scans::raw_time(&history),
            scans: scans::read(&history),
        };
        parcel.has_content().then_some(parcel)
    }

    fn has_content(&self) -> bool {
        self.code.label.is_some() || self.name.label.is_some() || !self.scans.is_empty()
    }

    /// The time of the newest scan.
    pub(super) fn newest(&self) -> Option<Timestamp> {
        scans::newest_time(&self.scans)
    }

    pub(super) fn report(&self, query: &TrackingQuery<'_>) -> Report {
        let (chosen, leg) = self.status();
        let delivered = self.delivered_at.filter(|_| chosen.status == Status::Delivered);
        let occurred_at = self.newest().or(delivered);
        let identity = ReportIdentity {
            name: Name::Parcel(query.awb),
            status: chosen.text.clone(),
            newest: self.scans.last(),
            occurred_at,
            raw_time: self.raw_time.clone(),
        };
        Report {
            id: identity.polled_id(query.account),
            source: Shipway.name(),
            awb: Some(query.awb.clone()),
            return_awb: None,
            provider_id: None,
            order_id: Some(query.order_id.clone()),
            leg,
            status: chosen.status,
            source_status: self.label(chosen),
            occurred_at,
            location: self.scans.last().and_then(|scan| scan.location.clone()),
            note: None,
            eta: self.eta,
            attempts: None,
            carrier_name: self.carrier_name.clone(),
            scans: self.scans.clone(),
        }
    }

    /// Prefers the code; an unknown code falls back to the name. The name wins if only the name is
    /// about a return: live codes kept their value when a parcel turned back, and `DEL` may then
    /// mean the delivery to the shop.
    fn status(&self) -> (&CarrierStatus, Leg) {
        let (code, name) = (&self.code, &self.name);
        if name.is_return() && !code.is_return() {
            return (name, name.leg);
        }
        let only_name_known = code.status == Status::Unknown && name.status != Status::Unknown;
        let chosen = if only_name_known || code.label.is_none() { name } else { code };
        (chosen, if code.leg == Leg::Return { Leg::Return } else { chosen.leg })
    }

    /// Shows the name instead of the code if both mean the same.
    fn label(&self, chosen: &CarrierStatus) -> Option<String> {
        let same = chosen.status != Status::Unknown && self.name.status == chosen.status;
        self.name.label.clone().filter(|_| same).or_else(|| chosen.label.clone())
    }
}

/// `shipment_details` is an object or a list of one.
fn shipment(details: &Fields) -> Fields {
    let members = details.members("shipment_details");
    let first = members.and_then(|members| members.into_iter().flatten().next());
    first.unwrap_or_else(|| details.object("shipment_details"))
}

fn lists(fields: &Fields) -> impl Iterator<Item = Option<Vec<Option<Fields>>>> {
    HISTORIES.iter().map(|name| fields.members(name))
}

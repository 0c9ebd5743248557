//! What an item of the answer says of its parcel.

use domain::core::id::Awb;
use domain::core::timestamp::Timestamp;
use domain::tracking::report::{Report, Scan};
use domain::tracking::status::{Leg, Status};

use super::TrackingQuery;
use crate::shipway::report_identity::{Name, ReportIdentity};
use crate::shipway::{Shipway, moment, scans, status};
use crate::text::{Fields, LABEL};
use crate::{Received, Source};

/// The lists of what happened: the first in answers that were seen, the second in Shipway's PHP SDK.
const HISTORIES: [&str; 3] = ["shipment_track_activities", "tracking_history", "scans"];

/// A parcel that Shipway knows something of.
pub(super) struct Parcel {
    pub(super) awb: Awb,
    /// A code, though it may be words.
    code: CarrierStatus,
    /// The same in words.
    words: CarrierStatus,
    delivered_at: Option<Timestamp>,
    eta: Option<Timestamp>,
    named_time: Option<String>,
    scans: Vec<Scan>,
}

/// What Shipway says, and what it means.
struct CarrierStatus {
    /// To the letter.
    text: Option<String>,
    /// As people read it.
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
    /// Nothing for an item that says nothing, or not of which parcel.
    pub(super) fn of(item: Fields) -> Option<Self> {
        let awb = item.id("awb", Awb::parse)?;
        let details = item.object("tracking_details");
        let shipment = shipment(&details);
        let history = scans::first([&details, &item].into_iter().flat_map(lists));
        let eta = [&shipment, &details]
            .into_iter()
            .find_map(|fields| moment::read_day(fields, "expected_delivery_date"));
        let parcel = Self {
            awb,
            code: CarrierStatus::of(&details, "shipment_status"),
            words: CarrierStatus::of(&shipment, "current_status"),
            delivered_at: moment::read(&shipment, &["delivered_date"]),
            eta,
            named_time: scans::named_time(&history),
            scans: scans::read(&history),
        };
        parcel.says_something().then_some(parcel)
    }

    fn says_something(&self) -> bool {
        self.code.label.is_some() || self.words.label.is_some() || !self.scans.is_empty()
    }

    /// When something last happened to it.
    pub(super) fn newest(&self) -> Option<Timestamp> {
        self.scans.iter().rev().find_map(|scan| scan.at)
    }

    /// What it claims about the order that it was asked for.
    pub(super) fn report(&self, asked: &TrackingQuery<'_>, received: &Received<'_>) -> Report {
        let (word, leg) = self.word();
        let delivered = self.delivered_at.filter(|_| word.status == Status::Delivered);
        let occurred_at = self.newest().or(delivered);
        let claim = ReportIdentity {
            name: Name::Parcel(asked.awb),
            word: word.text.clone(),
            newest: self.scans.last(),
            occurred_at,
            named_time: self.named_time.clone(),
        };
        Report {
            id: claim.id_as_answered(received),
            source: Shipway.name(),
            awb: Some(asked.awb.clone()),
            return_awb: None,
            provider_id: None,
            order_id: Some(asked.order_id.clone()),
            leg,
            status: word.status,
            source_status: self.label(word),
            occurred_at,
            location: self.scans.last().and_then(|scan| scan.location.clone()),
            note: None,
            eta: self.eta,
            scans: self.scans.clone(),
        }
    }

    /// The code counts, and where it means nothing to us the words. But once the words tell of a return and the code
    /// does not, they count: it was seen to stay what it was when the parcel turned back, and `DEL` may be the
    /// delivery to the shop.
    fn word(&self) -> (&CarrierStatus, Leg) {
        let (code, words) = (&self.code, &self.words);
        if words.is_return() && !code.is_return() {
            return (words, words.leg);
        }
        let means_more = code.status == Status::Unknown && words.status != Status::Unknown;
        let word = if means_more || code.label.is_none() { words } else { code };
        (word, if code.leg == Leg::Return { Leg::Return } else { word.leg })
    }

    /// People read the words rather than the code, where both mean the same.
    fn label(&self, word: &CarrierStatus) -> Option<String> {
        let same = word.status != Status::Unknown && self.words.status == word.status;
        self.words.label.clone().filter(|_| same).or_else(|| word.label.clone())
    }
}

/// The one member of `shipment_details`.
fn shipment(details: &Fields) -> Fields {
    let members = details.members("shipment_details");
    let first = members.and_then(|members| members.into_iter().flatten().next());
    first.unwrap_or_else(|| details.object("shipment_details"))
}

fn lists(fields: &Fields) -> impl Iterator<Item = Option<Vec<Option<Fields>>>> {
    HISTORIES.iter().map(|name| fields.members(name))
}

//! What is said of one order, in a body of its own or in a feed.

use domain::core::id::{Awb, OrderId};
use domain::tracking::report::{Report, SourceName};

use super::report_identity::{Name, ReportIdentity};
use super::{moment, scans, status};
use crate::Received;
use crate::text::{Fields, LABEL};

/// The order that the panel's "Send Sample Webhook" is about: none.
const SAMPLE: &str = "99999999";

/// When the item came to be so.
const TIMES: [&str; 2] = ["status_time", "scans_current_status_time"];

/// What is said of one order.
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
    /// Whether it only shows what an item looks like.
    pub(super) fn is_sample(&self) -> bool {
        self.fields.text("order_id").is_some_and(|id| id == SAMPLE)
    }

    /// What it first names as a time. An item that names none may be true again later.
    pub(super) fn time(&self) -> Option<String> {
        moment::named(&self.fields, &TIMES).next().or_else(|| scans::named_time(&self.scans))
    }

    /// The claim that it makes; nothing where it names neither parcel nor order.
    pub(super) fn report(&self, received: &Received<'_>, source: SourceName) -> Option<Report> {
        let (awb, order_id) = (self.parcel("awbno"), self.fields.id("order_id", OrderId::parse));
        let name = awb.as_ref().map(Name::Parcel).or(order_id.as_ref().map(Name::Order))?;
        let word = self.fields.words("current_status", LABEL);
        let (status, leg) = status::of(word.as_deref().unwrap_or_default());
        let scans = scans::read(&self.scans);
        let last_scan = || scans.iter().rev().find_map(|scan| scan.at);
        let occurred_at = moment::read(&self.fields, &TIMES).or_else(last_scan);
        let claimed = self.fields.text("current_status");
        let claim = ReportIdentity {
            name,
            word: claimed,
            newest: scans.last(),
            occurred_at,
            named_time: self.time(),
        };
        Some(Report {
            id: claim.id_as_sent(received),
            source,
            return_awb: self
                .parcel("reverse_tracking_number")
                .filter(|number| !is_same(awb.as_ref(), number)),
            awb,
            provider_id: None,
            order_id,
            leg,
            status,
            source_status: word,
            occurred_at,
            location: scans.last().and_then(|scan| scan.location.clone()),
            note: None,
            eta: moment::read_day(&self.fields, "expected_delivery_date"),
            scans,
        })
    }

    /// A parcel's number. Zero is what some systems write for none.
    fn parcel(&self, name: &str) -> Option<Awb> {
        self.fields.id(name, Awb::parse).filter(|awb| !significant(awb).is_empty())
    }
}

/// Numbers lose the zeros that they begin with.
fn is_same(awb: Option<&Awb>, other: &Awb) -> bool {
    awb.is_some_and(|awb| significant(awb) == significant(other))
}

fn significant(awb: &Awb) -> &str {
    awb.as_str().trim_start_matches('0')
}

//! Parcels, as the carrier knows them and as its API shows them.

use std::time::Duration;

use domain::core::id::OrderKey;
use domain::core::timestamp::Timestamp;
use fastrand::Rng;
use serde_json::{Value, json};

use crate::setup::polling::Shop;

/// Indian time, in which the carrier writes.
const OFFSET: Duration = Duration::from_secs(5 * 3600 + 1800);

/// Code and name of a status.
type Step = (&'static str, &'static str);

const SCHEDULED: Step = ("SCH", "Pickup Scheduled");
const PICKED_UP: Step = ("PKP", "Picked Up");
const IN_TRANSIT: Step = ("INT", "In Transit");
const ON_HOLD: Step = ("ONH", "On Hold");
const OUT_FOR_DELIVERY: Step = ("OOD", "Out For Delivery");
const UNDELIVERED: Step = ("UND", "Undelivered");
const DELIVERED: Step = ("DEL", "Delivered");
const RTO: Step = ("RTO", "RTO Initiated");
const RTO_IN_TRANSIT: Step = ("RINT", "RTO In Transit");
const RTO_DELIVERED: Step = ("RTD", "RTO Delivered");
const CANCELLED: Step = ("CAN", "Cancelled");
const LOST: Step = ("LOST", "Lost");
const OTHER: Step = ("OTH", "Others");
const UNHEARD_OF: Step = ("XYZ", "Teleported");

const JOURNEYS: [&[Step]; 7] = [
    &[SCHEDULED, PICKED_UP, IN_TRANSIT, IN_TRANSIT, OUT_FOR_DELIVERY, DELIVERED],
    &[PICKED_UP, OUT_FOR_DELIVERY, UNDELIVERED, ON_HOLD, OUT_FOR_DELIVERY, DELIVERED],
    &[PICKED_UP, IN_TRANSIT, UNDELIVERED, RTO, RTO_IN_TRANSIT, RTO_DELIVERED],
    &[SCHEDULED, PICKED_UP, IN_TRANSIT, ON_HOLD, IN_TRANSIT],
    &[SCHEDULED, CANCELLED, IN_TRANSIT, DELIVERED],
    &[PICKED_UP, UNHEARD_OF, IN_TRANSIT, OTHER, LOST],
    &[SCHEDULED, CANCELLED],
];

pub(crate) fn draw_journey(random: &mut Rng) -> &'static [Step] {
    JOURNEYS[random.usize(..JOURNEYS.len())]
}

/// A parcel with what the carrier knows of it so far.
#[derive(Debug, Clone)]
pub(crate) struct Parcel {
    pub(crate) shop: Shop,
    pub(crate) awb: String,
    /// The orders that name it. Of several, one account each.
    pub(crate) orders: Vec<OrderKey>,
    /// Oldest first.
    pub(crate) scans: Vec<Scan>,
    /// As long as there are faults, no call that asks about it is answered.
    pub(crate) breaks_calls: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Scan {
    pub(crate) step: Step,
    pub(crate) at: Timestamp,
    /// No other scan of any parcel has it.
    pub(crate) place: String,
}

impl Parcel {
    pub(crate) fn scan(&mut self, step: Step, now_ms: u64) {
        let place = format!("{} {}", self.place_prefix(), self.scans.len());
        let at = i64::try_from(now_ms).ok().and_then(|ms| Timestamp::from_millis(ms).ok());
        self.scans.push(Scan { step, at: at.unwrap_or(Timestamp::EPOCH), place });
    }

    /// What the places of all its scans begin with.
    pub(crate) fn place_prefix(&self) -> String {
        format!("Hub of {} {:?}", self.awb, self.shop)
    }

    /// The parcel in an answer. Without a scan, the carrier does not know it.
    pub(crate) fn item(&self) -> Option<Value> {
        item(&self.awb, &self.scans)
    }

    /// As it was before its newest scan.
    pub(crate) fn earlier_item(&self) -> Option<Value> {
        item(&self.awb, self.scans.split_last().map_or(&[], |(_, earlier)| earlier))
    }
}

fn item(awb: &str, scans: &[Scan]) -> Option<Value> {
    let newest = scans.last()?;
    let (code, name) = newest.step;
    let delivered = if newest.step == DELIVERED { local(newest.at) } else { NULL_DATE.to_owned() };
    let activities: Vec<Value> = scans.iter().rev().map(activity).collect();
    Some(json!({
        "awb": awb,
        "tracking_details": {
            "shipment_status": code,
            "shipment_details": [{
                "courier_id": 1, "courier_name": "Delhivery", "pickup_date": NULL_DATE,
                "delivered_date": delivered, "weight": "0.5", "packages": 1,
                "current_status": name, "consignee_name": "canary-consignee",
            }],
            "track_url": "https://example.invalid/track",
            "shipment_track_activities": activities,
        },
    }))
}

/// As MySQL's null date looks in India.
const NULL_DATE: &str = "1970-01-01 05:30:00";

fn activity(scan: &Scan) -> Value {
    json!({ "date": local(scan.at), "activity": scan.step.1, "location": scan.place })
}

/// `2026-03-02 11:30:00`
pub(crate) fn local(at: Timestamp) -> String {
    let text = at.after(OFFSET).to_string().replace('T', " ");
    text.chars().take("2026-03-02 11:30:00".len()).collect()
}

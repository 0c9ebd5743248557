//! What the tests of this crate build their cases from.
#![expect(clippy::unwrap_used)]

use serde_json::Value;

use crate::fold::{Claim, Claimed, Position};
use crate::id::{AccountCode, Awb, EventId, OrderId, OrderKey, ReportId};
use crate::order::{Order, Profile};
use crate::report::{Report, SourceName};
use crate::request::NewOrder;
use crate::status::{Leg, Status};
use crate::timeline::{Bringer, State};
use crate::timestamp::Timestamp;

/// That many minutes after 2026-01-20T10:00:00Z.
pub(crate) fn minute(minutes: i64) -> Timestamp {
    second(minutes * 60)
}

/// That many seconds after 2026-01-20T10:00:00Z.
pub(crate) fn second(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_768_903_200_000 + seconds * 1000).unwrap()
}

pub(crate) fn report_id(id: &str) -> ReportId {
    ReportId::parse(id).unwrap()
}

pub(crate) fn event_id(id: &str) -> EventId {
    EventId::parse(id).unwrap()
}

pub(crate) fn awb(number: &str) -> Awb {
    Awb::parse(number).unwrap()
}

/// A claim that brings nothing but itself.
pub(crate) fn claimed(id: &str, at: Timestamp, claim: Claim) -> Claimed {
    Claimed {
        position: Position { occurred_at: at, rank: claim.status(), report_id: report_id(id) },
        claim,
        source: SourceName::new("shiprocket"),
        source_status: None,
        location: None,
        note: None,
        eta: None,
    }
}

/// A carrier's report that says nothing but this.
pub(crate) fn report(id: &str, status: Status, at: Option<Timestamp>) -> Report {
    Report {
        id: report_id(id),
        source: SourceName::new("shiprocket"),
        awb: None,
        return_awb: None,
        provider_id: None,
        order_id: None,
        leg: Leg::Outbound,
        status,
        source_status: None,
        occurred_at: at,
        location: None,
        note: None,
        eta: None,
        scans: Vec::new(),
    }
}

/// The event `event-{id}`.
pub(crate) fn bringer(id: &str, received_at: Timestamp) -> Bringer {
    Bringer { event_id: event_id(&format!("event-{id}")), received_at }
}

/// An order as its shop's request makes it, a minute before the hour of [`minute`].
pub(crate) fn order(account: &str, body: &Value) -> Order {
    let asked = NewOrder::read(body.to_string().as_bytes()).unwrap();
    order_of(account, asked.order_id.as_str(), asked.status, asked.profile)
}

pub(crate) fn order_of(account: &str, id: &str, status: Status, profile: Profile) -> Order {
    let key = OrderKey { account: AccountCode::parse(account).unwrap(), order: OrderId::parse(id).unwrap() };
    Order { key, profile, state: State::at_creation(status, minute(-1)) }
}

//! Pins the JSON of rows and queue messages as literal text.
//!
//! Rows and messages outlive a release: a rename in Rust must not change them. When one of these
//! tests fails, keep the stored name with `#[serde(rename)]`; do not edit the text.
#![expect(clippy::unwrap_used)]

mod timeline;

use serde::Serialize;
use serde::de::DeserializeOwned;
use strum::VariantArray;

use crate::core::id::{AccountCode, Awb, EndpointName, OrderId, ProviderId};
use crate::core::timestamp::Timestamp;
use crate::messaging::channel::{ChannelError, ProviderMessageId, StatusUpdate};
use crate::messaging::linked::TrackedMessage;
use crate::messaging::message::{Message, MessageKey, NewMessage};
use crate::messaging::message_status::ProviderStatus;
use crate::messaging::pricing::{Pricing, PricingCategory, PricingType};
use crate::orders::api_event::{ApiEvent, Reconciliation, StatusReport, TakenName, Withdrawal};
use crate::polling::{
    Batch, BatchMessage, PlanMessage, PollItem, PollResult, PollState, PolledReport, Run, Stalled,
};
use crate::testing::{awb, event_id, minute, report, report_id};
use crate::tracking::entry::{Direction, ParcelChange, ParcelFact};
use crate::tracking::fold::Disposition;
use crate::tracking::report::{Ref, Report, Scan, SourceName};
use crate::tracking::status::Status;
use crate::webhooks::delivery::Delivery;
use crate::webhooks::endpoint::{EventType, Format};
use crate::webhooks::kind::Kind;
use crate::webhooks::lease::DeliveryState;

fn account() -> AccountCode {
    AccountCode::parse("STORE001").unwrap()
}

fn order_id() -> OrderId {
    OrderId::parse("ORD-1").unwrap()
}

fn provider_ref() -> Ref {
    Ref::Provider { source: SourceName::new("shipway"), id: ProviderId::parse("77").unwrap() }
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn assert_json<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(
    value: &T,
    expected: &[&str],
) {
    let expected = expected.concat();
    assert_eq!(serde_json::to_string(value).unwrap(), expected);
    assert_eq!(serde_json::from_str::<T>(&expected).unwrap(), *value);
}

#[test]
fn every_status() {
    assert_json(
        &Status::ALL.to_vec(),
        &[
            r#"["unknown","pending","assigned","accepted","in_progress","payment_requested","#,
            r#""payment_confirmed","arrival_confirmed","processing","pickup_failed","failed","#,
            r#""picked_up","in_transit","delayed","exception","out_for_delivery","undelivered","completed","#,
            r#""lost","cancelled","delivered","return_initiated","return_in_transit","#,
            r#""return_out_for_delivery","returned"]"#,
        ],
    );
}

/// `strum` writes the text of rows, `serde` that of messages and payloads.
#[test]
fn enum_names_are_the_same_in_rows_and_in_json() {
    fn assert_name<T: Serialize>(value: T, name: &str) {
        assert_eq!(serde_json::to_string(&value).unwrap(), format!("\"{name}\""));
    }
    for status in Status::ALL {
        assert_name(status, status.as_str());
    }
    for status in ProviderStatus::VARIANTS {
        assert_name(status, status.as_str());
    }
    for format in [Format::StatusUpdate, Format::OrderStatusChanged, Format::Standard] {
        assert_name(format, format.as_str());
        assert_eq!(Format::parse(format.as_str()), Some(format));
    }
    for state in DeliveryState::VARIANTS {
        assert_name(state, state.as_str());
        assert_eq!(DeliveryState::parse(state.as_str()), Some(*state));
    }
    use EventType::{ShipmentStatusChanged, Stalled as OrderStalled, StatusChanged};
    for event in [StatusChanged, ShipmentStatusChanged, OrderStalled] {
        assert_name(event, event.as_str());
        assert_eq!(EventType::parse(event.as_str()), Some(event));
    }
}

#[test]
fn disposition_reasons() {
    use Disposition::{AfterTerminal, Applied, ReplacedParcel, Same, Unknown, Withdrawn};
    assert_eq!(
        [Applied, Same, Unknown, AfterTerminal].map(Disposition::reason),
        [None, Some("same"), Some("unknown"), Some("after_terminal")]
    );
    assert_eq!(
        [ReplacedParcel, Withdrawn].map(Disposition::reason),
        [Some("replaced_parcel"), Some("withdrawn")]
    );
}

#[test]
fn api_events() {
    let named = ParcelChange::Named { direction: Direction::Forward, awb: None };
    let added = ParcelChange::Added {
        awb: awb("A2"),
        carrier_id: serde_json::from_str("1.10").unwrap(),
        carrier_name: None,
    };
    let fact = |change| ParcelFact { rev: 7, change, recycled: false };
    assert_json(
        &ApiEvent::Reconciliation(Reconciliation {
            order_id: order_id(),
            is_new: true,
            parcels: vec![fact(named), fact(added)],
            taken: vec![TakenName {
                name: provider_ref(),
                from: order_id(),
                rev: 7,
                with_reports: true,
            }],
        }),
        &[
            r#"{"type":"adoption","order_id":"ORD-1","is_new":true,"#,
            r#""parcels":[{"rev":7,"change":{"named":{"direction":"forward","awb":null}}},"#,
            r#"{"rev":7,"change":{"added":{"awb":"A2","carrier_id":1.10,"carrier_name":null}}}],"#,
            r#""taken":[{"name":{"provider":{"source":"shipway","id":"77"}},"from":"ORD-1","#,
            r#""rev":7,"with_reports":true}]}"#,
        ],
    );
    assert_json(
        &ApiEvent::Withdrawal(Withdrawal { order_id: order_id(), report_id: report_id("r1") }),
        &[r#"{"type":"withdrawal","order_id":"ORD-1","report_id":"r1"}"#],
    );
    assert_json(
        &ApiEvent::Status(StatusReport {
            order_id: order_id(),
            status: Status::Accepted,
            occurred_at: Some(minute(1)),
            note: text("note"),
            awb: None,
        }),
        &[
            r#"{"type":"status","order_id":"ORD-1","status":"accepted","#,
            r#""occurred_at":"2026-01-20T10:01:00.000Z","note":"note"}"#,
        ],
    );
    assert_json(
        &ApiEvent::Status(StatusReport {
            order_id: order_id(),
            status: Status::Accepted,
            occurred_at: None,
            note: None,
            awb: Some(awb("A1")),
        }),
        &[
            r#"{"type":"status","order_id":"ORD-1","status":"accepted","#,
            r#""occurred_at":null,"note":null,"awb":"A1"}"#,
        ],
    );
}

#[test]
fn tracked_message_row() {
    let mut tracked = TrackedMessage::default();
    let update = |status: &str, minutes| StatusUpdate {
        message: ProviderMessageId::parse("wamid.A").unwrap(),
        status: status.to_owned(),
        at: Some(minute(minutes)),
        error: Some(ChannelError {
            code: text("131026"),
            title: text("title"),
            details: text("details"),
        }),
        callback_data: None,
        pricing: None,
        recipient: None,
    };
    for (minutes, status) in (1..).zip(["sent", "failed", "deleted"]) {
        tracked.tracking.merge(&update(status, minutes), minute(9));
    }
    let body = serde_json::json!({
        "order_id": "ORD-1", "account_code": "STORE001",
        "message_status": "queued", "message_id": "wamid.A",
    });
    let message = NewMessage::read(body.to_string().as_bytes()).unwrap();
    tracked.link(&Message::new(message, &MessageKey::Provider("wamid.A"), minute(5)));
    assert_json(
        &tracked,
        &[
            r#"{"track":{"seen":{"sent":"2026-01-20T10:01:00.000Z","#,
            r#""failed":"2026-01-20T10:02:00.000Z"},"failure":{"at":"2026-01-20T10:02:00.000Z","#,
            r#""error":{"code":"131026","title":"title","details":"details"}},"#,
            r#""other":{"at":"2026-01-20T10:03:00.000Z","word":"deleted"}},"#,
            r#""record":{"id":"va6mjzhk6apbdlr7zocmrnxm36rihcug","order_id":"ORD-1","#,
            r#""account_code":"STORE001","message_status":"queued","#,
            r#""sent_at":"2026-01-20T10:05:00.000Z","message_id":"wamid.A"}}"#,
        ],
    );
}

#[test]
fn tracked_message_row_with_a_price_and_an_answer() {
    let mut tracked = TrackedMessage::default();
    let update = StatusUpdate {
        message: ProviderMessageId::parse("wamid.A").unwrap(),
        status: "sent".to_owned(),
        at: Some(minute(1)),
        error: None,
        callback_data: None,
        pricing: Some(Pricing {
            category: PricingCategory::Utility,
            kind: PricingType::Regular,
            billable: Some(true),
        }),
        recipient: None,
    };
    tracked.tracking.merge(&update, minute(9));
    tracked.answer(minute(5));
    assert_json(
        &tracked,
        &[
            r#"{"track":{"seen":{"sent":"2026-01-20T10:01:00.000Z"},"#,
            r#""priced":{"at":"2026-01-20T10:01:00.000Z","#,
            r#""pricing":{"category":"utility","type":"regular","billable":true}}},"#,
            r#""record":null,"replied_at":"2026-01-20T10:05:00.000Z"}"#,
        ],
    );
}

fn polled_report() -> Report {
    Report {
        awb: Some(awb("A1")),
        scans: vec![Scan {
            at: Some(minute(1)),
            activity: text("scanned"),
            location: text("Pune"),
        }],
        ..report("r1", Status::InTransit, Some(minute(1)))
    }
}

#[test]
fn poll_result_message() {
    let result = PollResult {
        v: PollResult::VERSION,
        source: SourceName::new("shipway"),
        received_at: minute(2),
        reports: vec![PolledReport {
            account: account(),
            order_id: order_id(),
            report: polled_report(),
        }],
        stalled: vec![Stalled {
            account: account(),
            order_id: order_id(),
            awb: awb("A1"),
            since: minute(0),
        }],
    };
    assert_json(
        &result,
        &[
            r#"{"v":1,"source":"shipway","received_at":"2026-01-20T10:02:00.000Z","#,
            r#""reports":[{"account":"STORE001","order_id":"ORD-1","report":{"id":"r1","#,
            r#""source":"shiprocket","awb":"A1","return_awb":null,"provider_id":null,"#,
            r#""order_id":null,"leg":"outbound","status":"in_transit","source_status":null,"#,
            r#""occurred_at":"2026-01-20T10:01:00.000Z","location":null,"note":null,"eta":null,"#,
            r#""scans":[{"at":"2026-01-20T10:01:00.000Z","activity":"scanned","#,
            r#""location":"Pune"}]}}],"stalled":[{"account":"STORE001","order_id":"ORD-1","#,
            r#""awb":"A1","since":"2026-01-20T10:00:00.000Z"}]}"#,
        ],
    );
}

/// Reports of older releases, such as the one above, have neither field.
#[test]
fn report_with_attempts_and_carrier() {
    let report = Report {
        attempts: Some(2),
        carrier_name: text("Blue Dart"),
        scans: Vec::new(),
        ..polled_report()
    };
    assert_json(
        &report,
        &[
            r#"{"id":"r1","source":"shiprocket","awb":"A1","return_awb":null,"provider_id":null,"#,
            r#""order_id":null,"leg":"outbound","status":"in_transit","source_status":null,"#,
            r#""occurred_at":"2026-01-20T10:01:00.000Z","location":null,"note":null,"eta":null,"#,
            r#""attempts":2,"carrier_name":"Blue Dart","scans":[]}"#,
        ],
    );
}

#[test]
fn poll_messages() {
    let run = Run::hourly(minute(0));
    let plan = PlanMessage::new(run.clone(), 3, 16, 0.5);
    assert_json(
        &plan,
        &[
            r#"{"v":1,"run":{"id":"hourly-2026-01-20T10","started_at":"2026-01-20T10:00:00.000Z","#,
            r#""manual":false},"planner":3,"planners":16,"calls_per_second":0.5}"#,
        ],
    );
    let active = PollState {
        seen: Some(report_id("r1")),
        heard_at: Some(minute(1)),
        stalled: Some(event_id("e1")),
        ..PollState::new(awb("A1"), minute(0)).not_found(&run)
    };
    let item = PollItem { account: account(), order_id: order_id(), active };
    let batch = Batch { credential: Some(account()), orders: vec![item] };
    assert_json(
        &BatchMessage::new(&plan, 7, 2, batch),
        &[
            r#"{"v":1,"run":{"id":"hourly-2026-01-20T10","started_at":"2026-01-20T10:00:00.000Z","#,
            r#""manual":false},"planner":3,"k":7,"not_before":"2026-01-20T10:01:10.000Z","#,
            r#""credential":"STORE001","orders":[{"account":"STORE001","order_id":"ORD-1","#,
            r#""active":{"awb":"A1","seen":"r1","heard_at":"2026-01-20T10:01:00.000Z","#,
            r#""moved_at":"2026-01-20T10:00:00.000Z","#,
            r#""unknown":{"since":"2026-01-20T10:00:00.000Z","#,
            r#""tries":1,"ask_after":"2026-01-20T11:00:00.000Z","run":"hourly-2026-01-20T10"},"#,
            r#""stale_since":null,"stalled":"e1","ended_at":null}}]}"#,
        ],
    );
}

#[test]
fn delivery_message() {
    let delivery = Delivery {
        v: 1,
        id: "msg_a".to_owned(),
        run: 2,
        endpoint: EndpointName::parse("shop").unwrap(),
        kind: Kind::Webhook { format: Format::OrderStatusChanged, event: EventType::Stalled },
        account: Some(account()),
        order_id: Some(order_id()),
        version: Some(3),
        order_created_at: None,
        awb: None,
        probe: false,
        accepted_at: None,
        traceparent: None,
        body: r#"{"a":1}"#.to_owned(),
    };
    assert_json(
        &delivery,
        &[
            r#"{"v":1,"id":"msg_a","run":2,"endpoint":"shop","format":"order.status_changed","#,
            r#""event":"order.stalled","account":"STORE001","order_id":"ORD-1","version":3,"#,
            r#""body":"{\"a\":1}"}"#,
        ],
    );
    let awb = Awb::parse("A1").ok();
    let order_created_at = Timestamp::parse("2026-01-20T10:00:00Z").ok();
    let probe = Delivery { probe: true, awb, order_created_at, body: String::new(), ..delivery };
    assert_json(
        &probe,
        &[
            r#"{"v":1,"id":"msg_a","run":2,"endpoint":"shop","format":"order.status_changed","#,
            r#""event":"order.stalled","account":"STORE001","order_id":"ORD-1","version":3,"#,
            r#""order_created_at":"2026-01-20T10:00:00.000Z","awb":"A1","probe":true,"body":""}"#,
        ],
    );
}

#![allow(clippy::unwrap_used, clippy::panic)]

use crate::core::id::{OrderId, ProviderId};
use crate::orders::order::{Order, Profile};
use crate::orders::view::{OrderSummary, OrderView};
use crate::testing::{FULL, MINIMAL, awb, minute, order, origin, readable, report, report_id};
use crate::tracking::report::{Ref, Report, SourceName};
use crate::tracking::status::Status;
use crate::tracking::timeline::{Arrival, TimelineEntry};

/// Applies the arrivals to the order. Returns the entries in arrival order.
fn apply(order: &mut Order, arrivals: &[&dyn Fn(&Order) -> Arrival]) -> Vec<TimelineEntry> {
    let mut entries = Vec::new();
    for (n, arrival) in (0_i64..).zip(arrivals) {
        let commit = match arrival(order) {
            Arrival::InOrder(arrival) => arrival.commit(&order.state, minute(40 + n)),
            Arrival::OutOfOrder(arrival) => {
                arrival.commit(&order.state, entries.clone(), minute(40 + n)).unwrap()
            }
        };
        order.state = commit.state;
        entries.push(commit.entry);
    }
    entries
}

/// A report in an event of its own, received five minutes after it happened.
fn arrival(report: Report) -> impl Fn(&Order) -> Arrival {
    let at = report.occurred_at.unwrap();
    let origin = origin(report.id.as_str(), at.after(std::time::Duration::from_secs(300)));
    move |order| Arrival::of_report(&order.state, order.profile.parcels(), &report, &origin)
}

fn report_with(id: &str, minutes: i64, status: Status, label: &str) -> Report {
    Report { source_status: Some(label.to_owned()), ..report(id, status, Some(minute(minutes))) }
}

/// An order with all fields and a timeline with an entry of every kind.
fn full() -> (Order, Vec<TimelineEntry>) {
    let mut order = order("STORE001", FULL);
    order.state.latest_message_status = Some("read".to_owned());
    let full_report = Report {
        location: Some("Pune Hub".to_owned()),
        note: Some("bag 7".to_owned()),
        eta: Some(minute(9999)),
        ..report_with("r-in-transit", 2, Status::InTransit, "IN TRANSIT")
    };
    let other_shipment = Report {
        awb: Some(awb("X9")),
        ..report_with("r-foreign", 6, Status::Delivered, "DELIVERED")
    };
    let new_parcel = origin("patch", minute(8));
    let entries = apply(
        &mut order,
        &[
            &arrival(full_report),
            &arrival(report_with("r-again", 3, Status::InTransit, "IN TRANSIT-AT DESTINATION HUB")),
            &arrival(report_with("r-odd", 4, Status::Unknown, "???")),
            &arrival(report_with("r-lost", 5, Status::Lost, "LOST")),
            &arrival(other_shipment),
            &arrival(report_with("r-after", 7, Status::OutForDelivery, "OUT FOR DELIVERY")),
            &arrival(report_with("r-late", 1, Status::PickedUp, "PICKED UP")),
            &|order| {
                Arrival::of_reshipment(
                    &order.state,
                    report_id("r-reshipped"),
                    minute(8),
                    &new_parcel,
                )
            },
        ],
    );
    (order, entries)
}

#[test]
fn the_view_shows_an_order_with_its_timeline() {
    let (full, full_entries) = full();
    for (name, order, mut entries) in
        [("full", full, full_entries), ("minimal", order("STORE001", MINIMAL), Vec::new())]
    {
        let view = serde_json::to_string(&OrderView::new(&order, &mut entries)).unwrap();
        insta::assert_snapshot!(name, readable(&view));
    }
}

#[test]
fn the_summary_is_a_part_of_the_view() {
    let (order, mut entries) = full();
    let summary = serde_json::to_value(OrderSummary::of(&order)).unwrap();
    let view = serde_json::to_value(OrderView::new(&order, &mut entries)).unwrap();
    let fields: Vec<_> = summary.as_object().unwrap().keys().collect();
    assert!(fields.iter().all(|field| summary[field] == view[field]), "{summary} {view}");
    let left_out: Vec<_> =
        view.as_object().unwrap().keys().filter(|field| !fields.contains(field)).collect();
    let expected = "customer customerNotes drop fare items metadata paymentMethod paymentStatus \
                    pickup poll refs scheduledAt timeline trackingUrl vendorDetails vendorNotes";
    assert_eq!(left_out, expected.split_whitespace().collect::<Vec<_>>());
}

/// `applied` and `reason` depend on the whole timeline: a later arrival changes them.
#[test]
fn the_view_folds_the_current_timeline() {
    let mut order = order("STORE001", MINIMAL);
    let mut entries = apply(
        &mut order,
        &[
            &arrival(report_with("moving", 5, Status::InTransit, "IN TRANSIT")),
            &arrival(report_with("cancelled", 3, Status::Cancelled, "CANCELED")),
        ],
    );
    for reversed in [false, true] {
        if reversed {
            entries.reverse();
        }
        let view = serde_json::to_value(OrderView::new(&order, &mut entries)).unwrap();
        let facts: Vec<_> = view["timeline"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| {
                ["reportId", "applied", "reason", "late", "version"]
                    .map(|field| entry[field].to_string())
            })
            .collect();
        let expected = [
            ["\"moving\"", "false", "\"after_terminal\"", "false", "2"],
            ["\"cancelled\"", "true", "null", "true", "3"],
        ];
        assert_eq!(facts, expected);
        assert_eq!(
            (&view["status"], &view["previousStatus"]),
            (&"cancelled".into(), &"in_transit".into())
        );
    }
}

#[test]
fn references_are_parcels_and_provider_ids() {
    let provider = |source: &str, id: &str| Ref::Provider {
        source: SourceName::from(source),
        id: ProviderId::parse(id).unwrap(),
    };
    let refs = order("STORE001", FULL).profile.refs();
    let expected = [
        Ref::Awb(awb("19041424751540")),
        Ref::Awb(awb("R19041424751540")),
        provider("shiprocket", "348450001"),
        provider("esahayak", "order_12345"),
    ];
    assert_eq!(refs, expected.into());
    assert!(order("STORE001", MINIMAL).profile.refs().is_empty());
}

/// The first known reference wins, so their order matters.
#[test]
fn a_report_has_references_in_a_fixed_order() {
    let provider = ProviderId::parse("348450001").unwrap();
    let order_id = OrderId::parse("ORD-1001").unwrap();
    let full = Report {
        awb: Some(awb("A1")),
        return_awb: Some(awb("R1")),
        provider_id: Some(provider.clone()),
        order_id: Some(order_id.clone()),
        ..report("r", Status::InTransit, None)
    };
    let by_provider = Ref::Provider { source: SourceName::new("shiprocket"), id: provider };
    let expected =
        [Ref::Awb(awb("A1")), Ref::Awb(awb("R1")), by_provider, Ref::Order(order_id.clone())];
    assert_eq!(full.refs(), expected);
    let twice = Report { return_awb: Some(awb("A1")), provider_id: None, ..full };
    assert_eq!(twice.refs(), [Ref::Awb(awb("A1")), Ref::Order(order_id)]);
    assert_eq!(report("r", Status::InTransit, None).refs(), []);
}

#[test]
fn a_report_has_other_spellings_of_its_order_id_as_alternatives() {
    let order_id = |id: &str| Some(OrderId::parse(id).unwrap());
    let named = Report { order_id: order_id("1001"), ..report("r", Status::InTransit, None) };
    assert_eq!(named.alternative_refs(), [Ref::Order(OrderId::parse("#1001").unwrap())]);
    let by_awb = Report { awb: Some(awb("A1")), order_id: None, ..named };
    assert_eq!(by_awb.alternative_refs(), []);
}

/// Profiles are stored as JSON, digit by digit.
#[test]
fn a_profile_round_trips_through_its_row() {
    for body in [FULL, MINIMAL] {
        let profile = order("STORE001", body).profile;
        let row = serde_json::to_string(&profile).unwrap();
        let read: Profile = serde_json::from_str(&row).unwrap();
        assert_eq!(read, profile);
        assert_eq!(serde_json::to_string(&read).unwrap(), row);
    }
}

#[test]
fn debug_output_of_an_order_has_no_personal_data() {
    let body = r#"{"orderId":"ORD-1",
        "customer":{"phone":"canary","firstName":"canary","lastName":"canary"},
        "pickup":{"address":"canary"},"drop":{"address":"canary"},
        "customerNotes":"canary","vendorNotes":"canary",
        "metadata":{"x":"canary"},"vendorDetails":{"mobile":"canary","vendorName":"canary"},
        "items":[{"title":"canary","qty":1,"price":1}]}"#;
    let logged = format!("{:?}", order("STORE001", body));
    assert!(logged.contains("ORD-1") && !logged.contains("canary"), "{logged}");
}

#![allow(clippy::unwrap_used, clippy::panic)]

mod names;

use crate::core::id::{OrderId, ProviderId};
use crate::orders::order::{Order, Profile};
use crate::orders::view::{Checkpoints, OrderSummary, OrderView};
use crate::pagination::PageRequest;
use crate::testing::{
    FULL, MINIMAL, answer, apply, apply_report, awb, entry, minute, order, origin, readable,
    report, report_id,
};
use crate::tracking::entry::{Direction, Fact, ParcelChange, ParcelFact, TimelineEntry};
use crate::tracking::report::{Ref, Report, Scan, SourceName};
use crate::tracking::status::Status;
use crate::tracking::timeline::NewFact;

/// An order, and its entries as they arrived.
type Told = (Order, Vec<TimelineEntry>);

fn new(body: &str) -> Told {
    (order("STORE001", body), Vec::new())
}

/// Applies a fact of the shop.
fn say((order, entries): &mut Told, id: &str, minutes: i64, fact: Fact) {
    let new = NewFact { id: report_id(id), occurred_at: minute(minutes), fact };
    apply(order, entries, new, &origin(id, minute(minutes))).unwrap();
}

fn tell((order, entries): &mut Told, report: &Report) {
    apply_report(order, entries, report).unwrap();
}

fn parcel(rev: u64, change: ParcelChange) -> Fact {
    Fact::Parcel(ParcelFact { rev, change, recycled: false })
}

fn patched(rev: u64, direction: Direction, number: &str) -> Fact {
    parcel(rev, ParcelChange::Named { direction, awb: Some(awb(number)) })
}

fn added(rev: u64, number: &str) -> Fact {
    let carrier_name = Some("Delhivery".to_owned());
    parcel(rev, ParcelChange::Added { awb: awb(number), carrier_id: None, carrier_name })
}

fn report_with(id: &str, minutes: i64, status: Status, label: &str) -> Report {
    let report = report(id, status, Some(minute(minutes)));
    Report { awb: Some(awb("19041424751540")), source_status: Some(label.to_owned()), ..report }
}

/// An order with all fields and a timeline with an entry of every kind.
fn full() -> Told {
    let mut told = new(FULL);
    told.0.state.latest_message_status = Some("read".to_owned());
    tell(
        &mut told,
        &Report {
            location: Some("Pune Hub".to_owned()),
            note: Some("bag 7".to_owned()),
            eta: Some(minute(9999)),
            attempts: Some(2),
            ..report_with("r-in-transit", 2, Status::InTransit, "IN TRANSIT")
        },
    );
    let again = "IN TRANSIT-AT DESTINATION HUB";
    tell(&mut told, &report_with("r-again", 3, Status::InTransit, again));
    tell(&mut told, &report_with("r-odd", 4, Status::Unknown, "???"));
    tell(&mut told, &report_with("r-lost", 5, Status::Lost, "LOST"));
    tell(
        &mut told,
        &Report {
            awb: Some(awb("X9")),
            carrier_name: Some("Ekart".to_owned()),
            ..report_with("r-learnt", 6, Status::PickedUp, "PICKED UP")
        },
    );
    tell(&mut told, &report_with("r-after", 7, Status::Delayed, "DELAYED"));
    tell(&mut told, &report_with("r-late", 1, Status::PickedUp, "PICKED UP"));
    tell(&mut told, &Report { awb: None, ..report_with("r-order", 7, Status::InTransit, "MOVED") });
    say(&mut told, "p-patched", 8, patched(20, Direction::Return, "R2"));
    say(&mut told, "p-named", 8, patched(21, Direction::Forward, "X8"));
    say(&mut told, "p-added", 9, added(22, "S7"));
    let moved = ParcelChange::Moved { name: Ref::awb(&awb("X9")), to: order_id("ORD-2") };
    say(&mut told, "p-moved", 10, parcel(23, moved));
    say(&mut told, "w-again", 11, Fact::Withdrawal { report_id: report_id("r-again") });
    told
}

fn order_id(id: &str) -> OrderId {
    crate::testing::order_id(id)
}

fn page(limit: usize) -> PageRequest {
    PageRequest { limit, after: None }
}

fn checkpoints() -> Checkpoints {
    let scan = |minutes, activity: &str, location: Option<&str>| Scan {
        at: Some(minute(minutes)),
        activity: Some(activity.to_owned()),
        location: location.map(str::to_owned),
    };
    let scans = vec![scan(1, "PICKED UP", None), scan(2, "IN TRANSIT", Some("Pune Hub"))];
    [(awb("19041424751540"), scans)].into()
}

#[test]
fn the_view_shows_an_order_with_its_timeline() {
    for (name, (order, entries), checkpoints) in
        [("full", full(), checkpoints()), ("minimal", new(MINIMAL), Checkpoints::new())]
    {
        let view = OrderView::new(&order, &entries, &checkpoints, &page(100), None);
        let view = serde_json::to_string(&view).unwrap();
        insta::assert_snapshot!(name, readable(&view));
    }
}

#[test]
fn the_summary_is_a_part_of_the_view() {
    let (order, entries) = full();
    let summary = serde_json::to_value(OrderSummary::of(&order)).unwrap();
    let checkpoints = checkpoints();
    let view = OrderView::new(&order, &entries, &checkpoints, &page(100), None);
    let view = serde_json::to_value(view).unwrap();
    let fields: Vec<_> = summary.as_object().unwrap().keys().collect();
    assert!(fields.iter().all(|field| summary[field] == view[field]), "{summary} {view}");
    let left_out: Vec<_> =
        view.as_object().unwrap().keys().filter(|field| !fields.contains(field)).collect();
    let expected = "customer customerNotes drop fare items metadata paymentMethod paymentStatus \
                    pickup poll refs scheduledAt shipments timeline trackingUrl vendorDetails \
                    vendorNotes";
    assert_eq!(left_out, expected.split_whitespace().collect::<Vec<_>>());
}

/// `applied` and `reason` depend on the whole timeline: a later arrival changes them.
#[test]
fn the_view_folds_the_current_timeline() {
    let mut told = new(MINIMAL);
    tell(&mut told, &report_with("delayed", 5, Status::Delayed, "DELAYED"));
    tell(&mut told, &report_with("cancelled", 3, Status::Cancelled, "CANCELED"));
    let (order, mut entries) = told;
    for reversed in [false, true] {
        if reversed {
            entries.reverse();
        }
        let checkpoints = Checkpoints::new();
        let view = OrderView::new(&order, &entries, &checkpoints, &page(100), None);
        let view = serde_json::to_value(view).unwrap();
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
            ["\"delayed\"", "false", "\"after_terminal\"", "false", "2"],
            ["\"cancelled\"", "true", "null", "true", "3"],
        ];
        assert_eq!(facts, expected);
        assert_eq!(
            (&view["status"], &view["previousStatus"]),
            (&"cancelled".into(), &"delayed".into())
        );
    }
}

/// It changes nothing else, and has no words where other facts have them.
#[test]
fn the_view_shows_an_answer() {
    let (order, mut entries) = new(MINIMAL);
    let show = |entries: &[TimelineEntry]| {
        let checkpoints = Checkpoints::new();
        let view = OrderView::new(&order, entries, &checkpoints, &page(100), None);
        assert!(!format!("{view:?}").contains("Yes, please"));
        serde_json::to_value(view).unwrap()
    };
    let mut before = show(&entries);
    entries.push(entry("a1", minute(3), answer("Yes, please")));
    let mut after = show(&entries);
    let expected = serde_json::json!([{
        "reportId": "a1", "source": "whatsapp", "status": null,
        "sourceStatus": "Message answered", "awb": null,
        "occurredAt": minute(3), "receivedAt": minute(3), "location": null, "note": null,
        "applied": true, "reason": null, "late": false, "version": null,
        "answer": {"type": "button", "text": "Yes, please", "payload": "yes", "title": null,
                   "messageId": "wamid.B", "inReplyTo": "wamid.A"},
    }]);
    assert_eq!(after["timeline"].take(), expected);
    before["timeline"].take();
    assert_eq!(after, before);
}

#[test]
fn the_timeline_comes_in_pages() {
    let (order, entries) = full();
    let checkpoints = Checkpoints::new();
    let (mut ids, mut request, mut pages) = (Vec::new(), page(5), 0);
    loop {
        let view = OrderView::new(&order, &entries, &checkpoints, &request, None);
        let view = serde_json::to_value(view).unwrap();
        let items = view["timeline"].as_array().unwrap();
        pages += 1;
        ids.extend(items.iter().map(|item| item["reportId"].as_str().unwrap().to_owned()));
        let Some(next) = view.get("next_page") else { break };
        request = PageRequest::parse(Some("5"), next.as_str()).unwrap();
    }
    let view = OrderView::new(&order, &entries, &checkpoints, &page(100), None);
    let whole = serde_json::to_value(view).unwrap();
    let whole = whole["timeline"].as_array().unwrap();
    let of = |item: &serde_json::Value| item["reportId"].as_str().map(str::to_owned);
    assert_eq!(ids, whole.iter().filter_map(of).collect::<Vec<_>>());
    assert_eq!((pages, ids.len()), (3, entries.len()));
}

/// The parcels that the shop named have the order's carrier.
#[test]
fn a_parcel_has_a_carrier() {
    let (order, _) = full();
    let names: Vec<(&str, Option<&str>)> = order
        .state
        .parcels
        .iter()
        .map(|parcel| (parcel.awb.as_str(), order.carrier_name_of(parcel)))
        .collect();
    assert_eq!(
        names,
        [
            ("19041424751540", Some("Blue Dart")),
            ("R19041424751540", Some("Blue Dart")),
            ("R2", Some("Blue Dart")),
            ("X8", Some("Blue Dart")),
            ("S7", Some("Delhivery")),
        ]
    );
    let mut told = new(r#"{"orderId": "ORD-1", "carrierName": "Blue Dart"}"#);
    let learnt = report("r1", Status::PickedUp, Some(minute(1)));
    let learnt = Report { awb: Some(awb("X9")), ..learnt };
    tell(&mut told, &learnt);
    let carrier = |told: &Told| told.0.carrier_name_of(&told.0.state.parcels[0]).map(str::to_owned);
    assert_eq!(carrier(&told), None);
    tell(
        &mut told,
        &Report { id: report_id("r2"), carrier_name: Some("Ekart".to_owned()), ..learnt },
    );
    assert_eq!(carrier(&told).as_deref(), Some("Ekart"));
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

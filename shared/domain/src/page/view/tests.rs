#![expect(clippy::unwrap_used)]

use super::*;
use crate::testing::{apply_report, awb, minute, order, report};
use crate::tracking::report::Report;

type Told = (Order, Vec<TimelineEntry>, Checkpoints);

const ORDER: &str = r#"{"orderId":"ORD-1","awb":"A1","carrierName":"Delhivery",
    "customer":{"phone":"919876543210","firstName":"Zoë","lastName":"D'Souza"},
    "items":[{"title":"Shirt","qty":2,"price":1}]}"#;

fn new(body: &str) -> Told {
    (order("STORE001", body), Vec::new(), Checkpoints::default())
}

fn tell((order, entries, _): &mut Told, at: i64, status: Status, change: fn(Report) -> Report) {
    let id = format!("r{at}");
    let report = report(&id, status, Some(minute(at)));
    apply_report(order, entries, &change(Report { awb: Some(awb("A1")), ..report })).unwrap();
}

/// An order with these statuses of its parcel, an hour apart.
fn told(statuses: &[Status]) -> Told {
    let mut told = new(ORDER);
    for (hour, status) in (1..).zip(statuses) {
        tell(&mut told, hour * 60, *status, |report| report);
    }
    told
}

fn page(told: &Told, now: Timestamp) -> TrackingPage {
    let (order, entries, checkpoints) = told;
    TrackingPage::new(&PageFacts { order, entries, checkpoints }, Vec::new(), now)
}

fn card(told: &Told) -> ParcelCard {
    page(told, minute(1000)).parcels.remove(0)
}

#[test]
fn shows_nothing_of_the_shopper_but_a_first_name() {
    let mut told = told(&[]);
    tell(&mut told, 1, Status::Undelivered, |report| {
        let note = Some("called 919876543210".to_owned());
        Report { note, location: Some("a@b.example Pune".to_owned()), ..report }
    });
    let page = page(&told, minute(2));
    assert_eq!((page.first_name.as_deref(), page.items), (Some("Zoë"), 2));
    let shown = format!("{page:?}");
    assert!(!shown.contains("9876543210") && !shown.contains("Souza"), "{shown}");
    assert!(shown.contains("called …") && shown.contains("… Pune"), "{shown}");
}

#[test]
fn every_state_has_a_notice_that_says_what_happens_next() {
    use Status::{
        Cancelled, Delayed, Delivered, Exception, InTransit, Lost, OutForDelivery, PickupFailed,
        Processing, ReturnInTransit, Returned, Undelivered,
    };
    let attempt = |number| Notice::AttemptFailed { number, reason: None };
    let last = |number| Notice::LastAttemptFailed { number, reason: None };
    for (statuses, headline, notice) in [
        (&[][..], Headline::Received, Some(Notice::NothingYet)),
        (&[Processing], Headline::AwaitingPickup, None),
        (&[PickupFailed], Headline::AwaitingPickup, Some(Notice::PickupFailed)),
        (&[InTransit], Headline::OnTheWay, None),
        (&[InTransit, Delayed], Headline::Delayed, Some(Notice::Delayed)),
        (&[Exception], Headline::Problem, Some(Notice::Problem { reason: None })),
        (&[OutForDelivery], Headline::OutForDelivery, None),
        (&[OutForDelivery, Undelivered], Headline::AttemptFailed, Some(attempt(1))),
        (
            &[OutForDelivery, Undelivered, OutForDelivery],
            Headline::OutForDelivery,
            Some(Notice::AnotherAttempt { failed: 1 }),
        ),
        (
            &[OutForDelivery, Undelivered, OutForDelivery, Undelivered],
            Headline::AttemptFailed,
            Some(attempt(2)),
        ),
        (
            &[
                OutForDelivery,
                Undelivered,
                OutForDelivery,
                Undelivered,
                OutForDelivery,
                Undelivered,
            ],
            Headline::AttemptFailed,
            Some(last(3)),
        ),
        (&[Delivered], Headline::Delivered, None),
        (&[Lost], Headline::Lost, Some(Notice::Lost)),
        (&[Cancelled], Headline::Cancelled, Some(Notice::Cancelled)),
        (&[Undelivered, ReturnInTransit], Headline::Returning, Some(Notice::GoingBack)),
        (&[Undelivered, Returned], Headline::Returned, Some(Notice::Returned)),
    ] {
        let card = card(&told(statuses));
        assert_eq!((card.headline, card.notice), (headline, notice), "{statuses:?}");
    }
}

#[test]
fn the_reason_is_that_of_the_latest_attempt() {
    let mut told = told(&[Status::OutForDelivery]);
    tell(&mut told, 100, Status::Undelivered, |report| Report {
        note: Some("Door locked".to_owned()),
        ..report
    });
    tell(&mut told, 700, Status::Undelivered, |report| Report {
        note: Some("Not at home".to_owned()),
        ..report
    });
    let reason = Some("Not at home".to_owned());
    assert_eq!(card(&told).notice, Some(Notice::AttemptFailed { number: 2, reason }));
}

#[test]
fn the_date_is_expected_overdue_or_past() {
    let mut told = told(&[]);
    tell(&mut told, 1, Status::InTransit, |report| Report { eta: Some(minute(500)), ..report });
    let date = |told: &Told, now| page(told, minute(now)).parcels[0].date;
    assert_eq!(date(&told, 500), Some(PageDate::Expected(minute(500))));
    assert_eq!(date(&told, 501), Some(PageDate::Overdue(minute(500))));
    tell(&mut told, 490, Status::Delivered, |report| report);
    assert_eq!(date(&told, 501), Some(PageDate::Ended(minute(490))));
}

#[test]
fn an_order_without_parcels_has_one_card() {
    let mut told = new(r#"{"orderId":"ORD-1"}"#);
    let page_of = |told: &Told| page(told, minute(10));
    let first = page_of(&told);
    assert_eq!((first.parcels.len(), first.headline), (1, Headline::Received));
    assert_eq!(first.parcels[0].checkpoints.len(), 1, "the order itself");
    let report = report("r", Status::Processing, Some(minute(1)));
    apply_report(&mut told.0, &mut told.1, &report).unwrap();
    let second = page_of(&told);
    assert_eq!((second.headline, &second.parcels[0].awb), (Headline::Preparing, &None));
}

#[test]
fn a_replaced_parcel_is_apart() {
    let mut told = told(&[]);
    for (id, number, status, at) in
        [("a", "A1", Status::Cancelled, 1), ("b", "B2", Status::InTransit, 2)]
    {
        let report = Report {
            awb: Some(awb(number)),
            order_id: Some(told.0.key.order.clone()),
            ..report(id, status, Some(minute(at)))
        };
        apply_report(&mut told.0, &mut told.1, &report).unwrap();
    }
    let page = page(&told, minute(10));
    let numbers = |cards: &[ParcelCard]| -> Vec<String> {
        cards.iter().filter_map(|card| Some(card.awb.as_ref()?.to_string())).collect()
    };
    assert_eq!(
        (numbers(&page.parcels), numbers(&page.replaced)),
        (vec!["B2".into()], vec!["A1".into()])
    );
    assert_eq!(page.headline, Headline::OnTheWay);
    assert_eq!(page.replaced[0].headline, Headline::Replaced);
}

#[test]
fn sixty_scans_are_listed_newest_first() {
    let mut told = told(&[Status::InTransit]);
    let scan = |at| Scan {
        at: Some(minute(at)),
        activity: Some(format!("Scan {at}")),
        location: Some("Pune".to_owned()),
    };
    told.2.insert(awb("A1"), (61..121).map(scan).collect());
    let list = card(&told).checkpoints;
    assert_eq!(list.len(), 62, "the scans, the report and the order");
    assert!(list.is_sorted_by(|one, next| one.at >= next.at));
    assert_eq!(list[0].words.as_deref(), Some("Scan 120"));
}

#![expect(clippy::unwrap_used)]

use domain::core::id::{AccountCode, Awb, OrderId, ReportId};
use domain::polling::{Active, Run};
use domain::tracking::report::{Report, Scan};
use domain::tracking::status::{Leg, Status};

use super::*;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn now() -> Timestamp {
    Timestamp::parse("2026-11-24T06:00:00Z").unwrap()
}

/// An order that last moved so many days ago.
fn order(id: &str, days: u32) -> PollItem {
    let moved_at = now().millis() - i64::from(days) * i64::try_from(DAY.as_millis()).unwrap();
    let active = Active::new(
        Awb::parse(&format!("AWB{id}")).unwrap(),
        Timestamp::from_millis(moved_at).unwrap(),
    );
    PollItem {
        account: AccountCode::parse("STORE001").unwrap(),
        order_id: OrderId::parse(id).unwrap(),
        active,
    }
}

fn report(id: &str) -> Report {
    Report {
        id: ReportId::parse(id).unwrap(),
        source: SOURCE,
        awb: None,
        return_awb: None,
        provider_id: None,
        order_id: None,
        leg: Leg::Outbound,
        status: Status::InTransit,
        source_status: None,
        occurred_at: None,
        location: None,
        note: None,
        eta: None,
        scans: Vec::new(),
    }
}

fn known(id: &str) -> pull::ParcelAnswer {
    pull::ParcelAnswer::Known(Box::new(report(id)))
}

fn of(answered: Vec<(&PollItem, pull::ParcelAnswer)>) -> Findings<'_> {
    Findings::of(answered.into_iter(), now(), Some(5 * DAY))
}

fn ids<'a>(orders: impl IntoIterator<Item = &'a &'a PollItem>) -> Vec<&'a str> {
    orders.into_iter().map(|order| order.order_id.as_str()).collect()
}

#[test]
fn only_claims_that_we_have_not_seen_are_news() {
    let (new, mut seen, unknown) = (order("new", 0), order("seen", 0), order("unknown", 0));
    seen.active.seen = ReportId::parse("r-seen").ok();
    let findings = of(vec![
        (&new, known("r-new")),
        (&seen, known("r-seen")),
        (&unknown, pull::ParcelAnswer::Unknown),
    ]);
    assert_eq!(findings.counts(), PollCounts { asked: 3, changed: 1, unknown: 1 });
    assert_eq!(findings.reports[0].report.id.as_str(), "r-new");
    assert_eq!(findings.reports[0].order_id.as_str(), "new");
    assert_eq!(ids(&findings.unknown), ["unknown"]);
    assert!(findings.found_again.is_empty());
}

#[test]
fn a_parcel_that_is_known_again_without_news_is_noted() {
    let run = Run::hourly(now());
    let mut again = order("again", 0);
    again.active = Active { seen: ReportId::parse("r").ok(), ..again.active.not_found(&run) };
    let mut news = order("news", 0);
    news.active = news.active.not_found(&run);
    let findings = of(vec![(&again, known("r")), (&news, known("r"))]);
    assert_eq!(ids(&findings.found_again), ["again"]);
    assert_eq!(findings.reports.len(), 1);
}

#[test]
fn an_order_that_stands_still_is_told_of_once() {
    let (moved, moving, unknown) = (order("young", 4), order("news", 6), order("unknown", 6));
    let mut still = order("still", 5);
    still.active.seen = ReportId::parse("r").ok();
    let mut told = still.clone();
    told.active.stalled = domain::core::id::EventId::parse("told").ok();
    let answered = || {
        let unknown =
            [(&moved, pull::ParcelAnswer::Unknown), (&unknown, pull::ParcelAnswer::Unknown)];
        let known = [(&moving, known("new")), (&still, known("r")), (&told, known("r"))];
        unknown.into_iter().chain(known).collect::<Vec<_>>()
    };
    let findings = of(answered());
    let stalled: Vec<&str> = findings.stalled.iter().map(|still| still.order_id.as_str()).collect();
    assert_eq!(stalled, ["unknown", "still"]);
    assert_eq!(findings.stalled[1].since, still.active.moved_at);
    assert!(Findings::of(answered().into_iter(), now(), None).stalled.is_empty());
}

#[test]
fn what_cannot_be_asked_about_counts_as_unknown_and_not_as_asked() {
    let (one, odd) = (order("one", 0), order("odd", 0));
    let findings = of(vec![(&one, known("r"))]).and_unasked([&odd]);
    assert_eq!(findings.counts(), PollCounts { asked: 1, changed: 1, unknown: 1 });
    assert_eq!(ids(&findings.unknown), ["odd"]);
}

#[test]
fn news_travel_as_one_message_and_no_news_as_none() {
    let orders: Vec<PollItem> = (0..50).map(|n| order(&format!("ORD{n}"), 0)).collect();
    let findings = of(orders.iter().map(|order| (order, known(order.order_id.as_str()))).collect());
    let messages = findings.messages(now());
    assert_eq!(messages.len(), 1);
    let found: PollResult = serde_json::from_str(&messages[0]).unwrap();
    assert_eq!((found.v, found.source, found.received_at), (1, SOURCE, now()));
    assert_eq!((found.reports, found.stalled), (findings.reports.clone(), vec![]));
    assert!(of(vec![(&orders[0], pull::ParcelAnswer::Unknown)]).messages(now()).is_empty());
}

#[test]
fn news_that_the_queue_would_not_take_are_divided() {
    let scan = Scan { at: None, activity: Some("x".repeat(900)), location: Some("y".repeat(100)) };
    let long = |id: &str| {
        pull::ParcelAnswer::Known(Box::new(Report { scans: vec![scan.clone(); 50], ..report(id) }))
    };
    let mut orders: Vec<PollItem> = (0..50).map(|n| order(&format!("ORD{n}"), 0)).collect();
    orders[0].active.seen = ReportId::parse("ORD0").ok();
    orders[0].active.moved_at = Timestamp::EPOCH;
    let findings = of(orders.iter().map(|order| (order, long(order.order_id.as_str()))).collect());
    let messages = findings.messages(now());
    assert!(messages.len() > 1);
    assert!(messages.iter().all(|message| message.len() <= MAX_MESSAGE));
    let found: Vec<PollResult> =
        messages.iter().map(|message| serde_json::from_str(message).unwrap()).collect();
    let reports: Vec<PolledReport> = found.iter().flat_map(|found| found.reports.clone()).collect();
    assert_eq!(reports, findings.reports);
    assert_eq!(found.iter().map(|found| found.stalled.len()).sum::<usize>(), 1);
}

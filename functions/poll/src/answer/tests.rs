#![expect(clippy::unwrap_used)]

use domain::core::id::{AccountCode, Awb, OrderId, ReportId};
use domain::polling::{PollState, Run};
use domain::tracking::report::{Report, Scan};
use domain::tracking::status::{Leg, Status};

use super::*;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn now() -> Timestamp {
    Timestamp::parse("2026-11-24T06:00:00Z").unwrap()
}

fn order(id: &str, days_since_move: u32) -> PollItem {
    let moved_at =
        now().millis() - i64::from(days_since_move) * i64::try_from(DAY.as_millis()).unwrap();
    let active = PollState::new(
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
        source: Shipway.name(),
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
        attempts: None,
        carrier_name: None,
        scans: Vec::new(),
    }
}

fn known(id: &str) -> tracking_api::ParcelAnswer {
    tracking_api::ParcelAnswer::Known(Box::new(report(id)))
}

fn answer(answered: Vec<(&PollItem, tracking_api::ParcelAnswer)>) -> BatchAnswer<'_> {
    BatchAnswer::of(answered.into_iter(), now(), Some(5 * DAY))
}

fn ids<'a>(orders: impl IntoIterator<Item = &'a &'a PollItem>) -> Vec<&'a str> {
    orders.into_iter().map(|order| order.order_id.as_str()).collect()
}

#[test]
fn reports_only_unseen_carrier_reports() {
    let (new, mut seen, unknown) = (order("new", 0), order("seen", 0), order("unknown", 0));
    seen.active.seen = ReportId::parse("r-seen").ok();
    let batch = answer(vec![
        (&new, known("r-new")),
        (&seen, known("r-seen")),
        (&unknown, tracking_api::ParcelAnswer::Unknown),
    ]);
    assert_eq!(batch.counts(), PollCounts { asked: 3, changed: 1, unknown: 1 });
    assert_eq!(batch.reports[0].report.id.as_str(), "r-new");
    assert_eq!(batch.reports[0].order_id.as_str(), "new");
    assert_eq!(ids(&batch.unknown), ["unknown"]);
    assert!(batch.reappeared.is_empty());
}

#[test]
fn records_a_reappeared_parcel_without_a_new_report() {
    let run = Run::hourly(now());
    let mut again = order("again", 0);
    again.active = PollState { seen: ReportId::parse("r").ok(), ..again.active.not_found(&run) };
    let mut news = order("news", 0);
    news.active = news.active.not_found(&run);
    let batch = answer(vec![(&again, known("r")), (&news, known("r"))]);
    assert_eq!(ids(&batch.reappeared), ["again"]);
    assert_eq!(batch.reports.len(), 1);
}

#[test]
fn reports_a_stalled_order_once() {
    let (moved, moving, unknown) = (order("young", 4), order("news", 6), order("unknown", 6));
    let mut stalled = order("stalled", 5);
    stalled.active.seen = ReportId::parse("r").ok();
    let mut reported = stalled.clone();
    reported.active.stalled = domain::core::id::EventId::parse("reported").ok();
    let mut ended = stalled.clone();
    ended.active.ended_at = Some(now());
    let answered = || {
        let unknown = [
            (&moved, tracking_api::ParcelAnswer::Unknown),
            (&unknown, tracking_api::ParcelAnswer::Unknown),
        ];
        let known = [
            (&moving, known("new")),
            (&stalled, known("r")),
            (&reported, known("r")),
            (&ended, known("r")),
        ];
        unknown.into_iter().chain(known).collect::<Vec<_>>()
    };
    let batch = answer(answered());
    let ids: Vec<&str> = batch.stalled.iter().map(|stalled| stalled.order_id.as_str()).collect();
    assert_eq!(ids, ["unknown", "stalled"]);
    assert_eq!(batch.stalled[1].since, stalled.active.moved_at);
    assert!(BatchAnswer::of(answered().into_iter(), now(), None).stalled.is_empty());
}

#[test]
fn counts_unpollable_orders_as_unknown_but_not_as_asked() {
    let (one, other) = (order("one", 0), order("other", 0));
    let batch = answer(vec![(&one, known("r"))]).with_unpollable([&other]);
    assert_eq!(batch.counts(), PollCounts { asked: 1, changed: 1, unknown: 1 });
    assert_eq!(ids(&batch.unknown), ["other"]);
}

#[test]
fn queues_one_message_with_news_and_none_without() {
    let orders: Vec<PollItem> = (0..50).map(|n| order(&format!("ORD{n}"), 0)).collect();
    let batch =
        answer(orders.iter().map(|order| (order, known(order.order_id.as_str()))).collect());
    let messages = batch.messages(now());
    assert_eq!(messages.len(), 1);
    let result: PollResult = serde_json::from_str(&messages[0]).unwrap();
    assert_eq!((result.v, result.source, result.received_at), (1, Shipway.name(), now()));
    assert_eq!((result.reports, result.stalled), (batch.reports.clone(), vec![]));
    assert!(
        answer(vec![(&orders[0], tracking_api::ParcelAnswer::Unknown)]).messages(now()).is_empty()
    );
}

#[test]
fn splits_results_that_exceed_the_message_limit() {
    let scan = Scan { at: None, activity: Some("x".repeat(900)), location: Some("y".repeat(100)) };
    let long = |id: &str| {
        tracking_api::ParcelAnswer::Known(Box::new(Report {
            scans: vec![scan.clone(); 50],
            ..report(id)
        }))
    };
    let mut orders: Vec<PollItem> = (0..50).map(|n| order(&format!("ORD{n}"), 0)).collect();
    orders[0].active.seen = ReportId::parse("ORD0").ok();
    orders[0].active.moved_at = Timestamp::EPOCH;
    let batch = answer(orders.iter().map(|order| (order, long(order.order_id.as_str()))).collect());
    let messages = batch.messages(now());
    assert!(messages.len() > 1);
    assert!(messages.iter().all(|message| message.len() <= MAX_MESSAGE));
    let results: Vec<PollResult> =
        messages.iter().map(|message| serde_json::from_str(message).unwrap()).collect();
    let reports: Vec<PolledReport> =
        results.iter().flat_map(|result| result.reports.clone()).collect();
    assert_eq!(reports, batch.reports);
    assert_eq!(results.iter().map(|result| result.stalled.len()).sum::<usize>(), 1);
}

#![expect(clippy::unwrap_used)]

use super::{PlanMessage, PollState, Polling, Run, SHARDS, poll_event_id, shard};
use crate::core::id::{AccountCode, OrderId, OrderKey};
use crate::testing::{awb, minute, order, report_id};
use crate::tracking::status::Status;

fn key(order: usize) -> OrderKey {
    let order = OrderId::parse(&format!("ORD{order}")).unwrap();
    OrderKey { account: AccountCode::parse("STORE001").unwrap(), order }
}

fn run(hours: i64) -> Run {
    Run { id: format!("hourly-{hours}"), started_at: minute(hours * 60), manual: false }
}

fn active() -> PollState {
    PollState::new(awb("1"), minute(0))
}

/// The hours whose run polls the order.
fn hours_due(key: &OrderKey, active: &PollState, hours: i64) -> Vec<i64> {
    (0..hours).filter(|&hour| active.is_due(key, &run(hour))).collect()
}

#[test]
fn orders_spread_evenly_over_shards_and_hours() {
    let mut counts = [0_u32; SHARDS as usize];
    for order in 0..16_000 {
        counts[usize::from(shard(&key(order)))] += 1;
    }
    assert!(counts.iter().all(|count| (800..1200).contains(count)), "{counts:?}");
    let fresh = PollState { heard_at: Some(minute(0)), ..active() };
    let due = (0..4000).filter(|&order| fresh.is_due(&key(order), &run(1))).count();
    assert!((800..1200).contains(&due), "{due}");
}

#[test]
fn fresh_orders_of_an_hour_spread_evenly_over_shards() {
    let fresh = PollState { heard_at: Some(minute(0)), ..active() };
    let mut counts = [0_u32; SHARDS as usize];
    for order in (0..32_000).filter(|&order| fresh.is_due(&key(order), &run(1))) {
        counts[usize::from(shard(&key(order)))] += 1;
    }
    assert!(counts.iter().all(|count| (350..650).contains(count)), "{counts:?}");
}

#[test]
fn runs_are_named_after_their_hour_or_start() {
    let hour = Run::hourly(minute(59));
    assert_eq!(
        (hour.id.as_str(), hour.started_at, hour.manual),
        ("hourly-2026-01-20T10", minute(0), false)
    );
    assert_eq!(Run::hourly(minute(0)), hour);
    assert_eq!(Run::hourly(minute(60)).id, "hourly-2026-01-20T11");
    let manual = Run::manual(minute(59));
    let id = "manual-2026-01-20T10:59:00.000Z";
    assert_eq!((manual.id.as_str(), manual.started_at, manual.manual), (id, minute(59), true));
}

#[test]
fn polls_an_order_without_reports_every_hour() {
    assert_eq!(hours_due(&key(1), &active(), 5), [0, 1, 2, 3, 4]);
}

#[test]
fn polls_a_fresh_order_every_four_hours_for_a_day() {
    let fresh = PollState { heard_at: Some(minute(0)), ..active() };
    let due = hours_due(&key(1), &fresh, 30);
    let (while_fresh, after) = due.split_at(6);
    assert!(while_fresh.windows(2).all(|pair| pair[1] - pair[0] == 4), "{due:?}");
    assert_eq!(after, [24, 25, 26, 27, 28, 29]);
    let manual = Run { manual: true, ..run(1) };
    assert!((0..50).all(|order| fresh.is_due(&key(order), &manual)));
}

#[test]
fn backs_off_from_an_unknown_awb_and_then_gives_up() {
    let mut order = active();
    let mut polled = Vec::new();
    for hour in 0..24 * 10 {
        if order.is_due(&key(1), &run(hour)) {
            polled.push(hour);
            order = order.not_found(&run(hour));
        }
    }
    assert_eq!(polled, [0, 1, 5, 29, 53, 77, 101, 125, 149, 173]);
    assert_eq!(order.stale_since, Some(minute(173 * 60)));
    assert!(!order.is_due(&key(1), &Run { manual: true, ..run(9999) }));
}

#[test]
fn polls_an_order_that_ended_ever_more_seldom_for_thirty_days() {
    let ended = PollState { ended_at: Some(minute(0)), ..active() };
    let due = hours_due(&key(1), &ended, 24 * 40);
    let gaps: Vec<i64> = due.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let count = |from, to| due.iter().filter(|hour| (from..to).contains(*hour)).count();
    assert_eq!((count(0, 24), count(24, 7 * 24)), (6, 6));
    assert!((4..=5).contains(&count(7 * 24, 30 * 24)), "{due:?}");
    assert_eq!(count(30 * 24, 40 * 24), 0);
    assert!(gaps.iter().all(|gap| *gap <= 240), "{gaps:?}");
    let manual = |hour| Run { manual: true, ..run(hour) };
    assert!(ended.is_due(&key(1), &manual(24 * 29)) && !ended.is_due(&key(1), &manual(24 * 30)));
}

#[test]
fn an_order_that_ended_never_becomes_stale() {
    let ended = PollState { ended_at: Some(minute(0)), ..active() };
    let unknown = ended.not_found(&run(0)).not_found(&run(24 * 8));
    assert_eq!((unknown.stale_since, unknown.unknown.map(|it| it.tries)), (None, Some(2)));
}

#[test]
fn polls_parcels_that_move_or_may_come_back() {
    use Status::{Cancelled, Completed, Delivered, InTransit, Lost, ReturnInitiated, Returned};
    let polled = r#"{"orderId":"a","awb":"1","poll":"shipway"}"#;
    let [moving, ended] = [Some(Polling::Moving), Some(Polling::Ended)];
    for (body, status, expected) in [
        (polled, InTransit, moving),
        (polled, ReturnInitiated, moving),
        (polled, Cancelled, ended),
        (polled, Lost, ended),
        (polled, Delivered, None),
        (polled, Completed, None),
        (polled, Returned, None),
        (r#"{"orderId":"a","awb":"1"}"#, InTransit, None),
        (r#"{"orderId":"a","poll":"shipway"}"#, Lost, None),
    ] {
        let mut order = order("STORE001", body);
        order.state.parcels.iter_mut().for_each(|parcel| parcel.status = status);
        assert_eq!(order.polling(&awb("1")), expected, "{status} {body}");
    }
}

#[test]
fn polls_each_parcel_of_an_order() {
    let body = r#"{"orderId":"a","awb":"0012","returnAwb":"R","poll":"shipway"}"#;
    let mut order = order("STORE001", body);
    order.state.parcels[0].status = Status::Delivered;
    let polled: Vec<_> =
        order.polled_parcels().map(|(parcel, polling)| (&parcel.awb, polling)).collect();
    assert_eq!(polled, [(&awb("R"), Polling::Moving)]);
    order.state.parcels[0].status = Status::Lost;
    assert_eq!(order.polling(&awb("12")), Some(Polling::Ended), "in any spelling");
    assert_eq!(order.polling(&awb("X9")), None);
}

#[test]
fn a_run_counts_an_unknown_awb_once() {
    let once = active().not_found(&run(0));
    assert_eq!(once.not_found(&run(0)), once);
    assert_eq!(once.not_found(&run(1)).unknown.unwrap().tries, 2);
}

#[test]
fn a_run_planned_again_polls_the_same_orders() {
    let twice = active().not_found(&run(0)).not_found(&run(1));
    assert!(twice.is_due(&key(1), &run(1)));
    assert!(!twice.is_due(&key(1), &run(2)));
}

#[test]
fn batches_of_all_planners_share_one_rate_limit() {
    let seconds = |planner, planners, turn, rate| {
        let plan = PlanMessage::new(run(0), planner, planners, rate);
        plan.run.not_before(&plan, turn).since(plan.run.started_at).as_millis()
    };
    assert_eq!(seconds(0, 16, 0, 5.0), 0);
    assert_eq!(seconds(1, 16, 0, 5.0), 200);
    assert_eq!(seconds(0, 16, 1, 5.0), 3200);
    assert_eq!(seconds(0, 1, 1, 5.0), 200);
    assert_eq!(seconds(15, 16, 1249, 5.0), 3_999_800);
    assert_eq!(seconds(1, 16, 0, 0.5), 2000);
    let slowest = PlanMessage::new(run(0), 0, 16, 1e-300);
    let last = slowest.run.not_before(&slowest, u64::MAX);
    assert_eq!(last.to_string(), "9999-12-31T23:59:59.999Z");
}

#[test]
fn the_same_reports_are_the_same_event() {
    let account = key(1).account;
    let (one, two) = (report_id("one"), report_id("two"));
    assert_eq!(poll_event_id(&account, [&one, &two]), poll_event_id(&account, [&two, &one]));
    assert_ne!(poll_event_id(&account, [&one]), poll_event_id(&account, [&one, &two]));
    assert_ne!(
        poll_event_id(&account, [&one]),
        poll_event_id(&AccountCode::parse("STORE002").unwrap(), [&one])
    );
}

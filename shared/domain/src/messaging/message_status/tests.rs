#![expect(clippy::unwrap_used)]

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::messaging::linked::TrackedMessage;
use crate::messaging::message::{Message, MessageKey, NewMessage};
use crate::messaging::pricing::{Pricing, PricingCategory, PricingType};
use crate::testing::{minute, second};

fn error(code: &str) -> ChannelError {
    ChannelError { code: Some(code.to_owned()), title: None, details: None }
}

fn update(status: &str, at: Option<Timestamp>, error: Option<ChannelError>) -> StatusUpdate {
    StatusUpdate {
        message: ProviderMessageId::parse("wamid.A").unwrap(),
        status: status.to_owned(),
        at,
        error,
        callback_data: None,
        pricing: None,
        recipient: None,
    }
}

/// Statuses one minute apart, in arrival order.
fn tracking_of(statuses: &[&str]) -> MessageTracking {
    let mut tracking = MessageTracking::default();
    for (n, status) in (0_i64..).zip(statuses) {
        let failure = (*status == "failed").then(|| error("131026"));
        tracking.merge(&update(status, Some(minute(n)), failure), minute(60));
    }
    tracking
}

#[test]
fn the_highest_reported_status_counts() {
    type Case = (&'static str, &'static [&'static str], Option<ProviderStatus>);
    let cases: &[Case] = &[
        ("no report", &[], None),
        (
            "an ordinary message",
            &["sending", "sent", "delivered", "read"],
            Some(ProviderStatus::Read),
        ),
        ("delivered after read", &["sent", "read", "delivered"], Some(ProviderStatus::Read)),
        ("read first", &["read", "delivered", "sent"], Some(ProviderStatus::Read)),
        ("sent last", &["delivered", "sent"], Some(ProviderStatus::Delivered)),
        ("sending last", &["sent", "sending"], Some(ProviderStatus::Sent)),
        ("delivered is missing", &["sent", "read"], Some(ProviderStatus::Read)),
        (
            "a voice message",
            &["sent", "delivered", "read", "played", "read"],
            Some(ProviderStatus::Played),
        ),
        ("failed", &["sent", "failed"], Some(ProviderStatus::Failed)),
        ("failed before sent", &["failed", "sent"], Some(ProviderStatus::Failed)),
        (
            "failed after delivered",
            &["sent", "delivered", "failed"],
            Some(ProviderStatus::Delivered),
        ),
        ("failed after read", &["read", "failed"], Some(ProviderStatus::Read)),
        ("delivered after failed", &["failed", "delivered"], Some(ProviderStatus::Delivered)),
        ("an unmapped status", &["sent", "deleted", "warning"], Some(ProviderStatus::Sent)),
        ("unmapped statuses only", &["deleted", "SENT", ""], None),
    ];
    for (name, statuses, expected) in cases {
        let tracking = tracking_of(statuses);
        assert_eq!(tracking.status(), *expected, "{name}");
        let failed = statuses.contains(&"failed").then(|| error("131026"));
        assert_eq!(tracking.error(), failed.as_ref(), "{name}: the error is kept");
    }
}

#[test]
fn statuses_have_one_spelling_and_are_sorted_by_rank() {
    for status in ProviderStatus::VARIANTS.iter().copied() {
        let parsed = Some(status).filter(|status| *status != ProviderStatus::NotSent);
        assert_eq!(ProviderStatus::parse(status.as_str()), parsed);
        assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
    }
    assert!(ProviderStatus::VARIANTS.is_sorted_by(|a, b| a < b));
    for text in ["", "Sent", "sent ", "deleted", "queued"] {
        assert_eq!(ProviderStatus::parse(text), None, "{text}");
    }
}

/// A provider's word, or a partner's, is no result of ours.
#[test]
fn only_a_result_of_ours_says_that_a_message_was_not_sent() {
    let hash = crate::core::hash::Fingerprint::of("message");
    let ours = SendId::new(hash).as_message_id().clone();
    let others = ProviderMessageId::parse("wamid.A").unwrap();
    for (message, expected) in [(ours, Some(ProviderStatus::NotSent)), (others, None)] {
        let mut tracking = MessageTracking::default();
        let update = update("not_sent", None, Some(error("131026")));
        let update = StatusUpdate { message, ..update };
        assert!(tracking.merge(&update, minute(0)));
        assert_eq!(tracking.status(), expected);
        assert_eq!(tracking.error().is_some(), expected.is_some());
    }
    assert_eq!(ProviderStatus::NotSent.shown(), "failed");
}

#[test]
fn a_status_has_its_earliest_time() {
    let mut tracking = MessageTracking::default();
    let steps = [
        (Some(minute(5)), true),
        (Some(minute(7)), false),
        (Some(minute(5)), false),
        (Some(minute(3)), true),
    ];
    for (at, changed) in steps {
        assert_eq!(tracking.merge(&update("sent", at, None), minute(60)), changed, "{at:?}");
    }
    assert_eq!(tracking.statuses().collect::<Vec<_>>(), [(ProviderStatus::Sent, minute(3))]);
}

#[test]
fn uses_the_time_of_receipt_for_implausible_times() {
    for (at, expected) in [
        (None, minute(0)),
        (Some(minute(-600_000)), minute(-600_000)),
        (Some(minute(10)), minute(10)),
        (Some(second(601)), minute(0)),
    ] {
        for status in ["sent", "failed"] {
            let mut tracking = MessageTracking::default();
            tracking.merge(&update(status, at, Some(error("1"))), minute(0));
            assert_eq!(
                tracking.statuses().map(|(_, at)| at).collect::<Vec<_>>(),
                [expected],
                "{at:?}"
            );
        }
    }
}

#[test]
fn keeps_the_earliest_error() {
    let mut tracking = MessageTracking::default();
    let failure = |code: &str, minutes| update("failed", Some(minute(minutes)), Some(error(code)));
    for (update, changed, code) in [
        (update("failed", Some(minute(1)), None), true, None),
        (failure("131026", 5), true, Some("131026")),
        (failure("131047", 6), false, Some("131026")),
        (failure("131026", 5), false, Some("131026")),
        (failure("130472", 5), true, Some("130472")),
        (failure("131047", 4), true, Some("131047")),
        (update("sent", Some(minute(0)), Some(error("1"))), true, Some("131047")),
    ] {
        assert_eq!(tracking.merge(&update, minute(60)), changed, "{update:?}");
        assert_eq!(tracking.error().and_then(|error| error.code.as_deref()), code, "{update:?}");
    }
}

#[test]
fn the_size_of_a_row_is_bounded() {
    let mut tracking = MessageTracking::default();
    let long = "\u{1f4e6}".repeat(100_000);
    let full_error = ChannelError {
        code: Some(long.clone()),
        title: Some(long.clone()),
        details: Some(long.clone()),
    };
    for n in 0..1000 {
        tracking.merge(&update(&format!("{n}{long}"), Some(minute(n)), None), minute(n));
        for status in ProviderStatus::VARIANTS.iter().copied() {
            tracking.merge(
                &update(status.as_str(), Some(minute(-n)), Some(full_error.clone())),
                minute(n),
            );
        }
    }
    let bytes = serde_json::to_string(&tracking).unwrap().len();
    assert!(bytes < 4 * (64 + 64 + 256 + 1024) + 600, "{bytes}");
}

#[test]
fn a_row_has_compact_json() {
    let tracking = tracking_of(&["sent", "delivered", "deleted"]);
    let text = serde_json::to_string(&tracking).unwrap();
    let expected = concat!(
        r#"{"seen":{"sent":"2026-01-20T10:00:00.000Z","delivered":"2026-01-20T10:01:00.000Z"},"#,
        r#""other":{"at":"2026-01-20T10:02:00.000Z","word":"deleted"}}"#
    );
    assert_eq!(text, expected);
    assert_eq!(serde_json::from_str::<MessageTracking>(&text).unwrap(), tracking);
    assert_eq!(serde_json::from_str::<MessageTracking>("{}").unwrap(), MessageTracking::default());
}

fn record(status: &str) -> Message {
    let body = format!(
        r#"{{"order_id":"O","account_code":"S","message_status":"{status}","message_id":"wamid.A"}}"#
    );
    Message::new(
        NewMessage::read(body.as_bytes()).unwrap(),
        &MessageKey::Provider("wamid.A"),
        minute(5),
    )
}

#[test]
fn a_linked_message_shows_statuses_from_before_and_after_the_record() {
    for (before, recorded, after, expected) in [
        (None, "sent", None, "sent"),
        (None, "queued", None, "queued"),
        (Some("read"), "sent", None, "read"),
        (Some("read"), "queued", None, "read"),
        (Some("sent"), "failed", None, "failed"),
        (Some("deleted"), "queued", None, "queued"),
        (None, "queued", Some("sent"), "sent"),
        (None, "delivered", Some("sent"), "delivered"),
        (None, "failed", Some("delivered"), "delivered"),
    ] {
        let (mut tracked, record) = (TrackedMessage::default(), record(recorded));
        if let Some(status) = before {
            tracked.tracking.merge(&update(status, Some(minute(1)), None), minute(1));
        }
        tracked.link(&record);
        if let Some(status) = after {
            tracked.tracking.merge(&update(status, Some(minute(9)), None), minute(9));
        }
        assert_eq!(tracked.display_status(&record), expected, "{before:?} {recorded} {after:?}");
        assert_eq!(tracked.record.as_ref(), Some(&record));
    }
}

const STATUSES: [&str; 9] =
    ["sending", "sent", "sent", "failed", "failed", "delivered", "read", "played", "deleted"];
const ERRORS: [Option<&str>; 4] = [None, None, Some("131026"), Some("131047")];
/// Minutes from the receipt to the time of the status: missing, before, within the clock tolerance,
/// beyond it.
const TIMES: [Option<i64>; 6] = [None, Some(-2), Some(-1), Some(0), Some(10), Some(11)];

/// Those of the statuses of one message say the same, as a rule.
const PRICES: [Option<Pricing>; 4] = [None, None, price(true), price(false)];

const fn price(billable: bool) -> Option<Pricing> {
    let (category, kind) = (PricingCategory::Utility, PricingType::Regular);
    Some(Pricing { category, kind, billable: Some(billable) })
}

type ReceivedUpdate = (StatusUpdate, Timestamp);

/// Updates, and the indexes in the order of arrival, some of them repeated.
fn updates() -> impl Strategy<Value = (Vec<ReceivedUpdate>, Vec<usize>)> {
    let one = (
        0..6_i64,
        prop::sample::select(&STATUSES[..]),
        prop::sample::select(&TIMES[..]),
        prop::sample::select(&ERRORS[..]),
        prop::sample::select(&PRICES[..]),
    );
    let one = one.prop_map(|(received, status, time, code, pricing)| {
        let at = time.map(|minutes| minute(received + minutes));
        (StatusUpdate { pricing, ..update(status, at, code.map(error)) }, minute(received))
    });
    prop::collection::vec(one, 1..10).prop_flat_map(|received| {
        let count = received.len();
        let repeats = prop::collection::vec(0..count, 0..6);
        let arrivals = repeats
            .prop_map(move |repeats| (0..count).chain(repeats).collect::<Vec<_>>())
            .prop_shuffle();
        (Just(received), arrivals)
    })
}

/// The expected result, computed from all updates at once.
fn expected_tracking(received: &[ReceivedUpdate]) -> MessageTracking {
    let at = |(update, received): &ReceivedUpdate| {
        update
            .at
            .filter(|at| *at <= received.after(std::time::Duration::from_secs(600)))
            .unwrap_or(*received)
    };
    let of = |status: ProviderStatus| {
        received.iter().filter(move |(update, _)| update.status == status.as_str())
    };
    let first = |status: ProviderStatus| of(status).map(at).min().map(|at| (status, at));
    let failure = of(ProviderStatus::Failed).filter_map(|received| {
        Some(Failure { at: at(received), error: received.0.error.clone()? })
    });
    let unmapped =
        received.iter().filter(|(update, _)| ProviderStatus::parse(&update.status).is_none());
    MessageTracking {
        statuses: ProviderStatus::VARIANTS.iter().copied().filter_map(first).collect(),
        failure: failure.min(),
        unmapped: unmapped
            .map(|received| Unmapped { at: at(received), status: received.0.status.clone() })
            .max(),
        priced: received
            .iter()
            .filter(|(update, _)| ProviderStatus::parse(&update.status).is_some())
            .filter_map(|received| Some(Priced { at: at(received), pricing: received.0.pricing? }))
            .min(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 10_000, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn arrival_order_and_duplicates_do_not_change_the_statuses(
        (received, arrivals) in updates(),
        batch in 1..5_usize,
    ) {
        let mut stored = "{}".to_owned();
        let mut status = None;
        for batch in arrivals.chunks(batch) {
            let mut tracking: MessageTracking = serde_json::from_str(&stored).unwrap();
            for (update, received_at) in batch.iter().map(|index| &received[*index]) {
                let before = tracking.clone();
                let changed = tracking.merge(update, *received_at);
                prop_assert_eq!(changed, tracking != before);
                prop_assert!(tracking.status() >= status, "the status never goes back");
                status = tracking.status();
            }
            stored = serde_json::to_string(&tracking).unwrap();
        }
        let tracking: MessageTracking = serde_json::from_str(&stored).unwrap();
        prop_assert_eq!(&tracking, &expected_tracking(&received));
        let statuses: BTreeSet<_> = received
            .iter()
            .filter_map(|(update, _)| ProviderStatus::parse(&update.status))
            .collect();
        prop_assert_eq!(tracking.status(), statuses.last().copied());
    }
}

/// The generator must produce the cases that the property is about.
#[test]
fn the_generator_covers_repeated_and_outranked_statuses() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let (mut repeated, mut outranked, mut failed_twice, mut ahead) = (0, 0, 0, 0);
    for _ in 0..300 {
        let (received, arrivals) = updates().new_tree(&mut runner).unwrap().current();
        repeated += usize::from(arrivals.len() > received.len());
        let ranks: Vec<_> = arrivals
            .iter()
            .filter_map(|index| ProviderStatus::parse(&received[*index].0.status))
            .collect();
        outranked += usize::from(!ranks.is_sorted());
        let failure =
            |(update, _): &&ReceivedUpdate| update.status == "failed" && update.error.is_some();
        failed_twice += usize::from(received.iter().filter(failure).count() > 1);
        ahead += usize::from(received.iter().any(|(update, received)| {
            update.at > Some(received.after(crate::tracking::timeline::CLOCK_TOLERANCE))
        }));
    }
    let reached = [repeated, outranked, failed_twice, ahead];
    assert!(reached.iter().all(|count| *count > 20), "{reached:?}");
}

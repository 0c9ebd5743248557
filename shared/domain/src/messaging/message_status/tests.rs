#![expect(clippy::unwrap_used)]

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::messaging::linked::TrackedMessage;
use crate::messaging::message::{Message, MessageKey, NewMessage};
use crate::testing::{minute, second};

fn error(code: &str) -> ChannelError {
    ChannelError { code: Some(code.to_owned()), title: None, details: None }
}

fn news(word: &str, at: Option<Timestamp>, error: Option<ChannelError>) -> StatusUpdate {
    StatusUpdate {
        message: ProviderMessageId::parse("wamid.A").unwrap(),
        status: word.to_owned(),
        at,
        error,
    }
}

/// Words a minute apart, in the order in which they come in.
fn track(words: &[&str]) -> MessageTracking {
    let mut tracking = MessageTracking::default();
    for (n, word) in (0_i64..).zip(words) {
        let blamed = (*word == "failed").then(|| error("131026"));
        tracking.join(&news(word, Some(minute(n)), blamed), minute(60));
    }
    tracking
}

#[test]
fn stories() {
    type Story = (&'static str, &'static [&'static str], Option<ProviderStatus>);
    let stories: &[Story] = &[
        ("nothing was reported", &[], None),
        ("the way there", &["sending", "sent", "delivered", "read"], Some(ProviderStatus::Read)),
        ("delivered after read", &["sent", "read", "delivered"], Some(ProviderStatus::Read)),
        ("read first", &["read", "delivered", "sent"], Some(ProviderStatus::Read)),
        ("sent last", &["delivered", "sent"], Some(ProviderStatus::Delivered)),
        ("sending last", &["sent", "sending"], Some(ProviderStatus::Sent)),
        ("delivered never comes", &["sent", "read"], Some(ProviderStatus::Read)),
        (
            "a voice message",
            &["sent", "delivered", "read", "played", "read"],
            Some(ProviderStatus::Played),
        ),
        ("it fails", &["sent", "failed"], Some(ProviderStatus::Failed)),
        ("it failed before it was sent", &["failed", "sent"], Some(ProviderStatus::Failed)),
        (
            "failed after delivered",
            &["sent", "delivered", "failed"],
            Some(ProviderStatus::Delivered),
        ),
        ("failed after read", &["read", "failed"], Some(ProviderStatus::Read)),
        ("delivered after failed", &["failed", "delivered"], Some(ProviderStatus::Delivered)),
        ("a word without a meaning", &["sent", "deleted", "warning"], Some(ProviderStatus::Sent)),
        ("nothing but words without a meaning", &["deleted", "SENT", ""], None),
    ];
    for (story, words, status) in stories {
        let tracking = track(words);
        assert_eq!(tracking.status(), *status, "{story}");
        let failed = words.contains(&"failed").then(|| error("131026"));
        assert_eq!(tracking.error(), failed.as_ref(), "{story}: the error stays readable");
    }
}

#[test]
fn every_word_has_one_spelling_and_its_rank() {
    for word in ProviderStatus::VARIANTS.iter().copied() {
        assert_eq!(ProviderStatus::parse(word.as_str()), Some(word));
        assert_eq!(serde_json::to_value(word).unwrap(), word.as_str());
    }
    assert!(ProviderStatus::VARIANTS.is_sorted_by(|a, b| a < b));
    for text in ["", "Sent", "sent ", "deleted", "accepted", "unknown"] {
        assert_eq!(ProviderStatus::parse(text), None, "{text}");
    }
}

#[test]
fn a_status_has_the_first_time_it_was_true() {
    let mut tracking = MessageTracking::default();
    let steps = [
        (Some(minute(5)), true),
        (Some(minute(7)), false),
        (Some(minute(5)), false),
        (Some(minute(3)), true),
    ];
    for (at, changed) in steps {
        assert_eq!(tracking.join(&news("sent", at, None), minute(60)), changed, "{at:?}");
    }
    assert_eq!(tracking.statuses().collect::<Vec<_>>(), [(ProviderStatus::Sent, minute(3))]);
}

#[test]
fn a_time_ahead_of_our_clock_is_not_believed() {
    for (at, kept) in [
        (None, minute(0)),
        (Some(minute(-600_000)), minute(-600_000)),
        (Some(minute(10)), minute(10)),
        (Some(second(601)), minute(0)),
    ] {
        for word in ["sent", "failed"] {
            let mut tracking = MessageTracking::default();
            tracking.join(&news(word, at, Some(error("1"))), minute(0));
            assert_eq!(tracking.statuses().map(|(_, at)| at).collect::<Vec<_>>(), [kept], "{at:?}");
        }
    }
}

#[test]
fn the_first_error_stays_whoever_says_failed_without_one() {
    let mut tracking = MessageTracking::default();
    let blamed = |code: &str, minutes| news("failed", Some(minute(minutes)), Some(error(code)));
    for (said, changed, code) in [
        (news("failed", Some(minute(1)), None), true, None),
        (blamed("131026", 5), true, Some("131026")),
        (blamed("131047", 6), false, Some("131026")),
        (blamed("131026", 5), false, Some("131026")),
        (blamed("130472", 5), true, Some("130472")),
        (blamed("131047", 4), true, Some("131047")),
        (news("sent", Some(minute(0)), Some(error("1"))), true, Some("131047")),
    ] {
        assert_eq!(tracking.join(&said, minute(60)), changed, "{said:?}");
        assert_eq!(tracking.error().and_then(|error| error.code.as_deref()), code, "{said:?}");
    }
}

#[test]
fn the_size_is_bounded_whatever_comes() {
    let mut tracking = MessageTracking::default();
    let long = "\u{1f4e6}".repeat(100_000);
    let blame = ChannelError {
        code: Some(long.clone()),
        title: Some(long.clone()),
        details: Some(long.clone()),
    };
    for n in 0..1000 {
        tracking.join(&news(&format!("{n}{long}"), Some(minute(n)), None), minute(n));
        for word in ProviderStatus::VARIANTS.iter().copied() {
            tracking.join(&news(word.as_str(), Some(minute(-n)), Some(blame.clone())), minute(n));
        }
    }
    let bytes = serde_json::to_string(&tracking).unwrap().len();
    assert!(bytes < 4 * (64 + 64 + 256 + 1024) + 600, "{bytes}");
}

#[test]
fn a_row_is_small() {
    let tracking = track(&["sent", "delivered", "deleted"]);
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
fn a_linked_message_shows_what_came_before_and_after() {
    for (before, said, after, shown) in [
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
        let (mut tracked, record) = (TrackedMessage::default(), record(said));
        if let Some(word) = before {
            tracked.tracking.join(&news(word, Some(minute(1)), None), minute(1));
        }
        tracked.link(&record);
        if let Some(word) = after {
            tracked.tracking.join(&news(word, Some(minute(9)), None), minute(9));
        }
        assert_eq!(tracked.shown(&record), shown, "{before:?} {said} {after:?}");
        assert_eq!(tracked.record.as_ref(), Some(&record));
    }
}

const WORDS: [&str; 9] =
    ["sending", "sent", "sent", "failed", "failed", "delivered", "read", "played", "deleted"];
const ERRORS: [Option<&str>; 4] = [None, None, Some("131026"), Some("131047")];
/// Minutes from receipt to what happened: missing, before, within the clocks' tolerance, beyond it.
const TIMES: [Option<i64>; 6] = [None, Some(-2), Some(-1), Some(0), Some(10), Some(11)];

type Heard = (StatusUpdate, Timestamp);

/// What is heard, and then the places at which each arrives: more than once, some of it.
fn heard() -> impl Strategy<Value = (Vec<Heard>, Vec<usize>)> {
    let one = (
        0..6_i64,
        prop::sample::select(&WORDS[..]),
        prop::sample::select(&TIMES[..]),
        prop::sample::select(&ERRORS[..]),
    );
    let one = one.prop_map(|(received, word, time, code)| {
        (
            news(word, time.map(|minutes| minute(received + minutes)), code.map(error)),
            minute(received),
        )
    });
    prop::collection::vec(one, 1..10).prop_flat_map(|heard| {
        let count = heard.len();
        let again = prop::collection::vec(0..count, 0..6);
        let arrivals =
            again.prop_map(move |again| (0..count).chain(again).collect::<Vec<_>>()).prop_shuffle();
        (Just(heard), arrivals)
    })
}

/// What the rules say of all of it at once.
fn as_the_rules_say(heard: &[Heard]) -> MessageTracking {
    let at = |(news, received): &Heard| {
        news.at
            .filter(|at| *at <= received.after(std::time::Duration::from_secs(600)))
            .unwrap_or(*received)
    };
    let of =
        |word: ProviderStatus| heard.iter().filter(move |(news, _)| news.status == word.as_str());
    let first = |word: ProviderStatus| of(word).map(at).min().map(|at| (word, at));
    let blamed = of(ProviderStatus::Failed)
        .filter_map(|heard| Some(Failure { at: at(heard), error: heard.0.error.clone()? }));
    let other = heard.iter().filter(|(news, _)| ProviderStatus::parse(&news.status).is_none());
    MessageTracking {
        seen: ProviderStatus::VARIANTS.iter().copied().filter_map(first).collect(),
        failure: blamed.min(),
        other: other.map(|heard| Other { at: at(heard), word: heard.0.status.clone() }).max(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_arrival_and_any_repetition_end_the_same(
        (heard, arrivals) in heard(),
        batch in 1..5_usize,
    ) {
        let mut stored = "{}".to_owned();
        let mut status = None;
        for batch in arrivals.chunks(batch) {
            let mut tracking: MessageTracking = serde_json::from_str(&stored).unwrap();
            for (news, received_at) in batch.iter().map(|index| &heard[*index]) {
                let before = tracking.clone();
                let changed = tracking.join(news, *received_at);
                prop_assert_eq!(changed, tracking != before);
                prop_assert!(tracking.status() >= status, "a status is never taken back");
                status = tracking.status();
            }
            stored = serde_json::to_string(&tracking).unwrap();
        }
        let tracking: MessageTracking = serde_json::from_str(&stored).unwrap();
        prop_assert_eq!(&tracking, &as_the_rules_say(&heard));
        let words: BTreeSet<_> = heard.iter().filter_map(|(news, _)| ProviderStatus::parse(&news.status)).collect();
        prop_assert_eq!(tracking.status(), words.last().copied());
    }
}

/// The generator must reach what it claims to test.
#[test]
fn the_cases_are_not_all_easy() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let (mut repeated, mut outranked, mut blamed_twice, mut ahead) = (0, 0, 0, 0);
    for _ in 0..200 {
        let (heard, arrivals) = heard().new_tree(&mut runner).unwrap().current();
        repeated += usize::from(arrivals.len() > heard.len());
        let ranks: Vec<_> = arrivals
            .iter()
            .filter_map(|index| ProviderStatus::parse(&heard[*index].0.status))
            .collect();
        outranked += usize::from(!ranks.is_sorted());
        let blamed = |(news, _): &&Heard| news.status == "failed" && news.error.is_some();
        blamed_twice += usize::from(heard.iter().filter(blamed).count() > 1);
        ahead += usize::from(heard.iter().any(|(news, received)| {
            news.at > Some(received.after(crate::tracking::timeline::CLOCK_TOLERANCE))
        }));
    }
    let reached = [repeated, outranked, blamed_twice, ahead];
    assert!(reached.iter().all(|count| *count > 20), "{reached:?}");
}

#![expect(clippy::unwrap_used)]

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::messaging::channel::{ChannelError, ProviderMessageId, StatusUpdate};
use crate::messaging::message::{MessageKey, NewMessage};
use crate::messaging::pricing::{Pricing, PricingCategory, PricingType};
use crate::testing::{minute, second};

const PRICING: Pricing = Pricing {
    category: PricingCategory::Utility,
    kind: PricingType::Regular,
    billable: Some(true),
};

fn record(id: &str, status: &str, template: Option<&str>) -> Message {
    let body = serde_json::json!({
        "order_id": "O", "account_code": "S", "message_status": status, "message_id": id,
        "template": template,
    });
    let new = NewMessage::read(body.to_string().as_bytes()).unwrap();
    Message::new(new, &MessageKey::Provider(id), minute(0))
}

fn status(id: &str, status: &str, at: Timestamp) -> StatusUpdate {
    let error = (status == "failed").then(|| ChannelError {
        code: Some("131026".to_owned()),
        title: None,
        details: None,
    });
    StatusUpdate {
        message: ProviderMessageId::parse(id).unwrap(),
        status: status.to_owned(),
        at: Some(at),
        error,
        callback_data: None,
        pricing: matches!(status, "sent" | "delivered").then_some(PRICING),
        recipient: None,
    }
}

/// Statuses ten seconds apart, of a recorded message.
fn figures_of(recorded: &str, statuses: &[&str]) -> BTreeMap<String, i64> {
    let mut tracked = TrackedMessage::default();
    tracked.link(&record("wamid.A", recorded, None));
    for (n, word) in (1_i64..).zip(statuses) {
        tracked.tracking.merge(&status("wamid.A", word, second(10 * n)), minute(60));
    }
    Counted::of(&tracked).unwrap().figures.named().collect()
}

#[test]
fn counts_what_a_message_reached_at_least() {
    const PRICED: &str = "p_utility__regular__billable";
    const DELIVERED: &str = "dp_utility__regular__billable";
    let cases: &[(&str, &[&str], &[&str])] = &[
        ("queued", &[], &[]),
        ("queued", &["deleted"], &[]),
        ("sending", &[], &[]),
        ("sending", &["unknown"], &["sent"]),
        ("sending", &["accepted"], &["sent", "accepted"]),
        ("sent", &[], &["sent", "accepted"]),
        ("sending", &["accepted", "sent"], &["sent", "accepted", PRICED]),
        (
            "sending",
            &["accepted", "sent", "delivered"],
            &["sent", "accepted", "delivered", "d_9", PRICED, DELIVERED],
        ),
        // `delivered` may never come.
        ("sending", &["accepted", "read"], &["sent", "accepted", "delivered", "read", "r_7"]),
        ("sending", &["accepted", "played"], &["sent", "accepted", "delivered", "read", "r_7"]),
        // Without a time at which the provider took it.
        ("sending", &["read"], &["sent", "accepted", "delivered", "read"]),
        ("sending", &["failed"], &["sent", "failed", "e_131026"]),
        ("sending", &["accepted", "failed"], &["sent", "accepted", "failed", "e_131026"]),
        ("failed", &[], &["sent", "failed", "e_none"]),
        // It was delivered after all.
        (
            "sending",
            &["accepted", "failed", "delivered"],
            &["sent", "accepted", "delivered", "d_9", PRICED, DELIVERED],
        ),
        // The clocks differ.
        ("sent", &["delivered"], &["sent", "accepted", "delivered", "d_7", PRICED, DELIVERED]),
    ];
    for (recorded, statuses, expected) in cases {
        let expected = expected.iter().map(|name| ((*name).to_owned(), 1)).collect();
        assert_eq!(figures_of(recorded, statuses), expected, "{recorded} {statuses:?}");
    }
}

#[test]
fn a_message_without_a_record_has_no_day() {
    let mut tracked = TrackedMessage::default();
    tracked.tracking.merge(&status("wamid.A", "sent", minute(1)), minute(1));
    assert_eq!(Counted::of(&tracked), None);
    let record = record("wamid.A", "sent", Some("shipped"));
    let counted = Counted::of_untracked(&record).unwrap();
    assert_eq!(counted.place.day, "2026-01-20");
    assert_eq!(counted.place.template.as_ref().map(TemplateName::as_str), Some("shipped"));
}

#[test]
fn an_answer_counts_once() {
    let mut tracked = TrackedMessage::default();
    tracked.link(&record("wamid.A", "queued", None));
    assert_eq!([5, 7, 5, 3].map(|at| tracked.answer(minute(at))), [true, false, false, true]);
    let figures = Counted::of(&tracked).unwrap().figures;
    assert_eq!(figures.named().collect::<Vec<_>>(), [("replied".to_owned(), 1)]);
}

#[test]
fn changes_only_what_differs() {
    let counted = |day: &str, names: &[&str]| Counted {
        place: Place { day: day.to_owned(), template: None },
        figures: Figures::read(names.iter().map(|name| (*name, 1))),
    };
    let (one, other) = (counted("a", &["sent", "d_4"]), counted("a", &["sent", "d_5"]));
    let changes = Counted::changes(Some(&one), Some(&other));
    let named: Vec<_> = changes.iter().flat_map(|it| it.figures.named()).collect();
    assert_eq!((changes.len(), named), (1, vec![("d_4".to_owned(), -1), ("d_5".to_owned(), 1)]));
    assert_eq!(Counted::changes(Some(&one), Some(&one)), []);
    assert_eq!(Counted::changes(None, Some(&one)), std::slice::from_ref(&one));
    assert_eq!(Counted::changes(None, Some(&counted("a", &[]))), []);
    // A template that was told later.
    let moved = counted("b", &["sent"]);
    let changes = Counted::changes(Some(&one), Some(&moved));
    let days: Vec<&str> = changes.iter().map(|it| it.place.day.as_str()).collect();
    assert_eq!(days, ["a", "b"]);
}

#[test]
fn shows_rates_errors_times_and_prices() {
    let counts = [
        ("sent", 20),
        ("accepted", 19),
        ("delivered", 18),
        ("read", -1),
        ("e_131026", 1),
        ("e_none", 3),
        ("e_other", 1),
        ("d_1", 10),
        ("d_5", 8),
        ("p_utility__regular__billable", 19),
        ("dp_utility__regular__billable", 18),
        ("of_a_later_release", 7),
    ];
    let view = serde_json::to_value(Figures::read(counts).view()).unwrap();
    let expected = serde_json::json!({
        "sent": 20, "accepted": 19, "delivered": 18, "read": 0, "failed": 0, "replied": 0,
        "errors": [
            {"code": null, "count": 3},
            {"code": "131026", "count": 1},
            {"code": "other", "count": 1},
        ],
        "time_to_delivered": {"count": 18, "p50": 1.2, "p95": 4.8},
        "time_to_read": {"count": 0, "p50": null, "p95": null},
        "pricing": [{
            "category": "utility", "type": "regular", "billable": true,
            "messages": 19, "delivered": 18,
        }],
    });
    assert_eq!(view, expected);
}

/// What becomes known about one of several messages.
#[derive(Debug, Clone)]
enum Update {
    Record(Message),
    Status(StatusUpdate),
    Answer(Timestamp),
}

type Messages = BTreeMap<usize, String>;
type Sums = BTreeMap<(String, Option<String>), Figures>;

/// As rows are kept: the message's, and the figures' by day and template.
#[derive(Default)]
struct Rows {
    /// As JSON.
    messages: Messages,
    figures: Sums,
}

impl Rows {
    fn apply(&mut self, message: usize, update: &Update) {
        let mut tracked: TrackedMessage = self
            .messages
            .get(&message)
            .map_or_else(TrackedMessage::default, |json| serde_json::from_str(json).unwrap());
        let before = Counted::of(&tracked);
        match update {
            Update::Record(record) if tracked.record.is_none() => tracked.link(record),
            Update::Record(_) => {}
            Update::Status(status) => drop(tracked.tracking.merge(status, minute(60))),
            Update::Answer(at) => drop(tracked.answer(*at)),
        }
        for change in Counted::changes(before.as_ref(), Counted::of(&tracked).as_ref()) {
            let template = change.place.template.map(String::from);
            *self.figures.entry((change.place.day, template)).or_default() += &change.figures;
        }
        self.messages.insert(message, serde_json::to_string(&tracked).unwrap());
    }

    /// The figures by the messages as they are in the end.
    fn expected(&self) -> Sums {
        let mut sums = Sums::new();
        for json in self.messages.values() {
            let Some(counted) = Counted::of(&serde_json::from_str(json).unwrap()) else { continue };
            let template = counted.place.template.map(String::from);
            *sums.entry((counted.place.day, template)).or_default() += &counted.figures;
        }
        sums.retain(|_, figures| !figures.is_empty());
        sums
    }

    fn figures(mut self) -> Sums {
        self.figures.retain(|_, figures| !figures.is_empty());
        self.figures
    }
}

const STATUSES: [&str; 9] =
    ["accepted", "unknown", "sent", "sent", "failed", "delivered", "read", "played", "deleted"];
const RECORDED: [&str; 4] = ["queued", "sending", "sent", "failed"];

/// Of five messages, whose records name one of two templates or none.
fn update() -> impl Strategy<Value = (usize, Update)> {
    let templates = [Some("one"), Some("two"), None, Some("one"), None];
    let record = prop::sample::select(&RECORDED[..]);
    let word = prop::sample::select(&STATUSES[..]);
    let code = prop::sample::select(&["131026", "131047", "7"][..]);
    let kinds = (0..10_usize, record, word, code, 0..40_000_i64);
    (0..5_usize, kinds).prop_map(move |(message, (kind, recorded, word, code, seconds))| {
        let id = format!("wamid.{message}");
        let update = match kind {
            // A message has one record.
            0 => Update::Record(record_of(&id, recorded, message, templates[message])),
            1 => Update::Answer(second(seconds)),
            _ => {
                let mut status = status(&id, word, second(seconds));
                if let Some(error) = &mut status.error {
                    error.code = Some(code.to_owned());
                }
                Update::Status(status)
            }
        };
        (message, update)
    })
}

fn record_of(id: &str, status: &str, message: usize, template: Option<&str>) -> Message {
    let days = i64::try_from(message % 2).unwrap();
    Message { sent_at: minute(days * 24 * 60), ..record(id, status, template) }
}

/// Forty updates, with one record a message at most, and two orders of arrival with repeats.
fn arrivals() -> impl Strategy<Value = (Vec<(usize, Update)>, Vec<usize>, Vec<usize>)> {
    prop::collection::vec(update(), 40).prop_flat_map(|mut updates| {
        let mut recorded = std::collections::BTreeSet::new();
        for (message, update) in &mut updates {
            if matches!(update, Update::Record(_)) && !recorded.insert(*message) {
                *update = Update::Answer(minute(1));
            }
        }
        let order = || {
            let repeats = prop::collection::vec(0..40_usize, 0..20);
            repeats.prop_map(|repeats| (0..40).chain(repeats).collect::<Vec<_>>()).prop_shuffle()
        };
        (Just(updates), order(), order())
    })
}

fn after(updates: &[(usize, Update)], order: &[usize]) -> Rows {
    let mut rows = Rows::default();
    for index in order {
        let (message, update) = &updates[*index];
        rows.apply(*message, update);
    }
    rows
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1_000, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn arrival_order_and_repeats_do_not_change_the_figures(
        (updates, one, other) in arrivals(),
    ) {
        let [one, other] = [one, other].map(|order| after(&updates, &order));
        prop_assert_eq!(one.expected(), one.figures.clone().into_iter().filter(|(_, it)| !it.is_empty()).collect::<Sums>());
        prop_assert_eq!(one.figures(), other.figures());
    }
}

/// The generator must produce the cases that the property is about.
#[test]
fn the_generator_covers_figures_that_are_taken_back() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let (mut delivered_after_failure, mut recorded_late, mut two_days) = (0, 0, 0);
    for _ in 0..100 {
        let (updates, order, _) = arrivals().new_tree(&mut runner).unwrap().current();
        let mut rows = Rows::default();
        let failed = |rows: &Rows| -> i64 {
            let counts = rows.figures.values().flat_map(Figures::named);
            counts.filter(|(name, _)| name == "failed").map(|(_, count)| count).sum()
        };
        let (mut decreased, mut late) = (false, false);
        for index in &order {
            let (message, update) = &updates[*index];
            let before = failed(&rows);
            late |= matches!(update, Update::Record(_)) && rows.messages.contains_key(message);
            rows.apply(*message, update);
            decreased |= failed(&rows) < before;
        }
        delivered_after_failure += u32::from(decreased);
        recorded_late += u32::from(late);
        let days = rows.figures().into_keys().map(|(day, _)| day);
        two_days += u32::from(days.collect::<std::collections::BTreeSet<_>>().len() == 2);
    }
    let reached = [delivered_after_failure, recorded_late, two_days];
    assert!(reached.iter().all(|count| *count > 20), "{reached:?}");
}

#![expect(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;
use crate::core::timestamp::Timestamp;
use crate::testing::minute;

fn day(days: i64) -> Timestamp {
    minute(days * 24 * 60)
}

fn statement(aspect: Aspect, at: i64, value: &str) -> Statement {
    Statement {
        about: Subject::Number("15550783881".to_owned()),
        aspect,
        at: Some(minute(at)),
        value: value.to_owned(),
        reason: None,
        subject: None,
        until: None,
    }
}

fn state(told: &[(Aspect, i64, &str)]) -> ProviderState {
    let mut state = ProviderState::default();
    for (aspect, at, value) in told {
        state.merge(&statement(*aspect, *at, value), minute(100));
    }
    state
}

#[test]
fn the_latest_statement_of_an_aspect_counts() {
    let mut state = state(&[(Aspect::Flag, 5, "FLAGGED"), (Aspect::Limit, 1, "TIER_2K")]);
    let mut merge = |at, value| state.merge(&statement(Aspect::Flag, at, value), minute(100));
    assert_eq!(merge(5, "FLAGGED"), Merged::Known);
    assert_eq!(merge(4, "UNFLAGGED"), Merged::Outdated);
    assert_eq!(merge(6, "UNFLAGGED"), Merged::New);
    assert_eq!(state.value(Aspect::Flag), Some("UNFLAGGED"));
    assert_eq!(state.value(Aspect::Limit), Some("TIER_2K"));
    assert_eq!(state.updated_at(), Some(minute(6)));
}

#[test]
fn a_statement_without_a_time_or_from_the_future_has_that_of_its_receipt() {
    for at in [None, Some(day(400))] {
        let mut state = ProviderState::default();
        state.merge(&Statement { at, ..statement(Aspect::Flag, 0, "FLAGGED") }, minute(7));
        assert_eq!(state.get(Aspect::Flag).unwrap().at, minute(7));
    }
}

#[test]
fn standing_is_the_worst_that_still_holds() {
    use Aspect::{Ban, Connection, Event, Flag, Quality, Restriction, Violation};
    for (told, expected) in [
        (vec![], Standing::Active),
        (vec![(Event, 1, "VERIFIED_ACCOUNT")], Standing::Active),
        (vec![(Flag, 1, "FLAGGED")], Standing::Flagged),
        (vec![(Flag, 1, "FLAGGED"), (Flag, 2, "UNFLAGGED")], Standing::Active),
        (vec![(Quality, 1, "RED")], Standing::Flagged),
        (vec![(Quality, 1, "RED"), (Quality, 2, "YELLOW")], Standing::Active),
        (vec![(Violation, 1, "SPAM")], Standing::Warned),
        (vec![(Violation, 1, "SPAM"), (Ban, 2, "REINSTATE")], Standing::Active),
        (vec![(Violation, 2, "SPAM"), (Ban, 1, "REINSTATE")], Standing::Warned),
        (vec![(Ban, 1, "SCHEDULE_FOR_DISABLE")], Standing::Warned),
        (vec![(Ban, 1, "DISABLE"), (Violation, 1, "SPAM")], Standing::Disabled),
        (vec![(Ban, 1, "DISABLE"), (Ban, 2, "REINSTATE")], Standing::Active),
        (vec![(Restriction, 1, "RESTRICTED_BIZ_INITIATED_MESSAGING")], Standing::Restricted),
        (vec![(Restriction, 1, "R"), (Restriction, 2, NO_RESTRICTION)], Standing::Active),
        (vec![(Connection, 1, "PARTNER_REMOVED")], Standing::Disconnected),
        (
            vec![(Connection, 1, "PARTNER_REMOVED"), (Connection, 2, "PARTNER_ADDED")],
            Standing::Active,
        ),
        (vec![(Connection, 1, "ACCOUNT_DELETED"), (Ban, 2, "DISABLE")], Standing::Deleted),
    ] {
        assert_eq!(state(&told).standing(minute(100)), expected, "{told:?}");
    }
}

#[test]
fn only_statements_about_senders_are_grave() {
    let red = statement(Aspect::Quality, 0, "RED");
    assert!(red.is_grave(minute(1)));
    assert!(!statement(Aspect::Quality, 0, "YELLOW").is_grave(minute(1)));
    assert!(!statement(Aspect::Flag, 0, "UNFLAGGED").is_grave(minute(1)));
    let ended = Statement { until: Some(minute(1)), ..statement(Aspect::Restriction, 0, "R") };
    assert!(ended.is_grave(minute(0)) && !ended.is_grave(minute(1)));
    let about = Subject::Template(TemplateId::new("t", "en").unwrap());
    assert!(!Statement { about, ..red }.is_grave(minute(1)));
}

#[test]
fn restrictions_and_violations_end() {
    let until = Some(minute(10));
    let mut restricted = ProviderState::default();
    restricted.merge(&Statement { until, ..statement(Aspect::Restriction, 0, "R") }, minute(0));
    assert_eq!(restricted.standing(minute(9)), Standing::Restricted);
    assert_eq!(restricted.standing(minute(10)), Standing::Active);
    let warned = state(&[(Aspect::Violation, 0, "SPAM")]);
    assert_eq!(warned.standing(day(29)), Standing::Warned);
    assert_eq!(warned.standing(day(31)), Standing::Active);
}

#[test]
fn a_template_is_usable_unless_it_is_known_not_to_be() {
    let usable = |told: &[(Aspect, i64, &str)]| usable(&state(told)).map_err(|it| it.status);
    assert_eq!(usable(&[]), Ok(()));
    for status in
        ["APPROVED", "FLAGGED", "REINSTATED", "LIMIT_EXCEEDED", "UNARCHIVED", "LOCKED", "X"]
    {
        assert_eq!(usable(&[(Aspect::Status, 1, status)]), Ok(()), "{status}");
    }
    for status in ["PAUSED", "DISABLED", "REJECTED", "PENDING_DELETION", "DELETED", "PENDING"] {
        let told = [(Aspect::Status, 1, status)];
        assert_eq!(usable(&told), Err(status.to_lowercase()), "{status}");
    }
    let woken = [(Aspect::Status, 1, "PAUSED"), (Aspect::Status, 2, "APPROVED")];
    assert_eq!(usable(&woken), Ok(()));
}

#[test]
fn a_template_that_is_locked_by_a_pause_is_paused() {
    let told = |reason: &str| {
        let reason = Some(reason.to_owned());
        let mut state = ProviderState::default();
        let statement = Statement { reason, ..statement(Aspect::Status, 1, "LOCKED") };
        state.merge(&statement, minute(1));
        usable(&state).map_err(|refusal| refusal.to_string())
    };
    assert_eq!(told("FIRST_PAUSE"), Err("paused: FIRST_PAUSE".to_owned()));
    assert_eq!(told("UNPAUSE"), Ok(()));
}

#[test]
fn a_template_has_one_spelling_of_its_language() {
    let id = |name, language| TemplateId::new(name, language);
    assert_eq!(id("order_update", "en-US"), id("order_update", "en_US"));
    assert_ne!(id("order_update", "en"), id("order_update", "en_US"));
    let long = "x".repeat(513);
    for (name, language) in [("", "en"), ("a", ""), ("a b", "en"), ("a/b", "en"), (&long, "en")] {
        assert_eq!(id(name, language), None, "{name} {language}");
    }
}

#[test]
fn views_have_every_aspect() {
    let told = |value: &str| {
        serde_json::json!({
            "at": "2026-01-20T10:01:00.000Z", "value": value, "reason": null, "subject": null, "until": null,
        })
    };
    let number = Subject::Number("15550783881".to_owned());
    let known = state(&[(Aspect::Flag, 1, "FLAGGED")]);
    let view = serde_json::to_value(SenderView::new(&number, &known, minute(2))).unwrap();
    let expected = serde_json::json!({
        "kind": "number", "id": "15550783881", "standing": "flagged", "event": null, "ban": null,
        "restriction": null, "violation": null, "connection": null, "review": null, "alert": null,
        "flag": told("FLAGGED"), "quality": null, "limit": null, "name": null,
        "updated_at": "2026-01-20T10:01:00.000Z",
    });
    assert_eq!(view, expected);
    let template = Subject::Template(TemplateId::new("order_update", "en").unwrap());
    let paused = state(&[(Aspect::Status, 1, "PAUSED")]);
    let view = serde_json::to_value(TemplateView::new(&template, &paused)).unwrap();
    let expected = serde_json::json!({
        "name": "order_update", "language": "en", "usable": false, "status": told("PAUSED"),
        "quality": null, "category": null, "updated_at": "2026-01-20T10:01:00.000Z",
    });
    assert_eq!(view, expected);
    assert!(TemplateView::new(&number, &known).is_none());
    assert!(SenderView::new(&template, &paused, minute(2)).is_none());
}

fn any_statement() -> impl Strategy<Value = Statement> {
    let aspects = prop::sample::select(Aspect::VARIANTS);
    let values = prop::sample::select(vec!["FLAGGED", "UNFLAGGED", "RED", "DISABLE"]);
    let reason = prop::option::of(Just("REASON".to_owned()));
    (aspects, 0_i64..5, values, reason).prop_map(|(aspect, at, value, reason)| Statement {
        reason,
        ..statement(aspect, at, value)
    })
}

proptest! {
    #[test]
    fn ends_in_the_same_state_after_any_order_of_arrival(
        (told, shuffled) in prop::collection::vec(any_statement(), 0..40)
            .prop_flat_map(|told| (Just(told.clone()), Just(told).prop_shuffle())),
        repeated in prop::collection::vec(any::<prop::sample::Index>(), 0..5),
    ) {
        let merge = |all: &[Statement]| {
            let mut state = ProviderState::default();
            for statement in all {
                state.merge(statement, minute(100));
            }
            state
        };
        let mut shuffled = shuffled;
        for index in repeated {
            if !told.is_empty() {
                shuffled.push(index.get(&told).clone());
            }
        }
        prop_assert_eq!(merge(&told), merge(&shuffled));
    }
}

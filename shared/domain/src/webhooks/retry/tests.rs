#![allow(clippy::unwrap_used)]

use std::time::Duration;

use proptest::prelude::*;
use strum::VariantArray;

use crate::core::timestamp::Timestamp;
use crate::webhooks::endpoint::Settings;
use crate::webhooks::retry::{
    AttemptOutcome, DeadReason, DeliveryDirective, MAX_RETRY_AFTER, NextStep, Schedule,
    parse_retry_after, wait_for_settings,
};

const DAY: u64 = 24 * 60 * 60;

fn seconds(waits: &[u64]) -> Vec<Duration> {
    waits.iter().copied().map(Duration::from_secs).collect()
}

fn schedule(retries: u32, waits: &[u64], jitter: bool) -> Schedule {
    Schedule { retries, backoff: seconds(waits), jitter }
}

fn answered(status: u16) -> AttemptOutcome {
    AttemptOutcome::Answered { status, directive: None }
}

#[test]
fn every_status_code_has_its_next_step() {
    for code in 100..=999 {
        let expected = match code {
            200..300 => NextStep::Done,
            300..400 => NextStep::GiveUp(DeadReason::Redirect),
            408 | 425 | 429 => NextStep::Retry,
            410 => NextStep::GiveUp(DeadReason::Gone),
            100..500 => NextStep::GiveUp(DeadReason::Rejected),
            // Codes above 599 do not exist: a broken receiver, perhaps a transient fault.
            _ => NextStep::Retry,
        };
        let outcome = answered(code);
        assert_eq!(outcome.next_step(false), expected, "{code}");
        let is_repeated = matches!(code, 300..500) && code != 410;
        let expected = if is_repeated { NextStep::Retry } else { expected };
        assert_eq!(outcome.next_step(true), expected, "{code} with retry_4xx");
        assert_eq!(outcome.disables_endpoint(), code == 410, "{code}");
    }
    for retry_4xx in [true, false] {
        for outcome in [AttemptOutcome::NoAnswer, AttemptOutcome::TimedOut] {
            assert_eq!(outcome.next_step(retry_4xx), NextStep::Retry);
        }
        let refused = AttemptOutcome::Refused.next_step(retry_4xx);
        assert_eq!(refused, NextStep::GiveUp(DeadReason::UrlRefused));
    }
}

#[test]
fn a_receiver_ends_deliveries_by_a_header() {
    use DeliveryDirective::{AbortMessage, Disable};
    let give_up = NextStep::GiveUp;
    for (status, directive, next_step, disables) in [
        (200, AbortMessage, NextStep::Done, false),
        (200, Disable, NextStep::Done, true),
        (503, AbortMessage, give_up(DeadReason::Aborted), false),
        (503, Disable, give_up(DeadReason::EndpointDisabled), true),
        (404, AbortMessage, give_up(DeadReason::Aborted), false),
        (410, AbortMessage, give_up(DeadReason::Gone), true),
    ] {
        let outcome = AttemptOutcome::Answered { status, directive: Some(directive) };
        assert_eq!(outcome.next_step(true), next_step, "{outcome:?}");
        assert_eq!(outcome.disables_endpoint(), disables, "{outcome:?}");
    }
    for (value, expected) in [
        ("abort-message", Some(AbortMessage)),
        (" Abort-Message ", Some(AbortMessage)),
        ("disable", Some(Disable)),
        ("disabled", None),
        ("", None),
    ] {
        assert_eq!(DeliveryDirective::parse(value), expected, "{value:?}");
    }
}

/// Rows and dead letters of older releases hold these texts.
#[test]
fn dead_reasons_keep_their_texts() {
    let texts: Vec<_> = DeadReason::VARIANTS.iter().map(|reason| reason.as_str()).collect();
    let expected = "exhausted rejected gone redirect aborted url_refused endpoint_removed \
                    endpoint_disabled unusable_settings parked_too_long erased";
    assert_eq!(texts, expected.split(' ').collect::<Vec<_>>());
}

/// All waits without `Retry-After`.
fn waits(schedule: &Schedule) -> Vec<Duration> {
    (1..).map_while(|attempts| schedule.wait_after(attempts, "msg_a", None)).collect()
}

#[test]
fn every_format_has_its_default_schedule() {
    const HOUR: u64 = 3600;
    for (format, expected, jitter) in [
        ("status_update", &[1, 2, 4][..], false),
        ("order.status_changed", &[1, 2, 3], false),
        (
            "standard",
            &[5, 30, 120, 600, 1800, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, 24 * HOUR],
            true,
        ),
    ] {
        let schedule = Settings::parse(&format!(r#"{{"format":"{format}"}}"#)).unwrap().schedule;
        assert_eq!(schedule.jitter, jitter, "{format}");
        assert_eq!(waits(&Schedule { jitter: false, ..schedule }), seconds(expected), "{format}");
    }
    let standard = Schedule { jitter: false, ..Settings::parse("{}").unwrap().schedule };
    let total: Duration = waits(&standard).into_iter().sum();
    assert_eq!((total.as_secs() + 180) / 360, 467, "eleven attempts in 46.7 h");
    assert_eq!(waits(&standard).len(), 10);
}

#[test]
fn repeats_the_last_wait_until_the_retries_end() {
    for (retries, backoff, expected) in [
        (0, &[1][..], &[][..]),
        (1, &[1, 2, 4], &[1]),
        (3, &[1, 2, 4], &[1, 2, 4]),
        (5, &[1, 2, 4], &[1, 2, 4, 4, 4]),
        (2, &[0], &[0, 0]),
        (3, &[], &[]),
    ] {
        assert_eq!(
            waits(&schedule(retries, backoff, false)),
            seconds(expected),
            "{retries} of {backoff:?}"
        );
    }
    let schedule = schedule(3, &[1, 2, 4], false);
    for attempts in [0, 4, 5, u32::MAX] {
        assert_eq!(
            schedule.wait_after(attempts, "msg_a", Some(Duration::MAX)),
            None,
            "after {attempts} attempts"
        );
    }
}

#[test]
fn clamps_retry_after() {
    let schedule = schedule(1, &[60], false);
    let wait_after = |seconds: u64| {
        schedule.wait_after(1, "msg_a", Some(Duration::from_secs(seconds))).unwrap().as_secs()
    };
    for (seconds, expected) in [(0, 60), (59, 60), (60, 60), (u64::MAX, wait_after(DAY))] {
        assert_eq!(wait_after(seconds), expected, "{seconds}");
    }
    for seconds in [61, 1000, DAY] {
        let wait = wait_after(seconds);
        assert!((seconds..=seconds * 6 / 5).contains(&wait), "{wait} for {seconds}");
    }
    assert_eq!(MAX_RETRY_AFTER.as_secs(), DAY);
}

#[test]
fn jitter_spreads_waits_over_20_percent() {
    let schedule = schedule(2, &[1000, 1000], true);
    let wait = |id: u32, attempt| {
        schedule.wait_after(attempt, &format!("msg_{id}"), None).unwrap().as_secs()
    };
    let mut buckets = [0; 4];
    for id in 0..2000 {
        buckets[((wait(id, 1) - 1000) / 50).min(3) as usize] += 1;
    }
    assert!(buckets.iter().all(|count| (350..650).contains(count)), "{buckets:?}");
    let differ = (0..100).filter(|id| wait(*id, 1) != wait(*id, 2)).count();
    assert!(differ > 90, "the jitter must differ between attempts: {differ}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_wait_is_up_to_20_percent_longer_than_planned(
        retries in 0..60_u32,
        waits in prop::collection::vec(0..=DAY, 1..12),
        attempts in 0..80_u32,
        id in "msg_[a-z2-7]{32}",
        retry_after in prop::option::of(prop_oneof![any::<u64>(), 0..2 * DAY]),
    ) {
        let retry_after = retry_after.map(Duration::from_secs);
        let plain = schedule(retries, &waits, false);
        let stretched = schedule(retries, &waits, true);
        let has_wait = plain.wait_after(attempts, &id, retry_after).is_some();
        prop_assert_eq!(has_wait, (1..=retries).contains(&attempts));
        if let Some(planned) = plain.wait_after(attempts, &id, None) {
            prop_assert_eq!(planned.as_secs(), waits[waits.len().min(attempts as usize) - 1]);
            let wait = stretched.wait_after(attempts, &id, None).unwrap();
            let limit = planned * 6 / 5;
            prop_assert!(planned <= wait && wait <= limit, "{:?} for {:?}", wait, planned);
            for schedule in [&plain, &stretched] {
                let wait = schedule.wait_after(attempts, &id, retry_after).unwrap();
                prop_assert_eq!(Some(wait), schedule.wait_after(attempts, &id, retry_after));
                let asked = retry_after.unwrap_or_default().clamp(planned, MAX_RETRY_AFTER);
                prop_assert!(wait >= asked && wait <= asked * 6 / 5, "{:?} for {:?}", wait, asked);
            }
        }
    }

    #[test]
    fn accepts_any_retry_after_header(
        value in "\\PC{0,40}|[0-9]{1,40}|[-+.0-9eE]{1,20}",
        now in 0..4_000_000_000_000_i64,
    ) {
        let retry_after = parse_retry_after(&value, Timestamp::from_millis(now).unwrap());
        let wait = schedule(1, &[5], true).wait_after(1, "msg_a", retry_after).unwrap();
        prop_assert!(wait >= Duration::from_secs(5) && wait <= MAX_RETRY_AFTER * 6 / 5);
    }
}

#[test]
fn parses_retry_after_as_seconds_or_date() {
    let now = Timestamp::parse("2026-01-20T10:00:00.250Z").unwrap();
    for (value, expected) in [
        ("0", Some(0)),
        ("120", Some(120)),
        (" 120 ", Some(120)),
        ("0007", Some(7)),
        ("86401", Some(86_401)),
        ("9223372036854775807", Some(9_223_372_036_854_775_807)),
        ("99999999999999999999999999", Some(DAY)),
        ("", None),
        ("-5", None),
        ("+5", None),
        ("120.5", None),
        ("1e300", None),
        ("inf", None),
        ("NaN", None),
        ("0x10", None),
        ("120s", None),
        ("5, 10", None),
        ("\u{661}\u{662}", None),
        ("junk", None),
        ("2026-01-20T10:00:00Z", None),
        ("Tue, 20 Jan 2026 09:00:00 GMT", Some(0)),
        ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
        ("Tue, 20 Jan 2026 10:02:00 GMT", Some(119)),
        ("Tuesday, 20-Jan-26 10:02:00 GMT", Some(119)),
        ("Tue Jan 20 10:02:00 2026", Some(119)),
        ("Wed, 20 Jan 2027 10:00:00 GMT", Some(365 * DAY - 1)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", Some(251_633_397_598)),
        ("Tue, 32 Jan 2026 10:00:00 GMT", None),
    ] {
        assert_eq!(parse_retry_after(value, now).map(|wait| wait.as_secs()), expected, "{value:?}");
    }
}

#[test]
fn waits_for_invalid_settings_to_be_corrected() {
    let wait = |seconds| wait_for_settings(Duration::from_secs(seconds)).map(|it| it.as_secs());
    for (waited, expected) in [
        (0, Some(5)),
        (5, Some(5)),
        (40, Some(40)),
        (3600, Some(900)),
        (48 * 3600 - 1, Some(900)),
        (48 * 3600, None),
    ] {
        assert_eq!(wait(waited), expected, "{waited}");
    }
}

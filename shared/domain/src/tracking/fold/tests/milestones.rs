use crate::core::timestamp::Timestamp;
use crate::tracking::report::SourceName;
use crate::tracking::state::Cancellation;
use crate::tracking::story::{Story, time};

#[test]
fn milestones_are_the_times_of_applied_entries() {
    let milestones = |facts: &str| {
        let tracking = Story::read("pending A", facts).fold().tracking;
        [tracking.assigned_at, tracking.accepted_at, tracking.completed_at]
    };
    let at = |hours: &str| Some(time(hours));
    for (facts, expected) in [
        ("", [None, None, None]),
        (
            "A assigned 1h, A accepted 2h, A in_transit 3h, A delivered 4h",
            [at("1h"), at("2h"), at("4h")],
        ),
        ("A assigned 1h, A assigned 2h", [at("1h"), None, None]),
        ("A assigned 1h, A pending 2h, A assigned 3h", [at("3h"), None, None]),
        ("A completed 1h, A completed 2h, A accepted 3h", [None, None, at("1h")]),
        ("A completed 1h, A delivered 2h", [None, None, at("2h")]),
        ("A completed 1h, A cancelled 2h", [None, None, at("1h")]),
        ("A delivered 1h, A returned 2h", [None, None, at("1h")]),
        // Complete when the last parcel is.
        ("add B 0h, A delivered 1h", [None, None, None]),
        ("add B 0h, A delivered 1h, B delivered 2h", [None, None, at("2h")]),
    ] {
        assert_eq!(milestones(facts), expected, "{facts}");
    }
}

#[test]
fn records_time_reason_and_source_of_a_cancellation() {
    for (words, reason) in [("", None), ("'CANCELED", Some("CANCELED"))] {
        let facts = format!("A cancelled 1h api {words}");
        let tracking = Story::read("pending A", facts.trim_end()).fold().tracking;
        let reason = reason.map(str::to_owned);
        let expected = Cancellation { at: time("1h"), reason, by: SourceName::API };
        assert_eq!(tracking.cancellation, Some(expected));
    }
}

#[test]
fn keeps_the_cancellation_until_an_outbound_status_applies() {
    let cancelled_at = |facts: &str| -> Option<Timestamp> {
        let story = Story::read("pending A", &format!("A cancelled 1h api, {facts}"));
        story.fold().tracking.cancellation.map(|cancellation| cancellation.at)
    };
    for (facts, expected) in [
        ("", true),
        ("A cancelled 2h", true),
        ("A in_transit 2h", true),
        ("A return_initiated 2h, A returned 3h", true),
        ("A delivered 2h", false),
        ("A return_in_transit 2h, A delivered 3h", false),
        // One of two parcels is cancelled.
        ("add B 2h", false),
    ] {
        assert_eq!(cancelled_at(facts), expected.then(|| time("1h")), "{facts}");
    }
}

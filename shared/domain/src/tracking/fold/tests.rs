#![allow(clippy::unwrap_used)]

mod journey;
mod milestones;
mod order;
mod parcels;

use crate::tracking::fold::Disposition;
use crate::tracking::story::{Story, ignored, shown};

/// What it shows, how the order was created, its facts, and what they make of it.
type Case = (&'static str, &'static str, &'static str, &'static str);

/// Compares the order and its parcels with the expected text.
fn check(cases: &[Case]) {
    for (name, start, facts, expected) in cases {
        let story = Story::read(start, facts);
        assert_eq!(shown(&story.fold()), *expected, "{name}: {start}: {facts}");
    }
}

/// Compares the reports that did not apply, and why.
fn check_ignored(cases: &[Case]) {
    for (name, start, facts, expected) in cases {
        let story = Story::read(start, facts);
        assert_eq!(ignored(&story.fold()), *expected, "{name}: {start}: {facts}");
    }
}

#[test]
fn applied_entries_have_no_reason() {
    use Disposition::*;
    let reasons = [
        (Applied, None),
        (Same, Some("same")),
        (Unknown, Some("unknown")),
        (AfterTerminal, Some("after_terminal")),
        (ReplacedParcel, Some("replaced_parcel")),
        (Withdrawn, Some("withdrawn")),
    ];
    for (disposition, reason) in reasons {
        assert_eq!(disposition.reason(), reason, "{disposition:?}");
    }
}

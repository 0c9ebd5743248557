#![expect(clippy::unwrap_used)]

use domain::core::timestamp::Timestamp;
use sources::{Reading, Request};

use super::*;

#[test]
fn warns_of_unknown_statuses_but_not_of_neutral_ones() {
    for (words, expected) in [
        ("XYZ", true),
        ("", true),
        ("OOD", false),
        ("RPSH", false),
        ("RCAN", false),
        ("Return Lost", false),
        ("RCLO", false),
        ("ROTH", false),
        ("Others", false),
    ] {
        let body = format!(r#"{{"order_id":"A","current_status":"{words}"}}"#);
        let request = Request::stored(None, body.as_bytes());
        let reading = Shipway.parse(&request, Timestamp::EPOCH).unwrap().reading;
        let Reading::Reports(reports) = reading else { unreachable!("{words}") };
        assert_eq!(has_unknown_status(&reports.items[0]), expected, "{words}");
    }
}

//! Snapshots of the parsed samples in `events/`. Every source needs samples; a new file is a new
//! test.

#![expect(clippy::unwrap_used)]

use domain::core::id::AccountCode;
use domain::core::timestamp::Timestamp;
use serde_json::{Value, json};
use sources::{Reading, Request, SOURCES, Source, Unreadable};

fn outcome(reading: Result<Reading, Unreadable>) -> Value {
    match reading {
        Ok(Reading::Reports(reports)) => {
            json!({ "reports": reports.items, "odd": reports.skipped })
        }
        Ok(Reading::Updates(updates)) => {
            json!({ "updates": updates.items, "odd": updates.skipped })
        }
        Ok(Reading::Ignored(reason)) => json!({ "ignored": reason.as_str() }),
        Err(error) => json!({ "unreadable": error.to_string() }),
    }
}

fn check(source: &dyn Source) {
    let account = AccountCode::parse("STORE001").unwrap();
    let at = Timestamp::parse("2026-01-20T04:45:30Z").unwrap();
    let name = source.name();
    insta::glob!("../../../events", &format!("{}/*.json", name.as_str()), |path| {
        let body = std::fs::read(path).unwrap();
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            let parsed = source.parse(&Request::stored(Some(&account), &body), at);
            insta::assert_json_snapshot!(name.as_str(), outcome(parsed.map(|parsed| parsed.reading)));
        });
    });
}

#[test]
fn every_sample_matches_its_snapshot() {
    SOURCES.iter().copied().for_each(check);
}

//! What each sample body under `events/` yields: one snapshot a file, so that a new file is a new test.

#![expect(clippy::unwrap_used)]

use domain::core::id::AccountCode;
use domain::core::timestamp::Timestamp;
use serde_json::{Value, json};
use sources::{Reading, Received, SOURCES, Source, Unreadable};

fn outcome(reading: Result<Reading, Unreadable>) -> Value {
    match reading {
        Ok(Reading::Reports(reports)) => {
            json!({ "reports": reports.items, "odd": reports.skipped })
        }
        Ok(Reading::Updates(updates)) => {
            json!({ "updates": updates.items, "odd": updates.skipped })
        }
        Ok(Reading::Ignored(why)) => json!({ "ignored": why }),
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
            insta::assert_json_snapshot!(name.as_str(), outcome(source.read(&Received { account: Some(&account), at, body: &body })));
        });
    });
}

#[test]
fn every_sample_yields_what_its_snapshot_says() {
    SOURCES.iter().copied().for_each(check);
}

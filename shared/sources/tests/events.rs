//! Snapshots of the parsed samples in `events/`. Every source needs samples; a new file is a new
//! test.

#![expect(clippy::panic, clippy::unwrap_used)]

use domain::core::id::AccountCode;
use domain::core::timestamp::Timestamp;
use serde_json::{Value, json};
use sources::{Reading, Request, SOURCES, Unreadable};

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

#[test]
fn every_sample_matches_its_snapshot() {
    let account = AccountCode::parse("STORE001").unwrap();
    let at = Timestamp::parse("2026-01-20T04:45:30Z").unwrap();
    insta::glob!("../../../events", "*/*.json", |path| {
        let [name, file] = [path.parent().unwrap(), path]
            .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned());
        let source = sources::by_name(&name).unwrap_or_else(|| panic!("{name} is not in SOURCES"));
        let body = std::fs::read(path).unwrap();
        let parsed = source.parse(&Request::stored(Some(&account), &body), at);
        let outcome = outcome(parsed.map(|parsed| parsed.reading));
        let mut settings = insta::Settings::clone_current();
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.set_snapshot_suffix(file);
        settings.bind(|| insta::assert_json_snapshot!(name, outcome));
    });
}

#[test]
fn every_source_has_samples() {
    for source in SOURCES {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events").to_owned();
        let folder = format!("{folder}/{}", source.name().as_str());
        let mut files = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        let is_sample = files.any(|file| file.path().extension().is_some_and(|it| it == "json"));
        assert!(is_sample, "add sample bodies to {folder}");
    }
}

//! Snapshots of the parsed samples in `events/`. Every source needs samples; a new file is a new
//! test.

#![expect(clippy::panic, clippy::unwrap_used)]

use domain::core::id::AccountCode;
use domain::core::timestamp::Timestamp;
use serde_json::{Value, json};
use sources::{Parsed, Reading, Request, SOURCES, Unreadable};

fn outcome(parsed: Result<Parsed, Unreadable>) -> Value {
    let parsed = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return json!({ "unreadable": error.to_string() }),
    };
    let dedup_key = format!("{:?}", parsed.dedup_key);
    match parsed.reading {
        Reading::Reports(reports) => {
            json!({ "dedup_key": dedup_key, "reports": reports.items, "skipped": reports.skipped })
        }
        Reading::Updates(updates) => {
            json!({ "dedup_key": dedup_key, "updates": updates.items, "skipped": updates.skipped })
        }
        Reading::Ignored(reason) => json!({ "dedup_key": dedup_key, "ignored": reason.as_str() }),
    }
}

/// eSahayak repeats the body's type in a header, which decides the dedup key.
fn type_header(body: &[u8]) -> Option<(&'static str, String)> {
    let body: Value = serde_json::from_slice(body).ok()?;
    Some(("x-esahayak-event", body["type"].as_str()?.to_owned()))
}

#[test]
fn every_sample_matches_its_snapshot() {
    let account = AccountCode::parse("STORE001").unwrap();
    let at = Timestamp::parse("2026-01-20T04:45:30Z").unwrap();
    insta::glob!("../../../events", "*/*.json", |path| {
        let [name, file] = [path.parent().unwrap(), path]
            .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned());
        // No bodies: each file is a story of several requests.
        if name == "field" {
            return;
        }
        let source = sources::by_name(&name).unwrap_or_else(|| panic!("{name} is not in SOURCES"));
        let body = std::fs::read(path).unwrap();
        let headers = type_header(&body);
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let request = Request { headers: &headers, ..Request::stored(Some(&account), &body) };
        let outcome = outcome(source.parse(&request, at));
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

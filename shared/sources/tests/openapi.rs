//! openapi.yaml lists every source of [`SOURCES`].

#![expect(clippy::panic, clippy::unwrap_used)]

use std::fs;

use domain::core::timestamp::Timestamp;
use sources::{Reading, Request, SOURCES, Source};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// Checks for lines that end like this, and says which ones are missing from which place.
fn require(expected: &[(&str, String)]) {
    let openapi = fs::read_to_string(format!("{ROOT}/openapi.yaml")).unwrap();
    let missing = |end: &str| !openapi.lines().any(|line| line.trim().ends_with(end));
    let missing: Vec<String> = expected
        .iter()
        .filter(|(_, end)| missing(end))
        .map(|(place, end)| format!("in openapi.yaml, {place} must have `{end}`"))
        .collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

fn names(sources: impl Iterator<Item = &'static &'static dyn Source>) -> String {
    sources.map(|source| source.name().as_str().to_owned() + ", ").collect()
}

/// True if one of the source's samples is a report.
fn sends_reports(source: &dyn Source) -> bool {
    let folder = format!("{ROOT}/events/{}", source.name().as_str());
    let files = fs::read_dir(&folder).unwrap_or_else(|_| panic!("add sample bodies to {folder}"));
    let files = files.map(|file| file.unwrap().path()).filter(|file| file.is_file());
    files.map(|file| fs::read(file).unwrap()).any(|body| {
        let parsed = source.parse(&Request::stored(None, &body), Timestamp::EPOCH);
        parsed.is_ok_and(|parsed| matches!(parsed.reading, Reading::Reports(_)))
    })
}

#[test]
fn lists_every_source() {
    let paths: Vec<&str> = SOURCES.iter().map(|source| source.path()).collect();
    let reporting = names(SOURCES.iter().filter(|source| sends_reports(**source)));
    require(&[
        ("path parameter `source`", format!("enum: [{}]}}", paths.join(", "))),
        ("schema `EventSource`", format!("enum: [{}api]", names(SOURCES.iter()))),
        ("schema `SourceName`", format!("enum: [{reporting}api]")),
    ]);
}

#[test]
fn lists_every_source_with_order_refs() {
    for source in sources::ref_sources() {
        let name = source.as_str();
        require(&[
            ("schema `Refs`", format!("{name}: {{$ref: \"#/components/schemas/Id\"}}")),
            (
                "`refs` of a new order",
                format!("{name}: {{$ref: \"#/components/schemas/IdOrNumber\"}}"),
            ),
            (
                "`refs` of a patch",
                format!("{name}: {{$ref: \"#/components/schemas/NullableIdOrNumber\"}}"),
            ),
        ]);
    }
}

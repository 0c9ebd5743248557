//! openapi.yaml lists every source of [`SOURCES`].

#![expect(clippy::unwrap_used)]

use std::fs;

use domain::core::timestamp::Timestamp;
use sources::{Reading, Request, SOURCES, Source};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

fn require(lines: &str, place: &str) {
    let openapi = fs::read_to_string(format!("{ROOT}/openapi.yaml")).unwrap();
    assert!(
        openapi.lines().any(|line| line.trim().ends_with(lines)),
        "{place} in openapi.yaml must have `{lines}`"
    );
}

fn names(sources: impl Iterator<Item = &'static &'static dyn Source>) -> String {
    sources.map(|source| source.name().as_str().to_owned() + ", ").collect()
}

/// True if one of the source's samples is a report.
fn sends_reports(source: &dyn Source) -> bool {
    let folder = format!("{ROOT}/events/{}", source.name().as_str());
    let files = fs::read_dir(&folder).unwrap_or_else(|_| panic!("add sample bodies to {folder}"));
    files.map(|file| fs::read(file.unwrap().path()).unwrap()).any(|body| {
        let parsed = source.parse(&Request::stored(None, &body), Timestamp::EPOCH);
        parsed.is_ok_and(|parsed| matches!(parsed.reading, Reading::Reports(_)))
    })
}

#[test]
fn lists_every_source() {
    let paths: Vec<&str> = SOURCES.iter().map(|source| source.path()).collect();
    require(&format!("enum: [{}]}}", paths.join(", ")), "path parameter `source`");
    require(&format!("enum: [{}api]", names(SOURCES.iter())), "schema `EventSource`");
    let reporting = names(SOURCES.iter().filter(|source| sends_reports(**source)));
    require(&format!("enum: [{reporting}api]"), "schema `SourceName`");
}

#[test]
fn lists_every_source_with_order_refs() {
    for source in sources::with_order_refs() {
        let name = source.as_str();
        require(&format!("{name}: {{$ref: \"#/components/schemas/Id\"}}"), "schema `Refs`");
        require(&format!("{name}: {{type: [string, number]}}"), "`refs` of a new order");
        require(&format!("{name}: {{type: [string, number, \"null\"]}}"), "`refs` of a patch");
    }
}

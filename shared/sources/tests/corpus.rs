//! Runs the fuzz targets on their corpora with the stable compiler, as regression tests.

#![expect(clippy::expect_used, clippy::panic, clippy::unwrap_used, unreachable_pub)]

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

#[path = "../../../tests/fuzz/src/lib.rs"]
mod fuzz;

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fuzz/corpus");

fn names(folder: &Path) -> Vec<String> {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn every_target_accepts_its_corpus() {
    for (target, run) in fuzz::TARGETS {
        let folder = Path::new(CORPUS).join(target);
        let inputs = names(&folder);
        assert!(!inputs.is_empty(), "{target} has no corpus");
        for input in inputs {
            let bytes = fs::read(folder.join(&input)).unwrap();
            assert!(catch_unwind(|| run(&bytes)).is_ok(), "{target} failed on {input}");
        }
    }
}

#[test]
fn every_corpus_has_a_target() {
    assert_eq!(names(Path::new(CORPUS)), fuzz::TARGETS.map(|(target, _)| target));
}

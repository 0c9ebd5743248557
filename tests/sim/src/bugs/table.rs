//! The table of planted bugs in docs/planted-bugs.md, and the runs that it names.

use std::fmt::Write;

use super::Bug;
use super::hunt::Find;

const INTRODUCTION: &str = "\
# Planted bugs

`make bugs` writes this file. The simulation (`tests/sim`) can make each of these mistakes, and must
find every one: `make test` runs the seed of each again, with the bug and without it. A seed is the
smallest that finds the bug and finds nothing without it. `cargo run --profile sim -p sim -- bug BUG
SEED` tells its story.

The functions have no switch for the mistakes. `tests/sim/src/bugs` changes what a function would do
on the wire: its calls and what it makes of the answers, its POSTs, its template. Another bug is an
entry in `bugs.rs`, with the mistake as its comment and parts of what the judge must say as its strings,
and a small change in one of those files: `calls.rs` has requests, `effects.rs` answers, `posts.rs`
POSTs, `deployment.rs` the template, `invocations.rs` the clock and the handlers' answers. Then
`make bugs`, also after a change that makes other things happen in the runs.

| bug | mistake | seed | found as |
|---|---|---|---|
";

/// The file with these finds.
pub fn render(finds: &[Find]) -> String {
    let mut text = INTRODUCTION.to_owned();
    for Find { bug, seed, violation } in finds {
        let mistake = words(bug.mistake());
        let violation = shortened(violation);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "| {bug} | {mistake} | {seed} | {violation} |");
    }
    text
}

/// The bugs of the file with their seeds.
pub fn read(text: &str) -> Vec<(Bug, u64)> {
    let rows = text.lines().filter_map(|line| line.strip_prefix("| "));
    let rows = rows.filter_map(|row| {
        let mut cells = row.split(" | ");
        let bug = Bug::parse(cells.next()?)?;
        Some((bug, cells.nth(1)?.parse().ok()?))
    });
    rows.collect()
}

/// On one line.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A cell without the answer's body or a long list.
fn shortened(violation: &str) -> String {
    let text = words(violation).replace('|', "/");
    match text.char_indices().nth(110) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_seeds_that_it_wrote() {
        let find = |bug, seed| Find { bug, seed, violation: "a | b\nc".repeat(40) };
        let finds = [find(Bug::FreshBody, 3), find(Bug::NameTakenOver, 1000)];
        assert_eq!(read(&render(&finds)), [(Bug::FreshBody, 3), (Bug::NameTakenOver, 1000)]);
        assert_eq!(read(&render(&[])), []);
    }
}

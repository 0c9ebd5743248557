//! The table of `docs/budget.md`, which is the budget.

use std::path::Path;

use crate::support::Usage;

/// In percent.
const SLACK: f64 = 5.0;

/// A row's cells: operation, calls, read units, write units, requests of SQS.
type Row = [String; 5];

/// Panics if the measured operations do not match the budget.
pub fn check(measured: &[(&'static str, Usage)]) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/budget.md");
    let budget = rows(&std::fs::read_to_string(file).unwrap());
    let measured: Vec<Row> = measured.iter().map(|(name, usage)| row(name, usage)).collect();
    let problems = problems(&budget, &measured);
    let table: String = measured.iter().map(|row| format!("| {} |\n", row.join(" | "))).collect();
    assert!(
        problems.is_empty(),
        "{}\nThe rows of docs/budget.md as measured:\n\n{table}",
        problems.join("\n")
    );
}

/// The rows of the first table, without its head.
fn rows(page: &str) -> Vec<Row> {
    let lines = page.lines().skip_while(|line| !line.starts_with("|---")).skip(1);
    let lines = lines.take_while(|line| line.starts_with('|'));
    lines.map(|line| cells(line).unwrap_or_else(|| panic!("five cells: {line}"))).collect()
}

fn cells(line: &str) -> Option<Row> {
    let cells = line.strip_prefix('|')?.strip_suffix('|')?.split('|');
    cells.map(|cell| cell.trim().to_owned()).collect::<Vec<_>>().try_into().ok()
}

fn row(name: &str, usage: &Usage) -> Row {
    let calls = usage.calls.iter().map(|(operation, count)| match count {
        1 => operation.clone(),
        count => format!("{count} × {operation}"),
    });
    let calls = calls.collect::<Vec<_>>().join(", ");
    let reads = format!("{}", usage.half_reads as f64 / 2.0);
    [name.to_owned(), calls, reads, usage.writes.to_string(), usage.sqs_requests.to_string()]
}

fn problems(budget: &[Row], measured: &[Row]) -> Vec<String> {
    let names = |rows: &[Row]| rows.iter().map(|row| row[0].clone()).collect::<Vec<_>>();
    if names(budget) != names(measured) {
        return vec!["docs/budget.md has other operations than this test".to_owned()];
    }
    let pairs = budget.iter().zip(measured);
    pairs.flat_map(|(budget, measured)| row_problems(budget, measured)).collect()
}

fn row_problems(budget: &Row, measured: &Row) -> Vec<String> {
    let name = &budget[0];
    let mut problems = Vec::new();
    if budget[1] != measured[1] {
        problems.push(format!("{name}: calls are {}, not {}", measured[1], budget[1]));
    }
    for (column, unit) in [(2, "read units"), (3, "write units"), (4, "SQS requests")] {
        let number = |row: &Row| row[column].parse::<f64>().unwrap();
        let (allowed, used) = (number(budget), number(measured));
        if used > allowed * (1.0 + SLACK / 100.0) {
            problems.push(format!("{name}: {used} {unit} are above the budget of {allowed}"));
        } else if used < allowed * (1.0 - SLACK / 100.0) {
            problems.push(format!("{name}: lower the budget from {allowed} to {used} {unit}"));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows_of(writes: &str) -> Vec<Row> {
        rows(&format!(
            "text\n\n| operation | calls | R | W | SQS |\n|---|---|--:|--:|--:|\n\
             | deliver | 2 × UpdateItem | 1.5 | {writes} | 0 |\n\nmore\n\n| a | b |\n"
        ))
    }

    #[test]
    fn reads_what_it_writes() {
        let calls = [("UpdateItem".to_owned(), 2)].into();
        let usage = Usage { calls, half_reads: 3, writes: 4, sqs_requests: 0 };
        assert_eq!(rows_of("4"), [row("deliver", &usage)]);
    }

    #[test]
    fn allows_five_percent_either_way() {
        for (used, expected) in [
            ("94", Some("deliver: lower the budget from 100 to 94 write units")),
            ("95", None),
            ("105", None),
            ("106", Some("deliver: 106 write units are above the budget of 100")),
        ] {
            let problems = problems(&rows_of("100"), &rows_of(used));
            assert_eq!(problems, expected.into_iter().collect::<Vec<_>>(), "{used}");
        }
    }

    #[test]
    fn rejects_other_calls_and_other_operations() {
        let mut measured = rows_of("4");
        measured[0][1] = "3 × UpdateItem".to_owned();
        let expected = "deliver: calls are 3 × UpdateItem, not 2 × UpdateItem";
        assert_eq!(problems(&rows_of("4"), &measured), [expected]);
        measured[0][0] = "poll".to_owned();
        assert_eq!(problems(&rows_of("4"), &measured).len(), 1);
        assert_eq!(problems(&rows_of("4"), &[]).len(), 1);
    }
}

//! The table of a run, and its figures as JSON.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use serde_json::{Value, json};

pub(super) struct Row {
    pub(super) name: String,
    pub(super) times: Vec<Times>,
    pub(super) peak_kib: u64,
    /// Bytes of the program.
    pub(super) program: u64,
    /// AWS calls of the two events, by operation.
    pub(super) calls: BTreeMap<String, u64>,
}

/// Of one start.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    /// From the start to the first request for an event.
    pub(super) init: Duration,
    pub(super) first: Duration,
    pub(super) second: Duration,
}

const HEAD: &str = "\
| program | start → first `/next`, ms | ratio | first answer, ms | second answer, ms | peak memory, MiB | program, MiB |
|---|--:|--:|--:|--:|--:|--:|
";

/// Times are minimum / median / maximum. The ratio is that of the median to the first row's.
pub(super) fn table(rows: &[Row]) -> String {
    let init = |row: &Row| median(row.column(|it| it.init));
    let bare = rows.first().map_or(1.0, init);
    let mut table = HEAD.to_owned();
    for row in rows {
        // Writing to a string cannot fail.
        let _ = writeln!(
            table,
            "| `{}` | {} | {:.1} | {} | {} | {:.1} | {:.1} |",
            row.name,
            spread(&row.column(|it| it.init)),
            init(row) / bare,
            spread(&row.column(|it| it.first)),
            spread(&row.column(|it| it.second)),
            row.peak_kib as f64 / 1024.0,
            row.program as f64 / (1024.0 * 1024.0),
        );
    }
    table
}

pub(super) fn to_json(rows: &[Row]) -> Value {
    let of = |row: &Row| {
        let column = |of: fn(&Times) -> Duration| Value::from(row.column(of));
        json!({
            "name": row.name, "peak_kib": row.peak_kib, "program_bytes": row.program,
            "calls": row.calls, "init_ms": column(|it| it.init),
            "first_ms": column(|it| it.first), "second_ms": column(|it| it.second),
        })
    };
    json!({ "cold": rows.iter().map(of).collect::<Vec<_>>() })
}

impl Row {
    /// In milliseconds, ascending.
    fn column(&self, of: fn(&Times) -> Duration) -> Vec<f64> {
        let mut times: Vec<Duration> = self.times.iter().map(of).collect();
        times.sort_unstable();
        times.iter().map(|time| time.as_secs_f64() * 1000.0).collect()
    }
}

fn median(ascending: Vec<f64>) -> f64 {
    ascending.get(ascending.len() / 2).copied().unwrap_or_default()
}

fn spread(ascending: &[f64]) -> String {
    let end = |it: Option<&f64>| it.copied().unwrap_or_default();
    let (min, max) = (end(ascending.first()), end(ascending.last()));
    format!("{min:.1} / {:.1} / {max:.1}", median(ascending.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, init: [u64; 3]) -> Row {
        let ms = Duration::from_millis;
        let times = init.map(|it| Times { init: ms(it), first: ms(it + 1), second: ms(1) });
        Row {
            name: name.to_owned(),
            times: times.to_vec(),
            peak_kib: 1536,
            program: 3 << 20,
            calls: BTreeMap::new(),
        }
    }

    #[test]
    fn compares_medians_with_the_first_row() {
        let table = table(&[row("bare", [4, 2, 9]), row("own", [10, 12, 6])]);
        let rows: Vec<&str> = table.lines().skip(2).collect();
        assert_eq!(
            rows,
            [
                "| `bare` | 2.0 / 4.0 / 9.0 | 1.0 | 3.0 / 5.0 / 10.0 | 1.0 / 1.0 / 1.0 | 1.5 | 3.0 |",
                "| `own` | 6.0 / 10.0 / 12.0 | 2.5 | 7.0 / 11.0 / 13.0 | 1.0 / 1.0 / 1.0 | 1.5 | 3.0 |",
            ]
        );
    }

    #[test]
    fn has_every_start_in_the_report() {
        let report = to_json(&[row("own", [1, 3, 2])]);
        assert_eq!(report["cold"][0]["init_ms"], json!([1.0, 2.0, 3.0]));
    }
}

//! The table of cold starts, and its figures as JSON.

use std::fmt::Write;
use std::time::Duration;

use serde_json::{Value, json};

use super::FLOOR;
use crate::report::{Report, median, ms, spread};

pub(crate) struct Cold {
    pub(super) rows: Vec<Row>,
}

pub(super) struct Row {
    pub(super) program: String,
    /// The program makes the calls of this function.
    pub(super) floor_of: Option<&'static str>,
    pub(super) times: Vec<Times>,
    /// Of those that are compared with a floor.
    pub(super) at_full_speed: Vec<Times>,
    /// Size of the program.
    pub(super) bytes: u64,
    /// Requests of the first and of the second event.
    pub(super) calls: [usize; 2],
}

/// Of one start.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    /// From the start to the first request for an event.
    pub(super) init: Duration,
    pub(super) first: Duration,
    pub(super) second: Duration,
    pub(super) peak_kib: u64,
}

/// A first answer may take twice as long as the second, and so many milliseconds.
const ALLOWANCE: f64 = 5.0;

const HEAD: &str = "\
| program | start → first `/next`, ms | ÷ bare | first answer, ms | second answer, ms | first ÷ (2 × second + 5 ms) | ÷ floor at full speed, first / second | peak memory, MiB | program, MiB |
|---|--:|--:|--:|--:|--:|--:|--:|--:|
";

impl Cold {
    /// Times are minimum / median / maximum; ratios are those of medians.
    pub(crate) fn table(&self) -> String {
        let mut table = HEAD.to_owned();
        for row in &self.rows {
            let over_floor = self
                .over_floor(row)
                .map_or(String::new(), |[first, second]| format!("{first:.1} / {second:.1}"));
            // Writing to a string cannot fail.
            let _ = writeln!(
                table,
                "| {} | {} | {:.1} | {} | {} | {:.2} | {over_floor} | {:.1} | {:.1} |",
                row.name(),
                spread(&row.column(|it| it.init)),
                self.over_bare(row),
                spread(&row.column(|it| it.first)),
                spread(&row.column(|it| it.second)),
                row.over_bar(),
                row.peak_kib() as f64 / 1024.0,
                row.bytes as f64 / (1024.0 * 1024.0),
            );
        }
        table
    }

    pub(crate) fn add_to(&self, report: &mut Report) {
        report.add("cold", self.rows.iter().map(Row::to_json).collect());
        for row in &self.rows {
            let name = row.name().replace('`', "");
            report.ratio(format!("cold: init of {name} to bare"), self.over_bare(row));
            for (event, ratio) in
                ["first", "second"].iter().zip(self.over_floor(row).into_iter().flatten())
            {
                report.ratio(format!("cold: {event} answer of {name} to floor"), ratio);
            }
        }
        report.print("Cold starts", &self.table());
    }

    /// The median start, by that of the first row.
    fn over_bare(&self, row: &Row) -> f64 {
        let init = |row: &Row| median(&row.column(|it| it.init));
        init(row) / self.rows.first().map_or(1.0, init)
    }

    /// The first and the second answer, by those of the floor, both with a full processor.
    fn over_floor(&self, row: &Row) -> Option<[f64; 2]> {
        let is_floor = |it: &&Row| it.program == FLOOR && it.floor_of == Some(row.program.as_str());
        let floor = self.rows.iter().find(is_floor)?;
        let time = |row: &Row, of| median(&ms(row.at_full_speed.iter().map(of)));
        let over = |of: fn(&Times) -> Duration| time(row, of) / time(floor, of);
        Some([over(|it| it.first), over(|it| it.second)])
    }
}

impl Row {
    fn name(&self) -> String {
        match self.floor_of {
            Some(function) => format!("`{}`: the calls of `{function}` alone", self.program),
            None => format!("`{}`", self.program),
        }
    }

    /// In milliseconds, ascending.
    fn column(&self, of: fn(&Times) -> Duration) -> Vec<f64> {
        ms(self.times.iter().map(of))
    }

    fn over_bar(&self) -> f64 {
        let (first, second) =
            (median(&self.column(|it| it.first)), median(&self.column(|it| it.second)));
        first / (2.0 * second + ALLOWANCE)
    }

    fn peak_kib(&self) -> u64 {
        self.times.iter().map(|it| it.peak_kib).max().unwrap_or_default()
    }

    fn to_json(&self) -> Value {
        json!({
            "program": self.program, "floor_of": self.floor_of, "peak_kib": self.peak_kib(),
            "program_bytes": self.bytes, "calls": self.calls, "init_ms": self.column(|it| it.init),
            "first_ms": self.column(|it| it.first), "second_ms": self.column(|it| it.second),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(program: &str, floor_of: Option<&'static str>, init: [u64; 3]) -> Row {
        let ms = Duration::from_millis;
        let times =
            init.map(|it| Times { init: ms(it), first: ms(it + 1), second: ms(1), peak_kib: 1536 });
        Row {
            program: program.to_owned(),
            floor_of,
            times: times.to_vec(),
            at_full_speed: times.to_vec(),
            bytes: 3 << 20,
            calls: [2, 1],
        }
    }

    #[test]
    fn compares_medians_with_the_first_row_and_with_the_floor() {
        let rows = vec![
            row("bare", None, [4, 2, 9]),
            row("floor", Some("own"), [4, 2, 9]),
            row("own", None, [10, 12, 6]),
        ];
        let table = Cold { rows }.table();
        let rows: Vec<&str> = table.lines().skip(3).collect();
        assert_eq!(
            rows,
            [
                "| `floor`: the calls of `own` alone | 2.0 / 4.0 / 9.0 | 1.0 | 3.0 / 5.0 / 10.0 \
                 | 1.0 / 1.0 / 1.0 | 0.71 |  | 1.5 | 3.0 |",
                "| `own` | 6.0 / 10.0 / 12.0 | 2.5 | 7.0 / 11.0 / 13.0 | 1.0 / 1.0 / 1.0 | 1.57 \
                 | 2.2 / 1.0 | 1.5 | 3.0 |",
            ]
        );
    }
}

//! The tables of warm functions, and their figures as JSON.

use std::fmt::Write;
use std::time::Duration;

use serde_json::{Value, json};

use crate::report::{Report, ms, percentile};

pub(crate) struct Warm {
    pub(super) rates: Vec<Rate>,
}

pub(super) struct Rate {
    pub(super) per_second: u32,
    pub(super) functions: Vec<Work>,
    /// From the hand-over of a webhook to the arrival of its POST.
    pub(super) delivered: Vec<Duration>,
}

/// Of the events of a function.
pub(super) struct Work {
    pub(super) name: &'static str,
    pub(super) times: Vec<Duration>,
    /// Processor time of an event.
    pub(super) cpu: Duration,
    pub(super) processes: usize,
}

const HEAD: &str = "\
| webhooks/s | step | p50, ms | p95, ms | p99, ms | processor time, ms | processes |
|--:|---|--:|--:|--:|--:|--:|
";

impl Warm {
    pub(crate) fn add_to(&self, report: &mut Report) {
        report.add("warm", self.rates.iter().map(Rate::to_json).collect());
        let mut table = HEAD.to_owned();
        self.rates.iter().for_each(|rate| rate.add_to(&mut table));
        report.print("Warm functions", &table);
    }
}

impl Rate {
    fn add_to(&self, table: &mut String) {
        let rate = self.per_second;
        for Work { name, times, cpu, processes } in &self.functions {
            let cpu = cpu.as_secs_f64() * 1000.0;
            let times = percentiles(times);
            // Writing to a string cannot fail.
            let _ = writeln!(table, "| {rate} | `{name}` | {times} | {cpu:.1} | {processes} |");
        }
        let times = percentiles(&self.delivered);
        let _ = writeln!(table, "| {rate} | webhook → POST | {times} | | |");
    }

    fn to_json(&self) -> Value {
        let work = |it: &Work| {
            json!({
                "name": it.name, "cpu_ms": it.cpu.as_secs_f64() * 1000.0,
                "processes": it.processes, "times_ms": summary(&it.times),
            })
        };
        json!({
            "per_second": self.per_second, "delivered_ms": summary(&self.delivered),
            "functions": self.functions.iter().map(work).collect::<Vec<_>>(),
        })
    }
}

fn percentiles(times: &[Duration]) -> String {
    let times = ms(times.iter().copied());
    let [p50, p95, p99] = [50, 95, 99].map(|percent| percentile(&times, percent));
    format!("{p50:.1} | {p95:.1} | {p99:.1}")
}

fn summary(times: &[Duration]) -> Value {
    let times = ms(times.iter().copied());
    let of = |percent| percentile(&times, percent);
    json!({ "count": times.len(), "p50": of(50), "p95": of(95), "p99": of(99) })
}

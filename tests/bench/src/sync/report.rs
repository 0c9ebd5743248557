//! The results as a table and as JSON.

use serde_json::{Value, json};

use crate::sync::cost::{Dollars, gb_seconds};
use crate::sync::rate_limited::{CALLS_PER_SECOND, max_usage, seconds};
use crate::sync::run::Outcome;

/// A label, and the value for an outcome.
type Line = (&'static str, fn(&Outcome) -> String);

const LINES: [Line; 16] = [
    ("calls of Shipway", |outcome| grouped(outcome.usage.carrier_calls)),
    ("fewest possible calls", |outcome| grouped(outcome.fewest_calls)),
    ("duration at 5 calls a second", |outcome| duration(seconds(outcome.usage.carrier_calls))),
    ("reports in poll results (5 % of orders)", |outcome| grouped(outcome.usage.reports)),
    ("DynamoDB Query", |outcome| grouped(sum(outcome, &["DynamoDB:Query"]))),
    ("DynamoDB GetItem and BatchGetItem", |outcome| {
        grouped(sum(outcome, &["DynamoDB:GetItem", "DynamoDB:BatchGetItem"]))
    }),
    ("DynamoDB UpdateItem and PutItem", |outcome| {
        grouped(sum(outcome, &["DynamoDB:UpdateItem", "DynamoDB:PutItem"]))
    }),
    ("DynamoDB TransactWriteItems", |outcome| {
        grouped(sum(outcome, &["DynamoDB:TransactWriteItems"]))
    }),
    ("DynamoDB read units / write units", |outcome| {
        format!(
            "{} / {}",
            grouped(outcome.usage.half_reads.div_ceil(2)),
            grouped(outcome.usage.writes)
        )
    }),
    ("SQS requests", |outcome| grouped(outcome.usage.sqs_requests)),
    ("Lambda invocations", |outcome| grouped(outcome.usage.invocations)),
    ("GB-s, if all answer at once", |outcome| gb_seconds(outcome.usage.billed_ms)),
    ("AWS cost, if all answer at once", |outcome| format!("${}", Dollars::of(&outcome.usage))),
    ("AWS cost at 5 calls a second, at most", |outcome| {
        format!("${}", Dollars::of(&max_usage(&outcome.usage)))
    }),
    ("measured duration, if all answer at once", |outcome| {
        format!("{}.{} s", outcome.wall.as_secs(), outcome.wall.subsec_millis() / 100)
    }),
    ("peak memory of `sync`, `poll`", |outcome| {
        format!("{}, {} MiB", mib(outcome.peak_kib("sync")), mib(outcome.peak_kib("poll")))
    }),
];

/// In Markdown.
pub(crate) fn table(outcomes: &[Outcome]) -> String {
    let sizes: Vec<String> = outcomes.iter().map(|outcome| grouped(outcome.orders)).collect();
    let mut rows =
        vec![row("active orders", &sizes), format!("|---|{}", "--:|".repeat(outcomes.len()))];
    rows.extend(
        LINES
            .iter()
            .map(|(name, value)| row(name, &outcomes.iter().map(value).collect::<Vec<_>>())),
    );
    rows.join("\n")
}

fn row(name: &str, cells: &[String]) -> String {
    format!("| {name} | {} |", cells.join(" | "))
}

pub(crate) fn to_json(outcomes: &[Outcome]) -> Value {
    outcomes.iter().map(outcome_to_json).collect()
}

fn outcome_to_json(outcome: &Outcome) -> Value {
    let usage = &outcome.usage;
    json!({
        "orders": outcome.orders,
        "carrier_calls": usage.carrier_calls,
        "fewest_calls": outcome.fewest_calls,
        "claims": usage.reports,
        "calls": usage.calls,
        "read_units": usage.half_reads.div_ceil(2),
        "write_units": usage.writes,
        "sqs_requests": usage.sqs_requests,
        "invocations": usage.invocations,
        "billed_ms": usage.billed_ms,
        "gb_seconds": gb_seconds(usage.billed_ms),
        "log_bytes": usage.log_bytes,
        "aws_dollars": Dollars::of(usage).to_string(),
        "paced": {
            "calls_per_second": CALLS_PER_SECOND,
            "seconds": seconds(usage.carrier_calls),
            "aws_dollars_at_most": Dollars::of(&max_usage(usage)).to_string(),
        },
        "wall_ms": u64::try_from(outcome.wall.as_millis()).unwrap_or(u64::MAX),
        "peak_kib": { "sync": outcome.peak_kib("sync"), "poll": outcome.peak_kib("poll") },
    })
}

fn sum(outcome: &Outcome, calls: &[&str]) -> u64 {
    calls.iter().filter_map(|call| outcome.usage.calls.get(*call)).sum()
}

/// With a comma between groups of three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let group = |(place, digit): (usize, char)| {
        let comma = place > 0 && (digits.len() - place).is_multiple_of(3);
        comma.then_some(',').into_iter().chain([digit])
    };
    digits.chars().enumerate().flat_map(group).collect()
}

fn duration(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

fn mib(kib: u64) -> String {
    format!("{}.{}", kib / 1024, kib % 1024 * 10 / 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_numbers_durations_and_sizes() {
        assert_eq!(
            [0, 999, 1000, 20_000, 1_234_567].map(grouped),
            ["0", "999", "1,000", "20,000", "1,234,567"]
        );
        assert_eq!([9, 403, 4000].map(duration), ["9 s", "6 min 43 s", "1 h 6 min"]);
        assert_eq!(mib(20 * 1024 + 512), "20.5");
    }
}

//! The AWS cost of a run in units of $1e-12, which make every price a whole number.
//!
//! List prices of `docs/prices.json`, without free tiers. Not included: `process` and `deliver`,
//! storage of rows and logs, and Lambda's polling of empty queues.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::sync::lambda::MEMORY_MB;
use crate::sync::usage::Usage;

const DOLLAR: u64 = 1_000_000_000_000;

static PRICES: LazyLock<Prices> = LazyLock::new(Prices::read);

#[derive(Deserialize)]
struct PriceList {
    dollars_per_million: BTreeMap<String, String>,
    dollars_per_gb: BTreeMap<String, String>,
}

/// Of one unit each.
struct Prices {
    write: u64,
    half_read: u64,
    sqs_request: u64,
    invocation: u64,
    gb_second: u64,
    log_byte: u64,
}

#[expect(clippy::expect_used, reason = "the file is part of the program")]
impl Prices {
    fn read() -> Self {
        let text = include_str!("../../../../docs/prices.json");
        let list: PriceList = serde_json::from_str(text).expect("docs/prices.json has prices");
        let million = |name: &str| decimal(&list.dollars_per_million[name]) / 1_000_000;
        Self {
            write: million("dynamodb_write_unit"),
            half_read: million("dynamodb_read_unit") / 2,
            sqs_request: million("sqs_request"),
            invocation: million("lambda_request"),
            gb_second: million("lambda_gb_second"),
            log_byte: decimal(&list.dollars_per_gb["logs"]) / 1_000_000_000,
        }
    }
}

/// A price in dollars, e.g. `0.625`, in units of $1e-12.
#[expect(clippy::expect_used, reason = "the file is part of the program")]
fn decimal(price: &str) -> u64 {
    let (whole, fraction) = price.split_once('.').unwrap_or((price, ""));
    let fraction = format!("{fraction:0<12}");
    let digits = format!("{whole}{fraction}").parse();
    digits.expect("a price is a decimal with up to twelve places")
}

/// Lambda's own log lines of an invocation (`START`, `END`, `REPORT`), rounded up.
const PLATFORM_LOG_BYTES: u64 = 300;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Dollars(u64);

impl Dollars {
    pub(crate) fn of(usage: &Usage) -> Self {
        let units = [
            usage.half_reads * PRICES.half_read,
            usage.writes * PRICES.write,
            usage.sqs_requests * PRICES.sqs_request,
            usage.invocations * (PRICES.invocation + PLATFORM_LOG_BYTES * PRICES.log_byte),
            usage.log_bytes * PRICES.log_byte,
        ];
        Self(units.iter().sum::<u64>() + compute(usage.billed_ms))
    }

    /// In units of $1e-12.
    pub(crate) fn per_order(self, orders: u64) -> u64 {
        self.0 / orders.max(1)
    }
}

fn compute(ms: u64) -> u64 {
    ms * PRICES.gb_second / 1000 * MEMORY_MB / 1024
}

/// With one decimal.
pub(crate) fn gb_seconds(ms: u64) -> String {
    let tenths = ms * MEMORY_MB * 10 / 1024 / 1000;
    format!("{}.{}", tenths / 10, tenths % 10)
}

impl std::fmt::Display for Dollars {
    /// Rounded to hundredths of a cent.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let places = (self.0 + DOLLAR / 20_000) / (DOLLAR / 10_000);
        write!(f, "{}.{:04}", places / 10_000, places % 10_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn computes_costs_from_the_price_list() {
        let million = 1_000_000;
        let cost = |usage: Usage| Dollars::of(&usage).to_string();
        assert_eq!(cost(Usage { half_reads: 2 * million, ..Usage::default() }), "0.1250");
        assert_eq!(cost(Usage { writes: million, ..Usage::default() }), "0.6250");
        assert_eq!(cost(Usage { sqs_requests: million, ..Usage::default() }), "0.4000");
        // $0.20 for the invocations and $0.15 for 300 MB of logs.
        assert_eq!(cost(Usage { invocations: million, ..Usage::default() }), "0.3500");
        assert_eq!(cost(Usage { log_bytes: 2_000 * million, ..Usage::default() }), "1.0000");
        // 100,000 s of 256 MB are 25,000 GB-s.
        assert_eq!(cost(Usage { billed_ms: 100 * million, ..Usage::default() }), "0.4167");
        assert_eq!(gb_seconds(100 * million), "25000.0");
        assert_eq!(gb_seconds(1_000), "0.2");
    }
}

//! The AWS cost of a run in units of $1e-12, which make every price a whole number.
//!
//! List prices of us-east-1 in November 2026, without free tiers. Not included: `process` and
//! `deliver`, storage of rows and logs, and Lambda's polling of empty queues.

use crate::sync::lambda::MEMORY_MB;
use crate::sync::usage::Usage;

const DOLLAR: u64 = 1_000_000_000_000;
/// DynamoDB on demand: $0.625 per million write units.
const WRITE: u64 = 625_000;
/// DynamoDB on demand: $0.125 per million read units.
const HALF_READ: u64 = 62_500;
/// SQS standard queues: $0.40 per million requests.
const SQS_REQUEST: u64 = 400_000;
/// Lambda on x86_64: $0.20 per million invocations.
const INVOCATION: u64 = 200_000;
/// Lambda on x86_64: $0.0000166667 per GB-second.
const GB_SECOND: u64 = 16_666_700;
/// CloudWatch Logs: $0.50 per ingested GB.
const LOG_BYTE: u64 = DOLLAR / 2 / 1_000_000_000;
/// Lambda's own log lines of an invocation (`START`, `END`, `REPORT`), rounded up.
const PLATFORM_LOG_BYTES: u64 = 300;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Dollars(u64);

impl Dollars {
    pub(crate) fn of(usage: &Usage) -> Self {
        let units = [
            usage.half_reads * HALF_READ,
            usage.writes * WRITE,
            usage.sqs_requests * SQS_REQUEST,
            usage.invocations * (INVOCATION + PLATFORM_LOG_BYTES * LOG_BYTE),
            usage.log_bytes * LOG_BYTE,
        ];
        Self(units.iter().sum::<u64>() + compute(usage.billed_ms))
    }

    /// In units of $1e-12.
    pub(crate) fn per_order(self, orders: u64) -> u64 {
        self.0 / orders.max(1)
    }
}

fn compute(ms: u64) -> u64 {
    ms * GB_SECOND / 1000 * MEMORY_MB / 1024
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

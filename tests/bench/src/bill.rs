//! What AWS bills for a run, in millionths of a millionth of a dollar: everything is a whole number of those.
//!
//! List prices of us-east-1 as of November 2026, without free tiers. Not among them: what news lead to in `process` and
//! `deliver`, the storage of rows and logs, and Lambda's receiving from queues that are empty.

use crate::lambda::MEMORY_MB;
use crate::usage::Usage;

const DOLLAR: u64 = 1_000_000_000_000;
/// DynamoDB on demand: $0.625 a million write units,
const WRITE: u64 = 625_000;
/// and $0.125 a million read units.
const HALF_READ: u64 = 62_500;
/// SQS, standard queues: $0.40 a million requests.
const SQS_REQUEST: u64 = 400_000;
/// Lambda on x86_64: $0.20 a million invocations,
const INVOCATION: u64 = 200_000;
/// and $0.0000166667 a GB-second.
const GB_SECOND: u64 = 16_666_700;
/// CloudWatch Logs: $0.50 a GB taken in.
const LOG_BYTE: u64 = DOLLAR / 2 / 1_000_000_000;
/// What Lambda itself logs of an invocation (`START`, `END`, `REPORT`), rounded up.
const PLATFORM_LOG: u64 = 300;

/// An amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Dollars(u64);

impl Dollars {
    /// What usage is billed as.
    pub(crate) fn of(usage: &Usage) -> Self {
        let units = [
            usage.half_reads * HALF_READ,
            usage.writes * WRITE,
            usage.sqs_requests * SQS_REQUEST,
            usage.invocations * (INVOCATION + PLATFORM_LOG * LOG_BYTE),
            usage.log_bytes * LOG_BYTE,
        ];
        Self(units.iter().sum::<u64>() + compute(usage.billed_ms))
    }

    /// Divided by a number of orders, in millionths of a millionth of a dollar.
    pub(crate) fn per(self, orders: u64) -> u64 {
        self.0 / orders.max(1)
    }
}

fn compute(ms: u64) -> u64 {
    ms * GB_SECOND / 1000 * MEMORY_MB / 1024
}

/// Megabyte-milliseconds would be exact; people know GB-seconds, in tenths.
pub(crate) fn gb_seconds(ms: u64) -> String {
    let tenths = ms * MEMORY_MB * 10 / 1024 / 1000;
    format!("{}.{}", tenths / 10, tenths % 10)
}

impl std::fmt::Display for Dollars {
    /// To hundredths of a cent.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let places = (self.0 + DOLLAR / 20_000) / (DOLLAR / 10_000);
        write!(f, "{}.{:04}", places / 10_000, places % 10_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bill_is_what_the_price_list_says() {
        let million = 1_000_000;
        let bill = |usage: Usage| Dollars::of(&usage).to_string();
        assert_eq!(bill(Usage { half_reads: 2 * million, ..Usage::default() }), "0.1250");
        assert_eq!(bill(Usage { writes: million, ..Usage::default() }), "0.6250");
        assert_eq!(bill(Usage { sqs_requests: million, ..Usage::default() }), "0.4000");
        // 0.2 for themselves, 0.15 for 300 MB of logs.
        assert_eq!(bill(Usage { invocations: million, ..Usage::default() }), "0.3500");
        assert_eq!(bill(Usage { log_bytes: 2_000 * million, ..Usage::default() }), "1.0000");
        // 100,000 s of 256 MB are 25,000 GB-s.
        assert_eq!(bill(Usage { billed_ms: 100 * million, ..Usage::default() }), "0.4167");
        assert_eq!(gb_seconds(100 * million), "25000.0");
        assert_eq!(gb_seconds(1_000), "0.2");
    }
}

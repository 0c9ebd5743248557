//! Duration and usage of a run at the default rate limit, computed from a run without one.

use crate::sync::usage::Usage;

/// The default of Shipway's settings.
pub(crate) const CALLS_PER_SECOND: u64 = 5;
/// The maximum delay of an SQS message. A message that is due later is delayed a second time.
const MAX_DELAY_SECONDS: u64 = 900;
/// Concurrent workers.
const WORKERS: u64 = 2;

/// The duration of this many calls.
pub(crate) fn seconds(calls: u64) -> u64 {
    calls.div_ceil(CALLS_PER_SECOND)
}

/// The maximum usage at the rate limit if a call takes at most 0.4 s, a worker's share of the
/// rate: both workers are busy for the whole run, calling or waiting.
pub(crate) fn max_usage(measured: &Usage) -> Usage {
    let calls = measured.carrier_calls;
    let delayed = calls.saturating_sub(MAX_DELAY_SECONDS * CALLS_PER_SECOND);
    Usage {
        // A receive and a delay.
        sqs_requests: measured.sqs_requests + 2 * delayed,
        invocations: measured.invocations + delayed,
        billed_ms: measured.billed_ms + WORKERS * seconds(calls) * 1000,
        ..measured.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn computes_the_duration_from_the_calls() {
        assert_eq!([0, 1, 224, 20_000].map(seconds), [0, 1, 45, 4000]);
    }

    #[test]
    fn delays_messages_that_wait_longer_than_the_maximum_delay() {
        let limited = |calls| {
            let usage =
                max_usage(&Usage { carrier_calls: calls, billed_ms: 7, ..Usage::default() });
            (usage.sqs_requests, usage.invocations, usage.billed_ms)
        };
        assert_eq!(limited(4500), (0, 0, 1_800_007));
        assert_eq!(limited(20_000), (31_000, 15_500, 8_000_007));
    }
}

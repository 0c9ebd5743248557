//! A run at the rate that it has in production, of which the measured run knows nothing: it calls as fast as it can.

use crate::usage::Usage;

/// What Shipway's settings say unless they say something else.
pub(crate) const CALLS_PER_SECOND: u64 = 5;
/// SQS keeps a message back for so long. Who receives it before its time puts it off once more.
const LONGEST_DELAY_SECONDS: u64 = 900;
/// So many workers poll.
const WORKERS: u64 = 2;

/// How long that many calls take.
pub(crate) fn seconds(calls: u64) -> u64 {
    calls.div_ceil(CALLS_PER_SECOND)
}

/// The most that the measured run would take at that rate, as long as a call takes no longer than a worker's share of
/// it, 0.4 s: both workers are busy from its beginning to its end, calling or keeping their pace.
pub(crate) fn at_most(measured: &Usage) -> Usage {
    let calls = measured.carrier_calls;
    let put_off = calls.saturating_sub(LONGEST_DELAY_SECONDS * CALLS_PER_SECOND);
    Usage {
        // Received, and put off.
        sqs_requests: measured.sqs_requests + 2 * put_off,
        invocations: measured.invocations + put_off,
        billed_ms: measured.billed_ms + WORKERS * seconds(calls) * 1000,
        ..measured.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_lasts_as_long_as_its_calls() {
        assert_eq!([0, 1, 224, 20_000].map(seconds), [0, 1, 45, 4000]);
    }

    #[test]
    fn only_what_waits_longer_than_sqs_keeps_it_is_put_off() {
        let paced = |calls| {
            let usage = at_most(&Usage { carrier_calls: calls, billed_ms: 7, ..Usage::default() });
            (usage.sqs_requests, usage.invocations, usage.billed_ms)
        };
        assert_eq!(paced(4500), (0, 0, 1_800_007));
        assert_eq!(paced(20_000), (31_000, 15_500, 8_000_007));
    }
}

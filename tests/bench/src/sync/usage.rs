//! The billed usage of a run, counted as AWS counts.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// SQS bills each 64 KiB of content as a request.
const SQS_CHUNK: usize = 64 * 1024;

#[derive(Debug, Clone, Default)]
pub(crate) struct Usage {
    /// Calls by `Service:Operation`.
    pub(crate) calls: BTreeMap<String, u64>,
    /// DynamoDB read units, in halves.
    pub(crate) half_reads: u64,
    /// DynamoDB write units.
    pub(crate) writes: u64,
    /// Billed SQS requests, with Lambda's own receives and deletes.
    pub(crate) sqs_requests: u64,
    pub(crate) carrier_calls: u64,
    /// New reports in poll results.
    pub(crate) reports: u64,
    pub(crate) invocations: u64,
    /// Milliseconds of all functions, with each invocation rounded up and the start of processes.
    pub(crate) billed_ms: u64,
    /// Bytes of the functions' logs.
    pub(crate) log_bytes: u64,
    /// Unexpected calls and failures.
    pub(crate) faults: Vec<String>,
}

impl Usage {
    pub(crate) fn call(&mut self, service: &str, name: &str) {
        *self.calls.entry(format!("{service}:{name}")).or_default() += 1;
    }

    pub(crate) fn sqs_request(&mut self, bytes: usize) {
        self.sqs_requests += bytes.div_ceil(SQS_CHUNK).max(1) as u64;
    }

    /// Returns the number of the invocation.
    pub(crate) fn invoke(&mut self) -> u64 {
        self.invocations += 1;
        self.invocations
    }
}

/// The usage so far, shared by threads.
#[derive(Debug, Default)]
pub(crate) struct Meter(Mutex<Usage>);

impl Meter {
    pub(crate) fn count(&self) -> MutexGuard<'_, Usage> {
        lock(&self.0)
    }

    pub(crate) fn fault(&self, description: impl Into<String>) {
        self.count().faults.push(description.into());
    }
}

/// Ignores poisoning: a panic of another thread shows as a fault elsewhere.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bills_a_long_message_as_several_requests() {
        let requests = |bytes| {
            let mut usage = Usage::default();
            usage.sqs_request(bytes);
            usage.sqs_requests
        };
        assert_eq!([0, 1, 65_536, 65_537, 200_000].map(requests), [1, 1, 1, 2, 4]);
    }
}

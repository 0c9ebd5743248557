//! What a run takes of everything that AWS bills, counted as AWS counts.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// SQS bills each 64 KiB of a request's content as a request.
const SQS_CHUNK: usize = 64 * 1024;

/// What was taken.
#[derive(Debug, Clone, Default)]
pub(crate) struct Usage {
    /// Calls by service and name.
    pub(crate) calls: BTreeMap<String, u64>,
    /// Read units of DynamoDB, in halves.
    pub(crate) half_reads: u64,
    /// Write units of DynamoDB.
    pub(crate) writes: u64,
    /// Requests to SQS as billed, those of Lambda's own receiving and deleting among them.
    pub(crate) sqs_requests: u64,
    /// Calls to the carrier.
    pub(crate) carrier_calls: u64,
    /// Claims that were handed on as new.
    pub(crate) reports: u64,
    /// Times that a function was invoked.
    pub(crate) invocations: u64,
    /// Milliseconds of all functions together, each invocation rounded up and the start of each process among them.
    pub(crate) billed_ms: u64,
    /// Bytes of the functions' own logs.
    pub(crate) log_bytes: u64,
    /// What should not have happened.
    pub(crate) faults: Vec<String>,
}

impl Usage {
    /// PollCounts a call.
    pub(crate) fn call(&mut self, service: &str, name: &str) {
        *self.calls.entry(format!("{service}:{name}")).or_default() += 1;
    }

    /// PollCounts a request to SQS with so many bytes of content.
    pub(crate) fn sqs(&mut self, bytes: usize) {
        self.sqs_requests += bytes.div_ceil(SQS_CHUNK).max(1) as u64;
    }

    /// PollCounts an invocation; which one it is.
    pub(crate) fn invoke(&mut self) -> u64 {
        self.invocations += 1;
        self.invocations
    }
}

/// What has been taken so far, counted by many threads.
#[derive(Debug, Default)]
pub(crate) struct Meter(Mutex<Usage>);

impl Meter {
    /// To count something.
    pub(crate) fn count(&self) -> MutexGuard<'_, Usage> {
        lock(&self.0)
    }

    /// Notes what should not have happened.
    pub(crate) fn fault(&self, what: impl Into<String>) {
        self.count().faults.push(what.into());
    }
}

/// Whoever panicked while it held the lock has left a fault to be seen elsewhere.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_message_is_several_requests() {
        let requests = |bytes| {
            let mut usage = Usage::default();
            usage.sqs(bytes);
            usage.sqs_requests
        };
        assert_eq!([0, 1, 65_536, 65_537, 200_000].map(requests), [1, 1, 1, 2, 4]);
    }
}

//! Counts the requests to each endpoint, and reports them once an invocation.

use std::collections::BTreeMap;
use std::mem;
use std::sync::{Mutex, PoisonError};

use aws::tables::counters::Counters;
use aws::telemetry::Metrics;
use domain::core::id::EndpointName;
use domain::core::timestamp::Timestamp;
use domain::metrics::{DeliveryCounts, ResponseTimes};
use futures::future::join_all;

/// The invocation's counts so far.
#[derive(Default)]
pub(crate) struct Tally {
    endpoints: Mutex<BTreeMap<EndpointName, EndpointTally>>,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct EndpointTally {
    counts: DeliveryCounts,
    /// The response time of each request, in milliseconds.
    response_ms: Vec<u64>,
    /// From the acceptance of an event to the first request of each of its deliveries.
    first_request_ms: Vec<u64>,
}

impl Tally {
    /// Counts a request, which the endpoint took or not.
    pub(crate) fn request(
        &self,
        endpoint: &EndpointName,
        is_success: bool,
        is_retry: bool,
        response_ms: u64,
    ) {
        self.add(endpoint, |tally| {
            tally.counts += DeliveryCounts {
                total: 1,
                success: is_success.into(),
                errors: (!is_success).into(),
                retries: is_retry.into(),
                response_ms,
                response_times: ResponseTimes::of(response_ms),
                ..DeliveryCounts::default()
            };
            tally.response_ms.push(response_ms);
        });
    }

    pub(crate) fn first_request(&self, endpoint: &EndpointName, waited_ms: u64) {
        self.add(endpoint, |tally| tally.first_request_ms.push(waited_ms));
    }

    pub(crate) fn dead(&self, endpoint: &EndpointName) {
        self.add(endpoint, |tally| tally.counts.dead += 1);
    }

    pub(crate) fn parked(&self, endpoint: &EndpointName) {
        self.add(endpoint, |tally| tally.counts.parked += 1);
    }

    fn add(&self, endpoint: &EndpointName, add: impl FnOnce(&mut EndpointTally)) {
        let mut endpoints = self.endpoints.lock().unwrap_or_else(PoisonError::into_inner);
        add(endpoints.entry(endpoint.clone()).or_default());
    }

    /// Reports the counts as metrics and adds them to the hour's counters: one line and one write an
    /// endpoint. Then the tally is empty.
    pub(crate) async fn report(&self, counters: &Counters, now: Timestamp) {
        let endpoints =
            mem::take(&mut *self.endpoints.lock().unwrap_or_else(PoisonError::into_inner));
        let reports = endpoints.iter().map(async |(endpoint, tally)| {
            tally.metrics(endpoint).emit(now);
            counters.add_deliveries(endpoint, &tally.counts, now).await;
        });
        join_all(reports).await;
    }
}

impl EndpointTally {
    fn metrics(&self, endpoint: &EndpointName) -> Metrics {
        Metrics::by("Endpoint", endpoint.as_str())
            .count("Attempts", self.counts.total)
            .count("Successes", self.counts.success)
            .count("Failures", self.counts.errors)
            .count("Retries", self.counts.retries)
            .count("Dead", self.counts.dead)
            .count("Parked", self.counts.parked)
            .milliseconds("ResponseTime", &self.response_ms)
            .milliseconds("AcceptToFirstAttempt", &self.first_request_ms)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_each_endpoint_are_kept_apart() {
        let [a, b] = ["a", "b"].map(|name| EndpointName::parse(name).unwrap());
        let tally = Tally::default();
        tally.first_request(&a, 900);
        tally.request(&a, true, false, 20);
        tally.request(&a, false, true, 30);
        tally.dead(&a);
        tally.parked(&b);
        let endpoints = tally.endpoints.into_inner().unwrap();
        let mut response_times = ResponseTimes::of(20);
        response_times += ResponseTimes::of(30);
        let counts = DeliveryCounts {
            total: 2,
            success: 1,
            errors: 1,
            retries: 1,
            dead: 1,
            parked: 0,
            response_ms: 50,
            response_times,
        };
        let of_a = EndpointTally { counts, response_ms: vec![20, 30], first_request_ms: vec![900] };
        assert_eq!(endpoints[&a], of_a);
        let counts = DeliveryCounts { parked: 1, ..DeliveryCounts::default() };
        assert_eq!(endpoints[&b], EndpointTally { counts, ..EndpointTally::default() });
        assert_eq!(endpoints[&b].metrics(&b), Metrics::by("Endpoint", "b").count("Parked", 1));
    }
}

//! Counts of requests to endpoints and of processed events, which are kept by the hour.

mod response_times;

use std::ops::AddAssign;

use serde::Serialize;

pub use response_times::ResponseTimes;

/// The outcomes of the requests to an endpoint, and of its deliveries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DeliveryCounts {
    /// Requests sent, probes and refused addresses included.
    pub total: u64,
    /// Requests that the endpoint answered with 2xx.
    pub success: u64,
    /// All other requests.
    pub errors: u64,
    /// Requests after the first one of a delivery's run.
    pub retries: u64,
    /// Deliveries given up.
    pub dead: u64,
    /// Deliveries that began to wait because the endpoint is paused, or went on waiting.
    pub parked: u64,
    /// The sum of the times until an answer or a failure, in milliseconds.
    pub response_ms: u64,
    pub response_times: ResponseTimes,
}

impl DeliveryCounts {
    /// The counts by the names under which they are stored.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counts = [
            ("total", self.total),
            ("success", self.success),
            ("errors", self.errors),
            ("retries", self.retries),
            ("dead", self.dead),
            ("parked", self.parked),
            ("response_ms", self.response_ms),
        ];
        counts.into_iter().chain(self.response_times.named())
    }

    /// Reads the counts by their names. A missing one is 0.
    pub fn read(count: impl Fn(&str) -> u64) -> Self {
        Self {
            total: count("total"),
            success: count("success"),
            errors: count("errors"),
            retries: count("retries"),
            dead: count("dead"),
            parked: count("parked"),
            response_ms: count("response_ms"),
            response_times: ResponseTimes::read(count),
        }
    }

    /// The counts as the API shows them.
    pub fn view(&self) -> DeliveryMetrics {
        DeliveryMetrics {
            total: self.total,
            success: self.success,
            errors: self.errors,
            retries: self.retries,
            dead: self.dead,
            parked: self.parked,
            average_response_time: self.response_ms.checked_div(self.total),
            p50_response_time: self.response_times.percentile(50),
            p95_response_time: self.response_times.percentile(95),
            success_rate: rate(self.success, self.total),
            error_rate: rate(self.errors, self.total),
        }
    }
}

impl AddAssign for DeliveryCounts {
    fn add_assign(&mut self, other: Self) {
        self.total += other.total;
        self.success += other.success;
        self.errors += other.errors;
        self.retries += other.retries;
        self.dead += other.dead;
        self.parked += other.parked;
        self.response_ms += other.response_ms;
        self.response_times += other.response_times;
    }
}

/// [`DeliveryCounts`] in responses of the API.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryMetrics {
    total: u64,
    success: u64,
    errors: u64,
    retries: u64,
    dead: u64,
    parked: u64,
    /// In milliseconds; null without requests, as both rates.
    average_response_time: Option<u64>,
    /// Within these times half of the requests, and 95 % of them, had an answer or failed.
    #[serde(rename = "p50ResponseTime")]
    p50_response_time: Option<u64>,
    #[serde(rename = "p95ResponseTime")]
    p95_response_time: Option<u64>,
    /// From 0 to 1.
    success_rate: Option<f64>,
    error_rate: Option<f64>,
}

/// How processed events ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct EventCounts {
    pub processed: u64,
    pub ignored: u64,
    pub unmatched: u64,
    pub quarantined: u64,
    pub failed: u64,
}

impl EventCounts {
    /// The counts by the names under which they are stored.
    pub fn named(&self) -> [(&'static str, u64); 5] {
        [
            ("processed", self.processed),
            ("ignored", self.ignored),
            ("unmatched", self.unmatched),
            ("quarantined", self.quarantined),
            ("failed", self.failed),
        ]
    }

    /// Reads the counts by their names. A missing one is 0.
    pub fn read(count: impl Fn(&str) -> u64) -> Self {
        Self {
            processed: count("processed"),
            ignored: count("ignored"),
            unmatched: count("unmatched"),
            quarantined: count("quarantined"),
            failed: count("failed"),
        }
    }
}

impl AddAssign for EventCounts {
    fn add_assign(&mut self, other: Self) {
        self.processed += other.processed;
        self.ignored += other.ignored;
        self.unmatched += other.unmatched;
        self.quarantined += other.quarantined;
        self.failed += other.failed;
    }
}

/// Counts are far below 2^53, so the conversion is exact.
#[expect(clippy::cast_precision_loss, reason = "see above")]
fn rate(part: u64, total: u64) -> Option<f64> {
    (total > 0).then(|| part as f64 / total as f64)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    #[test]
    fn counts_are_read_under_the_names_that_they_are_stored_under() {
        let counts = DeliveryCounts {
            total: 1,
            success: 2,
            errors: 3,
            retries: 4,
            dead: 5,
            parked: 6,
            response_ms: 7,
            response_times: ResponseTimes::of(40),
        };
        let stored: BTreeMap<_, _> = counts.named().collect();
        assert_eq!(DeliveryCounts::read(|name| stored[name]), counts);
        let unread = DeliveryCounts::read(|name| if name.contains('_') { 0 } else { stored[name] });
        assert_eq!(json!(unread.view())["p95ResponseTime"], json!(null), "of an earlier release");
        let counts =
            EventCounts { processed: 1, ignored: 2, unmatched: 3, quarantined: 4, failed: 5 };
        let stored: BTreeMap<_, _> = counts.named().into();
        assert_eq!(EventCounts::read(|name| stored[name]), counts);
    }

    #[test]
    fn sums_have_the_rates_of_all_requests() {
        let mut sum = DeliveryCounts { total: 3, success: 3, response_ms: 30, ..blank() };
        sum +=
            DeliveryCounts { total: 1, errors: 1, retries: 1, dead: 1, response_ms: 70, ..blank() };
        let expected = json!({
            "total": 4, "success": 3, "errors": 1, "retries": 1, "dead": 1, "parked": 0,
            "averageResponseTime": 25, "p50ResponseTime": null, "p95ResponseTime": null,
            "successRate": 0.75, "errorRate": 0.25,
        });
        assert_eq!(json!(sum.view()), expected);
    }

    #[test]
    fn without_requests_there_are_no_rates() {
        let view = json!(DeliveryCounts { dead: 1, ..blank() }.view());
        for name in ["averageResponseTime", "successRate", "errorRate"] {
            assert!(view[name].is_null(), "{name}");
        }
    }

    fn blank() -> DeliveryCounts {
        DeliveryCounts::default()
    }
}

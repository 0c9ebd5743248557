//! Metrics in the log: lines in CloudWatch's embedded metric format, from which CloudWatch Logs makes
//! metrics in the namespace `Waypost`, by stage, and by one more dimension if the line has one.
//!
//! A line has the totals of an invocation. It contains counts and names from the settings, and no
//! content. Each value of a dimension is charged by CloudWatch as a metric of its own: only names that
//! operators or the code choose are dimensions.

use std::io::Write;
use std::sync::OnceLock;

use domain::core::timestamp::Timestamp;
use serde_json::{Map, Value, json};

const NAMESPACE: &str = "Waypost";

/// The stage of this process. Without one, as in tests, no line is written.
static STAGE: OnceLock<String> = OnceLock::new();

/// Lets this process write metrics, under the name of its stage.
pub(super) fn start(stage: Option<String>) {
    if let Some(stage) = stage.filter(|stage| !stage.is_empty()) {
        // A second start in one process has no effect.
        let _ = STAGE.set(stage);
    }
}

/// The metrics of one line.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metrics {
    dimension: Option<(&'static str, String)>,
    values: Vec<(&'static str, &'static str, Value)>,
}

impl Metrics {
    /// Metrics by stage only.
    pub fn new() -> Self {
        Self::default()
    }

    /// Metrics by stage, and also by stage and this dimension. `value` is not empty and at most 1,024
    /// ASCII characters.
    pub fn by(dimension: &'static str, value: impl Into<String>) -> Self {
        Self { dimension: Some((dimension, value.into())), values: Vec::new() }
    }

    /// Something that happened `count` times. It takes no place in the line if it never did.
    #[must_use]
    pub fn count(mut self, name: &'static str, count: u64) -> Self {
        if count > 0 {
            self.values.push((name, "Count", json!(count)));
        }
        self
    }

    /// A size at this moment, also if it is 0.
    #[must_use]
    pub fn gauge(mut self, name: &'static str, size: usize) -> Self {
        self.values.push((name, "Count", json!(size)));
        self
    }

    /// One measurement each, at most 100.
    #[must_use]
    pub fn milliseconds(mut self, name: &'static str, times: &[u64]) -> Self {
        if !times.is_empty() {
            self.values.push((name, "Milliseconds", json!(times)));
        }
        self
    }

    /// Writes the line on standard output, unless all counts are zero.
    pub fn emit(&self, now: Timestamp) {
        let Some(line) = STAGE.get().and_then(|stage| self.line(stage, now)) else { return };
        // As with log lines, there is nowhere to report that standard output is closed.
        let _ = std::io::stdout().lock().write_all(format!("{line}\n").as_bytes());
    }

    /// Lambda passes on a line with `level` and `timestamp` as it is. `None` without metrics.
    fn line(&self, stage: &str, now: Timestamp) -> Option<Value> {
        if self.values.is_empty() {
            return None;
        }
        let mut line = Map::new();
        line.insert("level".to_owned(), json!("INFO"));
        line.insert("timestamp".to_owned(), json!(now));
        line.insert("message".to_owned(), json!("metrics"));
        line.insert("_aws".to_owned(), self.directive(now));
        line.insert("Stage".to_owned(), json!(stage));
        if let Some((name, value)) = &self.dimension {
            line.insert((*name).to_owned(), json!(value));
        }
        for (name, _, value) in &self.values {
            line.insert((*name).to_owned(), value.clone());
        }
        Some(Value::Object(line))
    }

    fn directive(&self, now: Timestamp) -> Value {
        let dimensions = match &self.dimension {
            Some((name, _)) => json!([["Stage"], ["Stage", name]]),
            None => json!([["Stage"]]),
        };
        let metric = |(name, unit, _): &(&str, &str, Value)| json!({"Name": name, "Unit": unit});
        json!({
            "Timestamp": now.millis(),
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": dimensions,
                "Metrics": self.values.iter().map(metric).collect::<Vec<_>>(),
            }],
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn line(metrics: &Metrics) -> Option<Value> {
        metrics.line("dev", Timestamp::from_millis(1_700_000_000_123).unwrap())
    }

    #[test]
    fn a_line_has_every_metric_by_stage_and_by_its_dimension() {
        let metrics = Metrics::by("Endpoint", "shop")
            .count("Attempts", 3)
            .milliseconds("ResponseTime", &[20, 30, 40]);
        let expected = json!({
            "level": "INFO",
            "timestamp": "2023-11-14T22:13:20.123Z",
            "message": "metrics",
            "_aws": {
                "Timestamp": 1_700_000_000_123_i64,
                "CloudWatchMetrics": [{
                    "Namespace": "Waypost",
                    "Dimensions": [["Stage"], ["Stage", "Endpoint"]],
                    "Metrics": [
                        {"Name": "Attempts", "Unit": "Count"},
                        {"Name": "ResponseTime", "Unit": "Milliseconds"},
                    ],
                }],
            },
            "Stage": "dev",
            "Endpoint": "shop",
            "Attempts": 3,
            "ResponseTime": [20, 30, 40],
        });
        assert_eq!(line(&metrics), Some(expected));
    }

    #[test]
    fn what_never_happened_is_left_out_but_a_size_of_zero_is_not() {
        let metrics = Metrics::new().count("Dead", 0).milliseconds("ResponseTime", &[]);
        assert_eq!(line(&metrics), None);
        let line = line(&metrics.gauge("PausedEndpoints", 0)).unwrap();
        assert_eq!(line["PausedEndpoints"], 0);
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(directive["Dimensions"], json!([["Stage"]]));
        assert_eq!(directive["Metrics"], json!([{"Name": "PausedEndpoints", "Unit": "Count"}]));
    }
}

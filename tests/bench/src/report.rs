//! The report of a run: figures as JSON, and tables.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use serde_json::{Map, Value};

/// The section that each report has.
pub(crate) const RATIOS: &str = "ratios";

/// `calls`, `instructions` and `ratios` can be compared between runs: see [`crate::compare`].
#[derive(Default)]
pub(crate) struct Report {
    sections: Map<String, Value>,
    ratios: Map<String, Value>,
}

impl Report {
    pub(crate) fn add(&mut self, section: &str, figures: Value) {
        self.sections.insert(section.to_owned(), figures);
    }

    pub(crate) fn ratio(&mut self, name: String, ratio: f64) {
        self.ratios.insert(name, ratio.into());
    }

    pub(crate) fn print(&self, title: &str, table: &str) {
        println!("### {title}\n\n{table}");
    }

    pub(crate) fn write(mut self, file: &Path) -> io::Result<Value> {
        self.sections.insert(RATIOS.to_owned(), self.ratios.into());
        let report = Value::from(self.sections);
        fs::write(file, format!("{report:#}\n"))?;
        Ok(report)
    }
}

/// In milliseconds, ascending.
pub(crate) fn ms(times: impl Iterator<Item = Duration>) -> Vec<f64> {
    let mut times: Vec<Duration> = times.collect();
    times.sort_unstable();
    times.iter().map(|time| time.as_secs_f64() * 1000.0).collect()
}

pub(crate) fn median(ascending: &[f64]) -> f64 {
    percentile(ascending, 50)
}

/// The lowest figure that so many percent do not exceed.
pub(crate) fn percentile(ascending: &[f64], percent: usize) -> f64 {
    let rank = (ascending.len() * percent).div_ceil(100);
    ascending.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

/// Minimum, median and maximum.
pub(crate) fn spread(ascending: &[f64]) -> String {
    let end = |it: Option<&f64>| it.copied().unwrap_or_default();
    let (min, max) = (end(ascending.first()), end(ascending.last()));
    format!("{min:.1} / {:.1} / {max:.1}", median(ascending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_measured_time() {
        let times = ms([3, 1, 2, 4].map(Duration::from_millis).into_iter());
        assert_eq!(times, [1.0, 2.0, 3.0, 4.0]);
        assert_eq!([50, 75, 99, 100].map(|it| percentile(&times, it)), [2.0, 3.0, 4.0, 4.0]);
        assert_eq!(percentile(&[], 50), 0.0);
    }
}

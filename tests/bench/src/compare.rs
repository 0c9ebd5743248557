//! Compares the figures of two runs that do not depend on the machine's speed: calls and
//! capacity units are equal, bytes within 1 %, instructions within 2 %, ratios within 15 %.

use serde_json::{Map, Value};

use crate::report;

const BYTES: f64 = 0.01;
const INSTRUCTIONS: f64 = 0.02;
const RATIOS: f64 = 0.15;

#[derive(Debug, Default)]
pub(crate) struct Compared {
    pub(crate) all: usize,
    pub(crate) agreeing: usize,
    pub(crate) differences: Vec<String>,
}

impl Compared {
    pub(crate) fn new(before: &Value, after: &Value) -> Self {
        let exact = |a: &Value, b: &Value| a == b;
        let mut compared = Self::default();
        compared.section("calls", before, after, exact);
        compared.section("bytes", before, after, within(BYTES));
        compared.section("instructions", before, after, within(INSTRUCTIONS));
        compared.section(report::RATIOS, before, after, within(RATIOS));
        compared
    }

    fn section(
        &mut self,
        name: &str,
        before: &Value,
        after: &Value,
        agree: impl Fn(&Value, &Value) -> bool,
    ) {
        let figures = |report: &Value| -> Map<String, Value> {
            report[name].as_object().cloned().unwrap_or_default()
        };
        let (before, after) = (figures(before), figures(after));
        for figure in before.keys().chain(after.keys().filter(|it| !before.contains_key(*it))) {
            let of =
                |figures: &Map<String, Value>| figures.get(figure).cloned().unwrap_or_default();
            let (before, after) = (of(&before), of(&after));
            self.all += 1;
            if agree(&before, &after) {
                self.agreeing += 1;
            } else {
                self.differences.push(format!("{name}: {figure}: {before} and {after}"));
            }
        }
    }
}

/// Whether two figures differ by no more than a part of the lower one.
fn within(tolerance: f64) -> impl Fn(&Value, &Value) -> bool {
    move |a, b| match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => (a - b).abs() <= a.min(b) * tolerance,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn finds_what_differs_by_more_than_it_may() {
        let report = |calls: u64, instructions: u64, ratio: f64| {
            json!({
                "calls": { "deliver": { "UpdateItem": calls } },
                "instructions": { "deliver": instructions }, "ratios": { "init": ratio },
                "cold": [calls],
            })
        };
        let before = report(3, 1000, 2.0);
        let differences = |before: &Value, after: &Value| {
            let Compared { all, agreeing, differences } = Compared::new(before, after);
            assert_eq!(agreeing + differences.len(), all);
            differences
        };
        assert_eq!(differences(&before, &report(3, 1020, 2.3)), [""; 0]);
        assert_eq!(differences(&before, &report(3, 981, 1.75)), [""; 0]);
        assert_eq!(differences(&before, &report(2, 1021, 2.31)).len(), 3);
        assert_eq!(differences(&before, &json!({})).len(), 3, "a section is missing");
        assert_eq!(differences(&json!({}), &before).len(), 3);
    }
}

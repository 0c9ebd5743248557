//! Compares the figures of two runs that do not depend on the machine's speed: calls and
//! capacity units are equal, bytes within 1 %, instructions within 2 %, ratios within 15 %.

use serde_json::{Map, Value};

const BYTES: f64 = 0.01;
const INSTRUCTIONS: f64 = 0.02;
const RATIOS: f64 = 0.15;

/// Returns the differences.
pub(crate) fn differences(before: &Value, after: &Value) -> Vec<String> {
    let exact = |a: &Value, b: &Value| a == b;
    let mut differences = section("calls", before, after, exact);
    differences.extend(section("bytes", before, after, within(BYTES)));
    differences.extend(section("instructions", before, after, within(INSTRUCTIONS)));
    differences.extend(section("ratios", before, after, within(RATIOS)));
    differences
}

fn section(
    name: &str,
    before: &Value,
    after: &Value,
    agree: impl Fn(&Value, &Value) -> bool,
) -> Vec<String> {
    let figures = |report: &Value| -> Map<String, Value> {
        report[name].as_object().cloned().unwrap_or_default()
    };
    let (before, after) = (figures(before), figures(after));
    let names = before.keys().chain(after.keys().filter(|name| !before.contains_key(*name)));
    let compared = names.map(|name| {
        let of = |figures: &Map<String, Value>| figures.get(name).cloned().unwrap_or_default();
        (name, of(&before), of(&after))
    });
    compared
        .filter(|(_, before, after)| !agree(before, after))
        .map(|(figure, before, after)| format!("{name}: {figure}: {before} and {after}"))
        .collect()
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
        assert_eq!(differences(&before, &report(3, 1020, 2.3)), [""; 0]);
        assert_eq!(differences(&before, &report(3, 981, 1.75)), [""; 0]);
        assert_eq!(differences(&before, &report(2, 1021, 2.31)).len(), 3);
        assert_eq!(differences(&before, &json!({})).len(), 3, "a section is missing");
        assert_eq!(differences(&json!({}), &before).len(), 3);
    }
}

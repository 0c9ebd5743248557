//! The benchmark of the functions: its sections, its report and its comparison with another one.

use std::env;
use std::fs;
use std::sync::Arc;

use serde_json::Value;

use crate::Error;
use crate::compare::Compared;
use crate::installation::Installation;
use crate::report::{RATIOS, Report};
use crate::{calls, cold, deliveries, instructions, warm};

/// All of them run unless some are named.
const SECTIONS: [&str; 5] = ["calls", "cold", "warm", "deliver", "instructions"];

/// `compare` finds the differences of two reports.
const COMPARE: &str = "compare";

/// Runs the sections that the arguments name, or all; prints their tables and writes `report.json`.
/// Returns the violated requirements.
pub fn bench() -> Result<Vec<String>, Error> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [command, files @ ..] = arguments.as_slice()
        && command == COMPARE
    {
        return compare(files);
    }
    if let Some(unknown) = arguments.iter().find(|it| !SECTIONS.contains(&it.as_str())) {
        let known = SECTIONS.join(", ");
        return Err(format!("no section {unknown}: there are {known}, and {COMPARE}").into());
    }
    let runs = |section: &str| arguments.is_empty() || arguments.iter().any(|it| it == section);
    let installation = Arc::new(Installation::new()?);
    let (mut report, mut failures) = (Report::default(), Vec::new());
    if runs("calls") {
        calls::measure(&installation)?.add_to(&mut report);
    }
    if runs("cold") {
        cold::measure(&installation)?.add_to(&mut report);
    }
    if runs("warm") {
        warm::measure(&installation)?.add_to(&mut report);
    }
    if runs("deliver") {
        deliveries::measure(&installation)?.add_to(&mut report);
    }
    if runs("instructions") {
        match instructions::measure(&installation)? {
            Some(instructions) => {
                instructions.add_to(&mut report);
                failures = instructions.excesses()?;
            }
            None => println!("Instructions are not counted: there is no valgrind.\n"),
        }
    }
    report.write(&installation.directory.join("report.json"))?;
    Ok(failures)
}

/// Returns the differences of two reports.
fn compare(files: &[String]) -> Result<Vec<String>, Error> {
    let [one, other] = files else {
        return Err(format!("{COMPARE} takes the files of two reports").into());
    };
    let compared = Compared::new(&read(one)?, &read(other)?);
    println!("{} figures of {} agree.", compared.agreeing, compared.all);
    Ok(compared.differences)
}

fn read(file: &str) -> Result<Value, Error> {
    let text = fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    let report: Value = serde_json::from_str(&text).map_err(|error| format!("{file}: {error}"))?;
    let is_report = report.get(RATIOS).is_some_and(Value::is_object);
    is_report.then_some(report).ok_or_else(|| format!("{file}: is no report of a run").into())
}

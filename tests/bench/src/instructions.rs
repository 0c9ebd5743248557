//! Instructions of an event, counted by valgrind: the difference between processes with many events
//! and with a few, so without the start. No other measure of speed is the same in every run.

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use crate::Error;
use crate::events::several;
use crate::installation::Installation;
use crate::report::Report;
use crate::tool::find;

const FUNCTIONS: [&str; 3] = ["inbound", "process", "deliver"];
const FEW: u64 = 20;
const MANY: u64 = 120;
/// Committed figures of the release profile, by architecture.
const COMMITTED: &str = "tests/bench/instructions.json";
/// An event may have so many percent more.
const TOLERANCE: u64 = 5;

pub(crate) struct Instructions(BTreeMap<&'static str, u64>);

/// None where there is no valgrind.
pub(crate) fn measure(installation: &Installation) -> Result<Option<Instructions>, Error> {
    let Some(valgrind) = find("valgrind") else { return Ok(None) };
    let mut counts = BTreeMap::new();
    for function in FUNCTIONS {
        let count = |events| count(installation, &valgrind, function, events);
        counts.insert(function, count(MANY)?.saturating_sub(count(FEW)?) / (MANY - FEW));
    }
    Ok(Some(Instructions(counts)))
}

/// Of a process with so many events.
fn count(
    installation: &Installation,
    valgrind: &PathBuf,
    function: &str,
    events: u64,
) -> Result<u64, Error> {
    let events = several(installation, function, events)?;
    let log = installation.directory.join(format!("{function}-valgrind.log"));
    let mut command = Command::new(valgrind);
    command.args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]);
    command.arg(format!("--log-file={}", log.display())).arg(installation.program(function));
    let sandbox = installation.start_as(function, command)?;
    sandbox.initialised()?;
    for event in events {
        sandbox.invoke(event)?;
    }
    sandbox.terminate()?;
    let log = fs::read_to_string(log)?;
    read(&log).ok_or_else(|| format!("valgrind counted nothing of {function}").into())
}

/// `==7== I   refs:      1,234,567`
fn read(log: &str) -> Option<u64> {
    let line = log.lines().find(|line| line.contains("refs:"))?;
    line.rsplit(' ').next()?.replace(',', "").parse().ok()
}

impl Instructions {
    pub(crate) fn add_to(&self, report: &mut Report) {
        report.add("instructions", json!(self.0));
        let mut table = "| function | instructions an event |\n|---|--:|\n".to_owned();
        for (function, count) in &self.0 {
            // Writing to a string cannot fail.
            let _ = writeln!(table, "| `{function}` | {count} |");
        }
        report.print("Instructions", &table);
    }

    /// Functions that need more than the committed figures allow.
    pub(crate) fn excesses(&self) -> Result<Vec<String>, Error> {
        let committed: Value = serde_json::from_str(&fs::read_to_string(COMMITTED)?)?;
        Ok(self.over(&committed[env::consts::ARCH]))
    }

    fn over(&self, committed: &Value) -> Vec<String> {
        let over = self.0.iter().filter_map(|(function, count)| {
            let allowed = committed[*function].as_u64()?;
            let is_over = count * 100 > allowed * (100 + TOLERANCE);
            let message = format!(
                "{function}: {count} instructions an event, over {TOLERANCE} % more than the \
                 {allowed} in {COMMITTED}"
            );
            is_over.then_some(message)
        });
        over.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_count_of_valgrind() {
        let log = "==7== Cachegrind\n==7== I   refs:      1,234,567\n";
        assert_eq!(read(log), Some(1_234_567));
        assert_eq!(read("==7== Cachegrind"), None);
    }

    #[test]
    fn rejects_five_percent_more_than_committed() {
        let of = |count| Instructions([("inbound", count)].into());
        let committed = json!({ "inbound": 1000 });
        assert_eq!(of(1050).over(&committed), [""; 0]);
        assert_eq!(of(1051).over(&committed).len(), 1);
        assert_eq!(of(1051).over(&json!({})), [""; 0]);
    }
}

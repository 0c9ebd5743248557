//! The AWS calls of operations, with their bytes and capacity units, as the doubles count them.
//! Calls and units are equal in every run; bytes are not: a body with other times compresses
//! otherwise.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::Error;
use crate::events::pair;
use crate::installation::{Call, Installation, OTHERS};
use crate::report::Report;

/// The answer time of customers' servers, which rows contain: it has as many digits in every run.
const DELAY: Duration = Duration::from_millis(400);

/// An operation, the function that carries it out, and the name of its events.
const OPERATIONS: [(&str, &str, &str); 8] = [
    ("accept a webhook", "inbound", "inbound"),
    ("apply a status change", "process", "process"),
    ("deliver it", "deliver", "deliver"),
    ("create an order", "orders", "orders"),
    ("poll 50 orders without news", "poll", "polls without news"),
    ("send a message", "messages", "messages"),
    ("deliver a message", "deliver", "messages to deliver"),
    ("apply the result of a message", "process", "results of messages"),
];

pub(crate) struct Calls(Vec<Operation>);

#[derive(Debug, Default, PartialEq)]
struct Operation {
    name: &'static str,
    /// By name.
    calls: BTreeMap<String, u64>,
    /// In bytes.
    sent: usize,
    received: usize,
    half_reads: u64,
    writes: u64,
}

const HEAD: &str = "\
| operation | calls | bytes sent | bytes received | read units | write units |
|---|---|--:|--:|--:|--:|
";

/// Of a warm process.
pub(crate) fn measure(installation: &Installation) -> Result<Calls, Error> {
    installation.account.internet.set_delay(DELAY);
    let measured = OPERATIONS.iter().map(|(name, function, events)| {
        let [first, second] = pair(installation, events)?;
        let sandbox = installation.warm(function)?;
        sandbox.invoke(first)?;
        installation.account.record();
        sandbox.invoke(second)?;
        Ok(Operation::of(name, &installation.account.recorded()))
    });
    let measured = measured.collect::<Result<_, Error>>()?;
    installation.account.internet.set_delay(Duration::ZERO);
    Ok(Calls(measured))
}

impl Calls {
    pub(crate) fn add_to(&self, report: &mut Report) {
        let figures: Map<String, Value> =
            self.0.iter().map(|it| (it.name.to_owned(), it.to_json())).collect();
        report.add("calls", figures.into());
        let bytes = self.0.iter().flat_map(|it| {
            let named = |of: &str, bytes: usize| (format!("{}: {of}", it.name), json!(bytes));
            [named("sent", it.sent), named("received", it.received)]
        });
        report.add("bytes", bytes.collect::<Map<_, _>>().into());
        let mut table = HEAD.to_owned();
        for operation in &self.0 {
            let Operation { name, sent, received, half_reads, writes, .. } = operation;
            let (calls, reads) = (operation.calls(), *half_reads as f64 / 2.0);
            // Writing to a string cannot fail.
            let _ =
                writeln!(table, "| {name} | {calls} | {sent} | {received} | {reads} | {writes} |");
        }
        report.print("AWS calls", &table);
    }
}

impl Operation {
    fn of(name: &'static str, calls: &[Call]) -> Self {
        let mut operation = Self { name, ..Self::default() };
        for call in calls.iter().filter(|call| call.service != OTHERS) {
            *operation.calls.entry(call.operation.clone()).or_default() += 1;
            operation.sent += call.sent;
            operation.received += call.received;
            operation.half_reads += call.half_reads;
            operation.writes += call.writes;
        }
        operation
    }

    fn calls(&self) -> String {
        let calls = self.calls.iter().map(|(name, count)| match count {
            1 => name.clone(),
            _ => format!("{count} × {name}"),
        });
        calls.collect::<Vec<_>>().join(", ")
    }

    fn to_json(&self) -> Value {
        json!({
            "calls": self.calls, "read_units": self.half_reads as f64 / 2.0,
            "write_units": self.writes,
        })
    }
}

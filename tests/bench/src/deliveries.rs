//! `deliver` alone: how many deliveries a processor makes, and how far a dead endpoint delays those
//! of others.

mod isolation;

use std::sync::Arc;

use serde_json::{Value, json};

use crate::Error;
use crate::cpu;
use crate::events::changes;
use crate::installation::Installation;
use crate::report::{Report, percentile};

pub(crate) use self::isolation::Isolation;

/// Endpoints that get each change, `customer` among them.
const ENDPOINTS: usize = 50;
/// Messages of an invocation, as of the queue.
const BATCH: usize = 10;
const WARM_UP: usize = 200;
const ORDERS: u64 = 20;
const CHANGES: u64 = 60;

pub(crate) struct Deliveries {
    per_core_second: f64,
    isolation: Isolation,
}

pub(crate) fn measure(installation: &Arc<Installation>) -> Result<Deliveries, Error> {
    let per_core_second = throughput(installation)?;
    Ok(Deliveries { per_core_second, isolation: isolation::measure(installation)? })
}

/// Deliveries in a second of processor time, in full batches, signed, over TLS.
fn throughput(installation: &Installation) -> Result<f64, Error> {
    prepare(installation)?;
    let records = messages(installation, CHANGES)?;
    let records: Vec<&Value> = records.iter().map(|message| &message.record).collect();
    let (warm_up, measured) = records.split_at(records.len().min(WARM_UP));
    let sandbox = installation.warm("deliver")?;
    let deliver = |records: &[&Value]| {
        let mut batches = records.chunks(BATCH);
        batches.try_for_each(|batch| sandbox.invoke(json!({ "Records": batch })).map(drop))
    };
    deliver(warm_up)?;
    let before = cpu::time_of(sandbox.id());
    deliver(measured)?;
    let time = cpu::time_of(sandbox.id()) - before;
    Ok(measured.len() as f64 / time.as_secs_f64())
}

/// Empties the account and adds the endpoints.
fn prepare(installation: &Installation) -> Result<(), Error> {
    installation.account.reset();
    for number in 1..ENDPOINTS {
        let name = format!("endpoint-{number}");
        add_endpoint(installation, &name, &format!("{}/{name}", installation.url()));
    }
    Ok(())
}

fn add_endpoint(installation: &Installation, name: &str, url: &str) {
    installation.account.put_endpoint(name, url, &json!({ "max_in_flight": 10 }));
}

/// A message of the queue of `deliver`.
struct Message {
    /// Of the delivery.
    id: String,
    endpoint: String,
    body: String,
    record: Value,
}

/// Messages about so many changes.
fn messages(installation: &Installation, count: u64) -> Result<Vec<Message>, Error> {
    changes(installation, ORDERS, count)?;
    let queue = installation.queue("deliver")?;
    let mut all = Vec::new();
    loop {
        let records = installation.account.take(queue, BATCH);
        if records.is_empty() {
            return Ok(all);
        }
        let read = records.into_iter().map(|record| Message::read(record).ok_or("no delivery"));
        all.extend(read.collect::<Result<Vec<_>, _>>()?);
    }
}

impl Message {
    fn read(record: Value) -> Option<Self> {
        let body = record["body"].as_str()?.to_owned();
        let delivery: Value = serde_json::from_str(&body).ok()?;
        let field = |name: &str| delivery[name].as_str().map(str::to_owned);
        Some(Self { id: field("id")?, endpoint: field("endpoint")?, body, record })
    }
}

impl Deliveries {
    pub(crate) fn add_to(&self, report: &mut Report) {
        let Isolation { alone, beside } = &self.isolation;
        let p99 = |times: &[f64]| percentile(times, 99);
        let ratio = p99(beside) / p99(alone);
        report.add(
            "deliver",
            json!({
                "deliveries_per_core_second": self.per_core_second,
                "healthy_p99_alone_ms": p99(alone), "healthy_p99_beside_ms": p99(beside),
                "healthy_deliveries": [alone.len(), beside.len()],
            }),
        );
        report.ratio("deliver: p99 beside a dead endpoint to p99 alone".to_owned(), ratio);
        let (core, alone, beside) = (self.per_core_second, p99(alone), p99(beside));
        let table = format!(
            "| deliveries in a second of processor time | p99 of healthy endpoints, alone, ms \
             | beside a dead endpoint, ms | ratio |\n|--:|--:|--:|--:|\n\
             | {core:.0} | {alone:.1} | {beside:.1} | {ratio:.2} |\n"
        );
        report.print("Deliveries", &table);
    }
}

//! One run of the functions' programs, from the event of the schedule to the last batch.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use domain::core::timestamp::Timestamp;
use domain::polling::{Run, SHARDS};
use serde_json::{Value, json};

use crate::Error;
use crate::http::{Request, Response, serve};
use crate::sync::carrier::Carrier;
use crate::sync::dynamodb::{self, DynamoDb, number};
use crate::sync::lambda::{Function, Runtime, Sandbox};
use crate::sync::orders::Orders;
use crate::sync::settings::{PREFIX, Settings};
use crate::sync::sqs::{self, Sqs};
use crate::sync::usage::{Meter, Usage};

/// The planner, with one process.
const SYNC: Function =
    Function { name: "sync", queue: sqs::SHARDS, timeout: Duration::from_secs(60) };
/// The worker, with two processes.
const POLL: Function =
    Function { name: "poll", queue: sqs::BATCHES, timeout: Duration::from_secs(60) };
/// A run without progress for this long has failed.
const STALL_TIMEOUT: Duration = Duration::from_secs(60);
const CHECK_INTERVAL: Duration = Duration::from_millis(20);

#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub(crate) orders: u64,
    /// Orders for which the carrier has a new scan.
    pub(crate) changed: u64,
    /// The fewest possible calls of the carrier.
    pub(crate) fewest_calls: u64,
    /// With the incomplete batches of all planners.
    pub(crate) most_calls: u64,
    pub(crate) totals: Totals,
    pub(crate) usage: Usage,
    /// From the event of the schedule to the end of the run.
    pub(crate) wall: Duration,
    /// One per process.
    pub(crate) peaks: Vec<Peak>,
}

/// From the row of a closed run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) planned: u64,
    pub(crate) batches: u64,
    pub(crate) done: u64,
    pub(crate) failed: u64,
    pub(crate) asked: u64,
    pub(crate) changed: u64,
    pub(crate) unknown: u64,
}

/// The peak memory of a process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peak {
    pub(crate) function: &'static str,
    pub(crate) kib: u64,
}

/// The doubles around the functions.
struct Simulation {
    orders: Orders,
    dynamodb: Arc<DynamoDb>,
    sqs: Arc<Sqs>,
    meter: Arc<Meter>,
    aws: SocketAddr,
}

/// Runs the sync once with `count` orders. `programs` and `logs` are directories.
pub(crate) fn run(count: u64, programs: &Path, logs: &Path) -> Result<Outcome, Error> {
    let now = Timestamp::from_system(SystemTime::now());
    let simulation = Simulation::new(Orders::new(count, Run::hourly(now).started_at))?;
    let begin = Instant::now();
    let event = json!({ "kind": "hourly", "at": now.to_string() });
    let logs = logs.join(count.to_string());
    fs::create_dir_all(&logs)?;
    let mut sandboxes = Vec::new();
    for (index, (function, event)) in
        [(SYNC, Some(event)), (POLL, None), (POLL, None)].into_iter().enumerate()
    {
        let log = File::create(logs.join(format!("{}-{index}.log", function.name)))?;
        sandboxes.push(simulation.start(function, event, programs, log)?);
    }
    let totals = simulation.wait()?;
    let wall = begin.elapsed();
    let peak =
        |sandbox: &Sandbox| Ok(Peak { function: sandbox.function.name, kib: sandbox.peak_kib()? });
    let peaks = sandboxes.iter().map(peak).collect::<Result<_, Error>>()?;
    drop(sandboxes);
    simulation.sqs.close();
    let mut usage = simulation.meter.count().clone();
    usage.log_bytes = size_of_files(&logs)?;
    let changed = simulation.orders.changed();
    Ok(Outcome {
        orders: count,
        changed,
        fewest_calls: simulation.orders.fewest_calls(),
        most_calls: simulation.orders.most_calls(),
        totals,
        usage,
        wall,
        peaks,
    })
}

impl Outcome {
    /// The highest peak of the function's processes.
    pub(crate) fn peak_kib(&self, function: &str) -> u64 {
        self.peaks
            .iter()
            .filter(|peak| peak.function == function)
            .map(|peak| peak.kib)
            .max()
            .unwrap_or_default()
    }
}

impl Simulation {
    fn new(orders: Orders) -> Result<Self, Error> {
        let meter = Arc::<Meter>::default();
        let carrier = Carrier { orders, meter: Arc::clone(&meter) };
        let settings =
            Settings::new(serve(move |request| carrier.answer(request))?, Arc::clone(&meter));
        let dynamodb = Arc::new(DynamoDb::new(orders, Arc::clone(&meter)));
        dynamodb.insert(&last_run(orders.count())).map_err(|failure| failure.message)?;
        let sqs = Arc::new(Sqs::new(Arc::clone(&meter)));
        let services = (Arc::clone(&dynamodb), Arc::clone(&sqs), settings);
        let aws = serve(move |request| answer(request, &services.0, &services.1, &services.2))?;
        Ok(Self { orders, dynamodb, sqs, meter, aws })
    }

    fn start(
        &self,
        function: Function,
        event: Option<Value>,
        programs: &Path,
        log: File,
    ) -> Result<Sandbox, Error> {
        let runtime = Runtime::new(function, event, Arc::clone(&self.sqs), Arc::clone(&self.meter));
        Ok(Sandbox::start(
            function,
            &programs.join(function.name),
            &self.environment(),
            log,
            runtime,
        )?)
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        let queue = |name: &str| format!("http://{}/000000000000/{name}", self.aws);
        vec![
            ("AWS_ENDPOINT_URL", format!("http://{}", self.aws)),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "bench".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "bench".to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            ("RUST_LOG", "info".to_owned()),
            ("SETTINGS_PREFIX", PREFIX.to_owned()),
            ("CONFIG_TTL_SECONDS", "300".to_owned()),
            ("ORDERS_TABLE", dynamodb::ORDERS.to_owned()),
            ("STATE_TABLE", dynamodb::STATE.to_owned()),
            ("SHARDS_QUEUE_URL", queue(sqs::SHARDS)),
            ("SHARDS_DLQ_URL", queue("shards-dlq")),
            ("BATCHES_QUEUE_URL", queue(sqs::BATCHES)),
            ("BATCHES_DLQ_URL", queue("batches-dlq")),
            ("EVENTS_QUEUE_URL", queue(sqs::EVENTS)),
        ]
    }

    /// Waits until the run is closed and the queues are empty.
    fn wait(&self) -> Result<Totals, Error> {
        let (mut last_progress, mut invocations) = (Instant::now(), 0);
        loop {
            sleep(CHECK_INTERVAL);
            let usage = self.meter.count();
            if let Some(fault) = usage.faults.first() {
                return Err(fault.clone().into());
            }
            if usage.invocations != invocations {
                (last_progress, invocations) = (Instant::now(), usage.invocations);
            }
            drop(usage);
            match self.totals() {
                Some(totals) if self.sqs.is_empty() => return Ok(totals),
                _ if last_progress.elapsed() > STALL_TIMEOUT => {
                    return Err(self.stall_error(invocations).into());
                }
                _ => {}
            }
        }
    }

    fn totals(&self) -> Option<Totals> {
        let runs = self.dynamodb.state("runs").ok()?;
        let run = runs.into_iter().find(|run| run.contains_key("done"))?;
        let number = |name| number(&run, name).unwrap_or_default();
        Some(Totals {
            planned: number("planned"),
            batches: number("batches"),
            done: number("done"),
            failed: number("failed"),
            asked: number("asked"),
            changed: number("changed"),
            unknown: number("unknown"),
        })
    }

    fn stall_error(&self, invocations: u64) -> String {
        let runs = self.dynamodb.state("runs");
        format!("no progress after {invocations} invocations over {SHARDS} shards: {runs:?}")
    }
}

/// The run before, which planned as many orders.
fn last_run(orders: u64) -> Value {
    json!({
        "pk": {"S": "runs"}, "sk": {"S": "2026-01-01T00:00:00.000Z/hourly-2026-01-01T00"},
        "kind": {"S": "hourly"}, "closed_at": {"S": "2026-01-01T00:30:00.000Z"},
        "planned": {"N": orders.to_string()},
    })
}

fn answer(request: &Request, dynamodb: &DynamoDb, sqs: &Sqs, settings: &Settings) -> Response {
    let (service, operation) = request.header("x-amz-target").split_once('.').unwrap_or_default();
    match service {
        "DynamoDB_20120810" => dynamodb.answer(operation, &request.body),
        "AmazonSQS" => sqs.answer(operation, &request.body),
        "AmazonSSM" => settings.answer(operation, &request.body),
        _ => Response::new(404, "{}"),
    }
}

fn size_of_files(directory: &Path) -> Result<u64, Error> {
    let mut bytes = 0;
    for file in fs::read_dir(directory)? {
        bytes += file?.metadata()?.len();
    }
    Ok(bytes)
}

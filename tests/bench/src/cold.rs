//! Cold starts: from the start of a function's process to its first request for an event, and on to
//! its first and second answer.
//!
//! After its start a process is held to the processor share of its memory, as Lambda does.

mod account;
mod certificates;
mod report;
mod sandbox;
mod settings;
mod share;

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

use self::account::Account;
use self::certificates::Certificates;
use self::report::{Row, Times};
use self::sandbox::Sandbox;
use self::share::Share;
use crate::Error;

/// Starts of each program.
const STARTS: usize = 20;

/// Programs without work of their own, to compare with.
const BARE: [&str; 2] = ["bare-runtime", "bare-http"];

struct Bench {
    account: Arc<Account>,
    address: SocketAddr,
    certificates: Certificates,
    programs: PathBuf,
    directory: PathBuf,
    /// Orders so far.
    orders: u64,
}

/// Measures, prints a table and writes `report.json`. Reads `template.yaml` of the working directory;
/// the programs are beside this one. Returns the violated requirements: none so far.
pub fn bench() -> Result<Vec<String>, Error> {
    let program = env::current_exe()?;
    let programs = program.parent().ok_or("the program has no directory")?.to_owned();
    let directory = programs.parent().ok_or("no target directory")?.join("bench");
    fs::create_dir_all(&directory)?;
    let certificates = Certificates::new(&directory)?;
    let account = Account::new(&fs::read_to_string("template.yaml")?)?;
    let address = account.serve(&certificates)?;
    let mut bench = Bench { account, address, certificates, programs, directory, orders: 0 };
    let mut rows = Vec::new();
    for bare in BARE {
        rows.push(bench.measure(bare)?);
    }
    for function in ["inbound", "orders", "process", "deliver"] {
        rows.push(bench.measure(function)?);
    }
    let report = bench.directory.join("report.json");
    fs::write(report, format!("{:#}\n", report::to_json(&rows)))?;
    println!("{}", report::table(&rows));
    Ok(Vec::new())
}

impl Bench {
    fn measure(&mut self, name: &str) -> Result<Row, Error> {
        let mut times = Vec::new();
        let mut peak_kib = 0;
        let mut calls = BTreeMap::new();
        for _ in 0..STARTS {
            let events = self.events(name)?;
            let sandbox = self.start(name)?;
            let init = sandbox.initialised()?;
            let share = Share::of_memory(self.memory(name))?;
            sandbox.hold_to(&share)?;
            self.account.take_calls();
            let [first, second] = events.map(|event| sandbox.invoke(event));
            let (first, second) = (first?, second?);
            calls = self.account.take_calls();
            times.push(Times { init, first, second });
            peak_kib = peak_kib.max(sandbox.peak_kib()?);
            drop(sandbox);
        }
        let program = fs::metadata(self.programs.join(name))?.len();
        Ok(Row { name: name.to_owned(), times, peak_kib, program, calls })
    }

    fn memory(&self, name: &str) -> u64 {
        self.account.function(name).map_or(256, |function| function.memory_mib)
    }

    fn start(&self, name: &str) -> Result<Sandbox, Error> {
        let log = File::create(self.directory.join(format!("{name}.log")))?;
        Sandbox::start(&self.programs.join(name), &self.environment(name), log)
    }

    fn environment(&self, name: &str) -> Vec<(String, String)> {
        let memory = self.memory(name).to_string();
        let endpoint = format!("https://localhost:{}", self.address.port());
        let file = |path: &Path| path.display().to_string();
        let lambda = [
            ("AWS_ENDPOINT_URL", endpoint.as_str()),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "bench"),
            ("AWS_SECRET_ACCESS_KEY", "bench"),
            ("AWS_CA_BUNDLE", &file(&self.certificates.of_aws)),
            ("SSL_CERT_FILE", &file(&self.certificates.of_internet)),
            ("AWS_LAMBDA_FUNCTION_NAME", name),
            ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &memory),
            ("AWS_LAMBDA_LOG_STREAM_NAME", name),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let own = self.account.function(name).map(|function| function.environment.clone());
        lambda.into_iter().chain(own.unwrap_or_default()).collect()
    }

    /// Two events of a function, of the same kind.
    fn events(&mut self, name: &str) -> Result<[Value; 2], Error> {
        let (number, next) = (self.orders, self.orders + 1);
        self.orders += 2;
        match name {
            "orders" | "bare-http" => Ok([number, next].map(settings::creation)),
            "inbound" => Ok([number, next].map(|it| settings::webhook(it, 42, "PICKED UP", 1))),
            "process" => {
                self.run("orders", [number, next].map(settings::creation))?;
                self.drain("process")?;
                let webhooks = [number, next].map(|it| settings::webhook(it, 42, "PICKED UP", 1));
                self.run("inbound", webhooks)?;
                self.queued("process")
            }
            "deliver" => {
                let events = self.events("process")?;
                self.run("process", events)?;
                self.queued("deliver")
            }
            _ => Ok([json!({}), json!({})]),
        }
    }

    fn queue(&self, name: &str) -> Result<&str, Error> {
        let source = self.account.function(name)?.queues.first();
        Ok(source.ok_or("the function has no queue")?.queue.as_str())
    }

    fn run(&self, name: &str, events: [Value; 2]) -> Result<(), Error> {
        let sandbox = self.start(name)?;
        sandbox.initialised()?;
        for event in events {
            sandbox.invoke(event)?;
        }
        Ok(())
    }

    /// Has a function work on all messages of its queue.
    fn drain(&self, name: &str) -> Result<(), Error> {
        let sandbox = self.start(name)?;
        sandbox.initialised()?;
        loop {
            let records = self.account.receive(self.queue(name)?, 1);
            if records.is_empty() {
                return Ok(());
            }
            sandbox.invoke(json!({ "Records": records }))?;
        }
    }

    /// The next two messages of a function's queue.
    fn queued(&self, name: &str) -> Result<[Value; 2], Error> {
        let queue = self.queue(name)?;
        let next = || {
            let records = self.account.receive(queue, 1);
            if records.is_empty() { Err(format!("no message in {queue}")) } else { Ok(records) }
        };
        Ok([json!({ "Records": next()? }), json!({ "Records": next()? })])
    }
}

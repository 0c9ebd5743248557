//! Lambda: a process of a function that gets one message per invocation from its queue, through
//! the Runtime API.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use doubles::sqs::Received;
use serde_json::{Value, json};

use crate::http::{Request, Response, serve};
use crate::sync::sqs::Sqs;
use crate::sync::usage::{Meter, lock};

const INVOCATION: &str = "/2018-06-01/runtime/invocation/";
/// As in template.yaml.
pub(crate) const MEMORY_MB: u64 = 256;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Function {
    /// Also the name of its program.
    pub(crate) name: &'static str,
    pub(crate) queue: &'static str,
    pub(crate) timeout: Duration,
}

/// A process of a function; dropping it kills the process.
pub(crate) struct Sandbox {
    pub(crate) function: Function,
    process: Child,
}

impl Sandbox {
    pub(crate) fn start(
        function: Function,
        program: &Path,
        environment: &[(&str, String)],
        log: File,
        runtime: Runtime,
    ) -> io::Result<Self> {
        let address = serve(move |request| runtime.answer(request))?;
        let process = Command::new(program)
            .env_clear()
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", function.name)
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", MEMORY_MB.to_string())
            .env("AWS_LAMBDA_LOG_STREAM_NAME", function.name)
            .stderr(log.try_clone()?)
            .stdout(log)
            .spawn()?;
        Ok(Self { function, process })
    }

    /// The peak resident memory in KiB.
    pub(crate) fn peak_kib(&self) -> io::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
        peak.ok_or_else(|| {
            io::Error::new(io::ErrorKind::NotFound, "no VmHWM: the process has ended")
        })
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The Runtime API of one process.
pub(crate) struct Runtime {
    function: Function,
    first: Mutex<Option<Value>>,
    current: Mutex<State>,
    sqs: Arc<Sqs>,
    meter: Arc<Meter>,
}

enum State {
    Starting(Instant),
    Idle,
    Busy { since: Instant, receipt: Option<String> },
}

impl Runtime {
    /// The time from this call to the first request for an event is billed as start-up.
    ///
    /// `first` is the first event; the queue supplies the others.
    pub(crate) fn new(
        function: Function,
        first: Option<Value>,
        sqs: Arc<Sqs>,
        meter: Arc<Meter>,
    ) -> Self {
        let current = Mutex::new(State::Starting(Instant::now()));
        Self { function, first: Mutex::new(first), current, sqs, meter }
    }

    fn answer(&self, request: &Request) -> Response {
        match request.path.strip_prefix(INVOCATION).and_then(|path| path.rsplit('/').next()) {
            Some("next") => self.next(),
            Some("response") => self.end(&request.body),
            _ => {
                let error = String::from_utf8_lossy(&request.body).into_owned();
                self.meter.fault(format!("{} failed: {error}", self.function.name));
                self.end(b"")
            }
        }
    }

    fn next(&self) -> Response {
        if let State::Starting(since) = *lock(&self.current) {
            self.bill(since);
        }
        *lock(&self.current) = State::Idle;
        let first = lock(&self.first).take();
        let (event, receipt) = match first {
            Some(event) => (event, None),
            None => match self.sqs.receive(self.function.queue) {
                Some(received) => (self.event(&received), Some(received.receipt)),
                None => return Response::new(410, "{}"),
            },
        };
        let invocation = self.meter.count().invoke();
        *lock(&self.current) = State::Busy { since: Instant::now(), receipt };
        let deadline = SystemTime::now() + self.function.timeout;
        let deadline =
            deadline.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis();
        let arn = format!("arn:aws:lambda:us-east-1:000000000000:function:{}", self.function.name);
        let mut response = Response::new(200, event.to_string());
        response.headers = vec![
            ("lambda-runtime-aws-request-id", format!("00000000-0000-4000-8000-{invocation:012}")),
            ("lambda-runtime-deadline-ms", deadline.to_string()),
            ("lambda-runtime-invoked-function-arn", arn),
        ];
        response
    }

    fn event(&self, received: &Received) -> Value {
        json!({ "Records": [received.to_record(self.function.queue)] })
    }

    fn end(&self, answer: &[u8]) -> Response {
        let before = std::mem::replace(&mut *lock(&self.current), State::Idle);
        if let State::Busy { since, receipt } = before {
            self.bill(since);
            let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
            let done = answer["batchItemFailures"].as_array().is_some_and(Vec::is_empty);
            if let Some(receipt) = receipt {
                self.sqs.finish(self.function.queue, &receipt, done);
            }
        }
        Response::new(202, "{}")
    }

    fn bill(&self, since: Instant) {
        let duration = since.elapsed().as_micros().div_ceil(1000);
        self.meter.count().billed_ms += u64::try_from(duration).unwrap_or(u64::MAX);
    }
}

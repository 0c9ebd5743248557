//! Lambda: one process of a function, and the Runtime API that invokes it.

use std::fs::File;
use std::io;
use std::process::{Child, Command};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use crate::Error;
use crate::http::{Request, Response, serve};
use crate::share::Share;
use crate::sync::usage::lock;

const NEXT: &str = "/2018-06-01/runtime/invocation/next";
/// As long as the longest of template.yaml.
const TIMEOUT: Duration = Duration::from_secs(120);
/// A function that is silent for so long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// A process; dropping it kills the process.
pub(crate) struct Sandbox {
    process: Child,
    started: Instant,
    events: Sender<Value>,
    signals: Receiver<Signal>,
}

#[derive(Debug)]
pub(crate) struct Answered {
    /// From the event's departure to the answer.
    pub(crate) time: Duration,
    pub(crate) body: Value,
}

#[derive(Debug)]
enum Signal {
    /// The function asks for an event.
    Idle(Instant),
    /// The event leaves for the function.
    Invoked(Instant),
    Answered(Instant, Vec<u8>),
    Failed(String),
}

impl Sandbox {
    /// `command` has the program and its environment.
    pub(crate) fn start(mut command: Command, log: File) -> Result<Self, Error> {
        let (events, to_send) = channel();
        let (notify, signals) = channel();
        let (to_send, notify) = (Mutex::new(to_send), Mutex::new(notify));
        let address = serve(move |request| {
            let notify = lock(&notify).clone();
            runtime(request, &to_send, &notify)
        })?;
        command
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .stderr(log.try_clone()?)
            .stdout(log);
        let started = Instant::now();
        let process = command.spawn();
        let process =
            process.map_err(|error| format!("{}: {error}", command.get_program().display()))?;
        Ok(Self { process, started, events, signals })
    }

    /// Waits until the function asks for its first event. Returns the time since its start.
    pub(crate) fn initialised(&self) -> Result<Duration, Error> {
        match self.signal()? {
            Signal::Idle(at) => Ok(at - self.started),
            other => Err(format!("unexpected {other:?}").into()),
        }
    }

    /// An answer that tells of a failure is an error.
    pub(crate) fn invoke(&self, event: Value) -> Result<Answered, Error> {
        let answered = self.answer(event)?;
        if is_failure(&answered.body) {
            return Err(format!("unexpected answer {}", answered.body).into());
        }
        Ok(answered)
    }

    /// Waits for the answer, and until the function asks for another event.
    pub(crate) fn answer(&self, event: Value) -> Result<Answered, Error> {
        self.events.send(event)?;
        let mut left = self.started;
        loop {
            match self.signal()? {
                Signal::Invoked(at) => left = at,
                Signal::Answered(at, body) => {
                    self.idle()?;
                    return Ok(Answered { time: at - left, body: serde_json::from_slice(&body)? });
                }
                Signal::Idle(_) => {}
                Signal::Failed(error) => return Err(error.into()),
            }
        }
    }

    fn idle(&self) -> Result<(), Error> {
        match self.signal()? {
            Signal::Idle(_) => Ok(()),
            other => Err(format!("unexpected {other:?}").into()),
        }
    }

    fn signal(&self) -> Result<Signal, Error> {
        let silent = |_| format!("the function was silent for {} s", PATIENCE.as_secs());
        Ok(self.signals.recv_timeout(PATIENCE).map_err(silent)?)
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Asks the process to end, and waits until it has.
    pub(crate) fn terminate(mut self) -> io::Result<()> {
        Command::new("kill").arg(self.process.id().to_string()).status()?;
        self.process.wait().map(drop)
    }

    pub(crate) fn hold_to(&self, share: &Share) -> io::Result<()> {
        share.hold(self.process.id())
    }

    /// Peak resident memory in KiB.
    pub(crate) fn peak_kib(&self) -> io::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
        peak.ok_or_else(|| io::Error::other("no VmHWM: the process has ended"))
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Of an HTTP request or of a batch of messages.
fn is_failure(answer: &Value) -> bool {
    let status = answer["statusCode"].as_u64();
    let failures = answer["batchItemFailures"].as_array();
    status.is_some_and(|status| status >= 300) || failures.is_some_and(|it| !it.is_empty())
}

/// The receiver of a signal is gone once the sandbox was dropped.
fn runtime(
    request: &Request,
    events: &Mutex<Receiver<Value>>,
    notify: &Sender<Signal>,
) -> Response {
    if request.path == NEXT {
        let _ = notify.send(Signal::Idle(Instant::now()));
        let Ok(event) = lock(events).recv() else { return Response::new(410, "{}") };
        let response = invocation(&event);
        let _ = notify.send(Signal::Invoked(Instant::now()));
        return response;
    }
    let at = Instant::now();
    let signal = if request.path.ends_with("/response") {
        Signal::Answered(at, request.body.clone())
    } else {
        Signal::Failed(String::from_utf8_lossy(&request.body).into_owned())
    };
    let _ = notify.send(signal);
    Response::new(202, "{}")
}

fn invocation(event: &Value) -> Response {
    let deadline = SystemTime::now() + TIMEOUT;
    let deadline = deadline.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let mut response = Response::new(200, event.to_string());
    response.headers = vec![
        ("lambda-runtime-aws-request-id", "00000000-0000-4000-8000-000000000000".to_owned()),
        ("lambda-runtime-deadline-ms", deadline.as_millis().to_string()),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:us-east-1:000000000000:function:f".to_owned(),
        ),
    ];
    response
}

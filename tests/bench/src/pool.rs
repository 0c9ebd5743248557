//! The processes of a function: as many as work at the same time, as Lambda starts them.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Error;
use crate::installation::Installation;
use crate::share::Share;
use crate::sync::usage::lock;

const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Pool {
    installation: Arc<Installation>,
    function: &'static str,
    program: &'static str,
    /// The process that was busy last gets the next event.
    idle: Mutex<Vec<Sender<Job>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    finished: Mutex<Vec<Finished>>,
    failures: Mutex<Vec<String>>,
    /// Process ids.
    processes: Mutex<Vec<u32>>,
}

type After = Box<dyn FnOnce(&Value) + Send>;

enum Job {
    Event { event: Value, at: Instant, after: After },
    Stop,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Finished {
    pub(crate) at: Instant,
    /// From the call of [`Pool::submit`] to the answer, with the start of a process if none was
    /// idle.
    pub(crate) time: Duration,
}

impl Pool {
    pub(crate) fn new(
        installation: &Arc<Installation>,
        function: &'static str,
        program: &'static str,
    ) -> Arc<Self> {
        Arc::new(Self {
            installation: Arc::clone(installation),
            function,
            program,
            idle: Mutex::default(),
            threads: Mutex::default(),
            finished: Mutex::default(),
            failures: Mutex::default(),
            processes: Mutex::default(),
        })
    }

    /// `after` gets the answer.
    pub(crate) fn submit(
        self: &Arc<Self>,
        event: Value,
        after: impl FnOnce(&Value) + Send + 'static,
    ) {
        let job = Job::Event { event, at: Instant::now(), after: Box::new(after) };
        let worker = lock(&self.idle).pop().unwrap_or_else(|| self.start());
        if worker.send(job).is_err() {
            lock(&self.failures).push(format!("{}: a process has ended", self.function));
        }
    }

    fn start(self: &Arc<Self>) -> Sender<Job> {
        let (sender, jobs) = channel();
        let (pool, own) = (Arc::clone(self), sender.clone());
        let thread = thread::spawn(move || {
            if let Err(error) = pool.work(&own, &jobs) {
                lock(&pool.failures).push(format!("{}: {error}", pool.function));
            }
        });
        lock(&self.threads).push(thread);
        sender
    }

    fn work(&self, own: &Sender<Job>, jobs: &Receiver<Job>) -> Result<(), Error> {
        let share = Share::of_memory(self.installation.memory(self.function));
        let sandbox = self.installation.start_program(self.function, self.program)?;
        sandbox.initialised()?;
        share.iter().try_for_each(|share| sandbox.hold_to(share))?;
        lock(&self.processes).push(sandbox.id());
        while let Job::Event { event, at, after } = jobs.recv()? {
            let answered = sandbox.answer(event)?;
            lock(&self.finished).push(Finished { at, time: at.elapsed() });
            lock(&self.idle).push(own.clone());
            after(&answered.body);
        }
        Ok(())
    }

    /// Whether this number of processes are busy.
    pub(crate) fn is_full(&self, limit: usize) -> bool {
        lock(&self.idle).is_empty() && lock(&self.threads).len() >= limit
    }

    /// The number of processes that were started.
    pub(crate) fn processes(&self) -> usize {
        lock(&self.threads).len()
    }

    /// Of all processes so far, in ticks of the kernel.
    pub(crate) fn cpu(&self) -> Duration {
        lock(&self.processes).iter().map(|id| crate::cpu::time_of(*id)).sum()
    }

    /// Of the events that were submitted since then.
    pub(crate) fn times_since(&self, since: Instant) -> Vec<Duration> {
        let finished = lock(&self.finished);
        finished.iter().filter(|it| it.at >= since).map(|it| it.time).collect()
    }

    /// Ends the processes once they are idle. A busy one has as long as a request may take.
    pub(crate) fn stop(&self) -> Result<(), Error> {
        let threads = std::mem::take(&mut *lock(&self.threads));
        let deadline = Instant::now() + PATIENCE;
        while !threads.iter().all(JoinHandle::is_finished) && Instant::now() < deadline {
            while let Some(worker) = lock(&self.idle).pop() {
                // The process may have failed.
                let _ = worker.send(Job::Stop);
            }
            thread::sleep(Duration::from_millis(5));
        }
        match lock(&self.failures).first() {
            Some(failure) => Err(failure.clone().into()),
            None => Ok(()),
        }
    }
}

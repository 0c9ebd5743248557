//! Sandboxes of Lambda: they keep a function in memory, run one invocation at a time, and can be
//! frozen or killed at any await.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep;

use crate::clock;
use crate::survey::Effect;
use crate::world::{State, World};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SandboxId(pub(crate) usize);

/// When a call of a sandbox kills it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Moment {
    /// The call never leaves.
    Before,
    /// The call has its effect; the sandbox does not see the answer.
    After,
}

pub(crate) struct SandboxState {
    /// Function and number.
    pub(crate) name: String,
    pub(crate) function: String,
    pub(crate) skew_ms: i64,
    pub(crate) is_dead: bool,
    /// The last time that a fault struck it.
    trouble_at: Option<u64>,
    /// From when to when it stood still, or was killed.
    stops: Vec<(u64, u64)>,
    /// Calls that this invocation may still make, and what happens at the last one.
    kill_in: Option<(u32, Moment)>,
    killed: Arc<Notify>,
    /// Invocations so far.
    invocations: u32,
}

impl SandboxState {
    pub(crate) fn new(number: usize, function: &str, skew_ms: i64) -> Self {
        Self {
            name: format!("{function}-{number}"),
            function: function.to_owned(),
            skew_ms,
            is_dead: false,
            trouble_at: None,
            stops: Vec::new(),
            kill_in: None,
            killed: Arc::default(),
            invocations: 0,
        }
    }
}

impl SandboxState {
    /// A fault strikes it: what it does from now on may be late, or not happen.
    pub(crate) fn trouble(&mut self) {
        self.trouble_at = Some(clock::now_ms());
    }

    /// As [`Self::had_trouble_since`], but a death is forgotten too.
    pub(crate) fn was_struck_since(&self, ms: u64) -> bool {
        self.trouble_at.is_some_and(|at| at >= ms)
    }

    /// True if it stood still or was killed in this time.
    pub(crate) fn stopped_within(&self, from: u64, until: u64) -> bool {
        self.stops.iter().any(|(began, ended)| *began <= until && *ended >= from)
    }

    fn stop(&mut self, duration: Duration) {
        let now = clock::now_ms();
        let ms = u64::try_from(duration.as_millis()).unwrap_or_default();
        self.stops.push((now, now + ms));
        self.trouble();
    }

    pub(crate) fn had_trouble_since(&self, ms: u64) -> bool {
        self.is_dead || self.trouble_at.is_some_and(|at| at >= ms)
    }
}

/// The fate of one invocation.
struct Fate {
    /// Kills it at this time, if no call does before.
    kill_after: Option<Duration>,
    /// Stands still at this time, for so long.
    freeze: Option<(Duration, Duration)>,
    skew_ms: i64,
    killed: Arc<Notify>,
}

impl State {
    /// Notes where the next call would kill its sandbox, if this run looks for that.
    pub(crate) fn survey(&mut self, id: SandboxId, effect: Effect) {
        let (call, invocation) = (self.calls + 1, (id, self.sandbox(id).invocations));
        if let Some(survey) = &mut self.survey {
            survey.note(invocation, call, effect);
        }
    }

    /// Counts a call of a sandbox. Returns whether the sandbox dies at this moment of the call.
    pub(crate) fn dies(&mut self, id: SandboxId, moment: Moment) -> bool {
        if moment == Moment::Before {
            self.calls += 1;
        }
        if self.kill_at == Some((self.calls, moment)) {
            self.kill_at = None;
            self.kill(id);
            return true;
        }
        let sandbox = self.sandbox_mut(id);
        let Some((left, at)) = &mut sandbox.kill_in else { return false };
        if moment == Moment::Before {
            *left = left.saturating_sub(1);
        }
        let dies = *left == 0 && *at == moment && !sandbox.is_dead;
        if dies {
            self.kill(id);
        }
        dies
    }

    pub(crate) fn kill(&mut self, id: SandboxId) {
        let sandbox = self.sandbox_mut(id);
        sandbox.is_dead = true;
        sandbox.stop(Duration::ZERO);
        sandbox.killed.notify_one();
        let name = sandbox.name.clone();
        *self.struck.entry("kill").or_default() += 1;
        self.tell(&name, || "KILLED".to_owned());
    }

    fn time_out(&mut self, id: SandboxId) {
        let sandbox = self.sandbox_mut(id);
        sandbox.is_dead = true;
        sandbox.stop(Duration::ZERO);
        let name = sandbox.name.clone();
        *self.struck.entry("timeout").or_default() += 1;
        self.tell(&name, || "TIMED OUT".to_owned());
    }

    fn thaws_after(&mut self, id: SandboxId, duration: Duration) {
        self.sandbox_mut(id).stop(duration);
        let name = self.sandbox(id).name.clone();
        self.tell(&name, || format!("FROZEN for {} s", duration.as_secs()));
    }

    fn fate(&mut self, id: SandboxId, timeout: Duration) -> Fate {
        let mut fate = Fate {
            kill_after: None,
            freeze: None,
            skew_ms: self.sandbox(id).skew_ms,
            killed: Arc::clone(&self.sandbox(id).killed),
        };
        let sandbox = self.sandbox_mut(id);
        sandbox.kill_in = None;
        sandbox.invocations += 1;
        if self.random.f64() < self.faults.kill {
            match self.random.u8(..3) {
                0 => fate.kill_after = Some(Duration::from_millis(self.random.u64(1..400))),
                moment => {
                    let moment = if moment == 1 { Moment::Before } else { Moment::After };
                    let most = if self.random.bool() { 6 } else { 20 };
                    let calls = self.random.u32(1..most);
                    self.sandbox_mut(id).kill_in = Some((calls, moment));
                }
            }
        }
        let (chance, longest) = (self.faults.freeze, timeout.as_secs().max(1));
        if self.strikes("freeze", chance) {
            // Often while a warm sandbox handles its first record.
            let latest = if self.random.bool() { 60 } else { 400 };
            let start = Duration::from_millis(self.random.u64(1..latest));
            fate.freeze = Some((start, Duration::from_secs(self.random.u64(1..=longest))));
        }
        fate
    }
}

/// Runs an invocation in a sandbox. `None` if the sandbox is killed, or its time is over.
pub(crate) async fn run<T>(
    world: &World,
    id: SandboxId,
    timeout: Duration,
    invocation: impl Future<Output = T>,
) -> Option<T> {
    let fate = world.lock().fate(id, timeout);
    let killed = fate.killed.notified();
    let kill_after = async {
        match fate.kill_after {
            Some(time) => sleep(time).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        () = killed => None,
        () = kill_after => {
            world.lock().kill(id);
            None
        }
        () = sleep(timeout) => {
            world.lock().time_out(id);
            None
        }
        result = freezing(world, id, &fate, invocation) => Some(result),
    }
}

/// Polls `inner` with the sandbox's clock, but not while it is frozen.
async fn freezing<T>(
    world: &World,
    id: SandboxId,
    fate: &Fate,
    inner: impl Future<Output = T>,
) -> T {
    let frozen = Cell::new(false);
    let mut inner = pin!(inner);
    let mut freezer = pin!(async {
        let Some((start, duration)) = fate.freeze else { return std::future::pending().await };
        sleep(start).await;
        frozen.set(true);
        world.lock().thaws_after(id, duration);
        sleep(duration).await;
        world.lock().sandbox_mut(id).trouble();
        frozen.set(false);
        std::future::pending::<()>().await;
    });
    poll_fn(|context| {
        let _ = freezer.as_mut().poll(context);
        if frozen.get() {
            return Poll::Pending;
        }
        clock::with_skew(fate.skew_ms, || inner.as_mut().poll(context))
    })
    .await
}

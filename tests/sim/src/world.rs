//! The state of one run: AWS, the plan of faults, and the record of what happened.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use doubles::dynamodb::DynamoDb;
use doubles::sqs::Sqs;
use doubles::ssm::{Kind, Ssm};
use fastrand::Rng;
use tokio::sync::Notify;

use crate::bugs::{Bug, Memory};
use crate::call::Service;
use crate::clock;
use crate::faults::Faults;
use crate::flows::Flows;
use crate::internet::carrier::Carrier;
use crate::internet::cloud_api::CloudApi;
use crate::ledger::Ledger;
use crate::sandbox::{SandboxId, SandboxState};
use crate::setup::endpoints::Endpoints;
use crate::setup::{Patience, STAGE};
use crate::sockets::Sockets;
use crate::story::Story;
use crate::survey::{KillPoint, Survey};
use crate::topology::Topology;

/// One run's world. Everything runs on one thread; the lock is never contended, and never held
/// across an await.
#[derive(Clone)]
pub(crate) struct World(Arc<Mutex<State>>);

pub(crate) struct State {
    /// Chooses everything that the seed decides.
    pub(crate) random: Rng,
    pub(crate) faults: Faults,
    pub(crate) patience: Patience,
    pub(crate) flows: Flows,
    /// A service that answers nothing.
    pub(crate) away: Option<Service>,
    pub(crate) bug: Option<Bug>,
    pub(crate) bug_memory: Memory,
    pub(crate) topology: Arc<Topology>,
    pub(crate) dynamodb: DynamoDb,
    pub(crate) sqs: Sqs,
    pub(crate) ssm: Ssm,
    pub(crate) sandboxes: Vec<SandboxState>,
    /// The calls of all sandboxes so far.
    pub(crate) calls: u64,
    /// Kills the sandbox that makes this call.
    pub(crate) kill_at: Option<KillPoint>,
    /// Of a run that looks for the calls that are worth a kill.
    pub(crate) survey: Option<Survey>,
    /// What the carrier knows.
    pub(crate) carrier: Carrier,
    /// What WhatsApp's Cloud API has to report, and whom it refuses.
    pub(crate) cloud_api: CloudApi,
    pub(crate) sockets: Sockets,
    /// Customers' servers fail until then; of single ones, by endpoint.
    pub(crate) receivers_down_until: u64,
    pub(crate) down_until: BTreeMap<&'static str, u64>,
    pub(crate) endpoints: Endpoints,
    /// The secrets that the server of a shop may have now, by account.
    pub(crate) vendors: BTreeMap<&'static str, Vec<String>>,
    /// By queue: a message was sent, or one becomes visible earlier.
    pub(crate) arrivals: BTreeMap<String, Arc<Notify>>,
    pub(crate) ledger: Ledger,
    pub(crate) story: Story,
    /// Requests that reached the API.
    pub(crate) requests: u64,
    /// How often each kind of fault struck.
    pub(crate) struck: BTreeMap<&'static str, u64>,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").finish_non_exhaustive()
    }
}

impl World {
    pub(crate) fn new(state: State) -> Self {
        Self(Arc::new(Mutex::new(state)))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a step to the story.
    pub(crate) fn tell(&self, who: &str, what: impl FnOnce() -> String) {
        self.lock().tell(who, what);
    }

    /// Waits for a random time of at most `max_ms`.
    pub(crate) async fn pause(&self, max_ms: u64) {
        let ms = self.lock().random.u64(0..=max_ms);
        tokio::time::sleep(std::time::Duration::from_millis(ms)).await;
    }
}

impl State {
    pub(crate) fn tell(&mut self, who: &str, what: impl FnOnce() -> String) {
        self.story.step(who, what);
    }

    /// Decides whether a fault strikes, and counts it if so.
    pub(crate) fn strikes(&mut self, kind: &'static str, chance: f64) -> bool {
        let strikes = chance > 0.0 && self.random.f64() < chance;
        if strikes {
            *self.struck.entry(kind).or_default() += 1;
        }
        strikes
    }

    /// A random duration in ms, mostly near `typical`, sometimes far longer.
    pub(crate) fn latency(&mut self, typical: u64) -> u64 {
        match self.random.u8(..) {
            0 => self.random.u64(typical..=typical * 200),
            1..=12 => self.random.u64(typical..=typical * 10),
            _ => self.random.u64(1..=typical),
        }
    }

    pub(crate) fn sandbox(&self, id: SandboxId) -> &SandboxState {
        &self.sandboxes[id.0]
    }

    pub(crate) fn sandbox_mut(&mut self, id: SandboxId) -> &mut SandboxState {
        &mut self.sandboxes[id.0]
    }

    /// Wakes the poller of a queue.
    pub(crate) fn announce(&self, queue: &str) {
        if let Some(arrival) = self.arrivals.get(queue) {
            arrival.notify_one();
        }
    }

    /// API Gateway gives each request an id of its own, also to the repeat of another one.
    pub(crate) fn next_request_id(&mut self) -> String {
        self.requests += 1;
        format!("request-{}", self.requests)
    }

    /// Changes a setting, as operators do.
    pub(crate) fn put_setting(&mut self, name: &str, kind: Kind, value: &str) {
        let now = self.now();
        self.ssm.put(&format!("/waypost/{STAGE}/{name}"), kind, value, now);
        self.tell("operator", || format!("puts the setting {name}"));
    }

    pub(crate) fn remove_setting(&mut self, name: &str) {
        self.ssm.remove(&format!("/waypost/{STAGE}/{name}"));
        self.tell("operator", || format!("removes the setting {name}"));
    }

    pub(crate) fn now(&self) -> u64 {
        clock::now_ms()
    }
}

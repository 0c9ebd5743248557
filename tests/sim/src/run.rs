//! One run: a seed, its world, its end.

use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use tokio::runtime::Builder;
use tokio::task::{LocalSet, spawn_local};
use tokio::time::sleep;

use crate::actors::meetings::Meeting;
use crate::actors::{Actors, Cast};
use crate::bugs::Memory;
use crate::faults::Faults;
use crate::flows::Flows;
use crate::judge::judge;
use crate::lambda::Lambda;
use crate::sandbox::Moment;
use crate::scenarios::Scenario;
use crate::setup::endpoints::Endpoints;
use crate::setup::{ACCOUNTS, Patience};
use crate::sockets::Sockets;
use crate::story::Story;
use crate::survey::{KillPoint, Survey};
use crate::topology::Topology;
use crate::world::{State, World};
use crate::{clock, logs, setup};

/// The longest time that work may take after the last fault.
const SETTLING: Duration = Duration::from_secs(2 * 60 * 60);
/// The longest time that it takes unless something went wrong. A message may come again after twice
/// the visibility timeout of 12 minutes. After an hour, `sweep` finds what is forgotten.
const LONGEST: Duration = Duration::from_secs(50 * 60);
/// How often the run looks whether everything is done.
const LOOK: Duration = Duration::from_secs(5);

/// The end of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub seed: u64,
    pub steps: u64,
    /// Of all steps: equal for equal runs.
    pub hash: u64,
    pub virtual_time: Duration,
    /// The time that the work took after the last fault.
    pub settled_after: Duration,
    /// Broken promises.
    pub violations: Vec<String>,
    /// How often each kind of fault struck.
    pub struck: BTreeMap<&'static str, u64>,
    /// Webhooks and requests that were accepted, deliveries, POSTs.
    pub counts: BTreeMap<&'static str, u64>,
    /// Of a run without any fault.
    pub(crate) kill_points: Vec<KillPoint>,
    /// Empty unless asked for.
    pub story: String,
}

/// What a run is made from.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    /// Keeps the text of every step.
    pub(crate) tells: bool,
    /// In place of what the seed draws.
    pub(crate) scenario: Option<&'static Scenario>,
    /// Strikes once, and no other fault does.
    pub(crate) kill_at: Option<KillPoint>,
    /// Takes the place of the actors that the seed draws.
    pub(crate) meeting: Option<&'static Meeting>,
}

impl Plan {
    /// A call that is never made kills nobody.
    pub(crate) const NO_KILL: KillPoint = (u64::MAX, Moment::Before);

    pub(crate) fn of(seed: u64) -> Self {
        Self { seed, tells: false, scenario: None, kill_at: None, meeting: None }
    }

    /// What goes wrong, and which flows take part.
    pub(crate) fn draw(self, random: &mut Rng) -> (Faults, Flows) {
        let faults = Faults::draw(random);
        match (self.kill_at, self.scenario) {
            (Some(_), _) => {
                let flows = Flows::draw_one(random);
                let is_meeting = self.meeting.is_some();
                (Faults::NONE, if is_meeting { flows } else { flows.with_one_more(self.seed) })
            }
            (None, Some(scenario)) => (Faults::NONE, scenario.flows()),
            (None, None) => (faults, Flows::draw(random).with_more(self.seed)),
        }
    }
}

/// Runs a seed. `tells` keeps the text of every step.
pub fn run(seed: u64, topology: &Arc<Topology>, tells: bool) -> io::Result<Outcome> {
    run_plan(Plan { tells, ..Plan::of(seed) }, topology)
}

pub(crate) fn run_plan(plan: Plan, topology: &Arc<Topology>) -> io::Result<Outcome> {
    fastrand::seed(plan.seed);
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build()?;
    let live = live(plan, Arc::clone(topology));
    let (world, ending) = runtime.block_on(LocalSet::new().run_until(live));
    Ok(world.lock().outcome(plan.seed, ending))
}

/// Times of the end of a run.
#[derive(Debug, Clone, Copy)]
struct Ending {
    virtual_time: Duration,
    settled_after: Duration,
}

async fn live(plan: Plan, topology: Arc<Topology>) -> (World, Ending) {
    clock::begin();
    let world = world(plan, topology);
    let _logs = tracing::subscriber::set_default(logs::subscriber(world.clone()));
    let lambda = Lambda::new(world.clone());
    start(&world, &lambda);
    let actors = Actors::new(world.clone(), lambda);
    actors.attend_to_sends();
    match (plan.scenario, plan.meeting) {
        (Some(scenario), _) => actors.live_through(scenario).await,
        (None, Some(meeting)) => actors.meet(meeting).await,
        (None, None) => {
            let cast = world.lock().draw_cast(plan);
            actors.act(cast).await;
        }
    }
    let end = clock::elapsed();
    world.lock().end_faults();
    settle(&world, plan.scenario.map_or(SETTLING, |scenario| scenario.within * 2)).await;
    world.lock().cloud_api.is_closed = true;
    let settled_after = clock::elapsed() - end;
    if plan.scenario.is_none() && settled_after > LONGEST {
        let text = format!("the work goes on for {} minutes", settled_after.as_secs() / 60);
        world.lock().ledger.violation(text);
    }
    while actors.retry_failed().await {
        settle(&world, SETTLING).await;
    }
    if plan.scenario.is_some() {
        actors.redrive();
        settle(&world, SETTLING).await;
    }
    finish_polling(&world, &actors).await;
    if world.lock().flows.clients > 0 {
        actors.register_once_more().await;
        settle(&world, SETTLING).await;
        actors.read_last_frames();
    }
    if world.lock().flows.has_messages() {
        actors.read_messages().await;
    }
    judge(&mut world.lock());
    (world, Ending { virtual_time: clock::elapsed(), settled_after })
}

/// The carrier is asked once more: then everything that it knows has to be there.
async fn finish_polling(world: &World, actors: &Actors) {
    if world.lock().flows.polling.is_none() {
        return;
    }
    actors.ask_once_more().await;
    settle(world, SETTLING).await;
    if actors.ask_after_backoff().await {
        settle(world, SETTLING).await;
    }
}

pub(crate) fn world(plan: Plan, topology: Arc<Topology>) -> World {
    let mut random = Rng::with_seed(plan.seed);
    let (faults, flows) = plan.draw(&mut random);
    let topology = if flows.clients > 0 { topology.with_sockets() } else { topology };
    let patience = if plan.scenario.is_some() { Patience::Long } else { Patience::Short };
    flows.before_the_hour.iter().for_each(|ms| clock::begin_before_the_hour(*ms));
    let endpoints = Endpoints::draw(&mut random);
    let vendors = ACCOUNTS.map(|account| (account, vec![setup::vendor_secret(account)]));
    let mut state = State {
        patience,
        faults,
        flows,
        away: None,
        bug: topology.bug,
        bug_memory: Memory::default(),
        dynamodb: topology.dynamodb(),
        sqs: topology.sqs(),
        ssm: setup::settings(patience, &endpoints, clock::now_ms()),
        endpoints,
        vendors: vendors.into(),
        topology,
        sandboxes: Vec::new(),
        calls: 0,
        kill_at: plan.kill_at,
        survey: (plan.kill_at == Some(Plan::NO_KILL)).then(Survey::default),
        carrier: crate::internet::carrier::Carrier::default(),
        cloud_api: crate::internet::cloud_api::CloudApi::default(),
        sockets: Sockets::default(),
        receivers_down_until: 0,
        down_until: BTreeMap::new(),
        arrivals: BTreeMap::new(),
        ledger: crate::ledger::Ledger::default(),
        story: if plan.tells { Story::readable() } else { Story::default() },
        requests: 0,
        struck: BTreeMap::new(),
        random,
    };
    if flows.has_messages() {
        setup::messages::put(&mut state.ssm, clock::now_ms());
    }
    if flows.crowd {
        setup::messages::put_rules_of_crowd(&mut state.ssm, clock::now_ms());
    } else if flows.rules {
        setup::messages::put_rules(&mut state.ssm, clock::now_ms());
    }
    if let Some(polling) = flows.polling {
        polling.put(&mut state.ssm, clock::now_ms());
        state.carrier.polling = Some(polling);
    }
    World::new(state)
}

/// Starts the pollers of queues and the schedules.
fn start(world: &World, lambda: &Rc<Lambda>) {
    let topology = Arc::clone(&world.lock().topology);
    for function in topology.functions() {
        if !function.queues.is_empty() {
            spawn_local(Rc::clone(lambda).poll_queue(Arc::clone(function)));
        }
        if !function.schedules.is_empty() {
            spawn_local(Rc::clone(lambda).fire(Arc::clone(function)));
        }
    }
}

/// Waits until nothing is left to do.
async fn settle(world: &World, at_most: Duration) {
    let end = clock::elapsed() + at_most;
    while clock::elapsed() < end {
        {
            let state = world.lock();
            let messages: usize = state.work_queues().map(|(_, messages)| messages).sum();
            if messages + state.waiting_rows() == 0 {
                return;
            }
        }
        sleep(LOOK).await;
    }
}

impl State {
    fn draw_cast(&mut self, plan: Plan) -> Cast {
        match plan.kill_at {
            Some(_) if self.flows.is_small => Cast::NOBODY,
            Some(_) => Cast::draw_one(&mut self.random),
            None if self.flows.is_plain() => Cast::draw(&mut self.random),
            None => Cast::draw_beside(&mut self.random),
        }
    }

    pub(crate) fn end_faults(&mut self) {
        self.faults = Faults::NONE;
        self.away = None;
        self.receivers_down_until = 0;
        self.down_until.clear();
        self.cloud_api.refuses_until.clear();
        self.tell("run", || "no more faults".to_owned());
    }

    fn outcome(&mut self, seed: u64, ending: Ending) -> Outcome {
        let counts = [
            ("webhooks", self.ledger.webhooks.len()),
            ("orders", self.ledger.orders.len()),
            ("deliveries", self.ledger.deliveries.len()),
            ("posts", self.ledger.posts.len()),
            ("messages", self.ledger.sends.accepted.len()),
            ("posts of messages", self.ledger.sends.posts.len()),
            ("calls", usize::try_from(self.calls).unwrap_or(usize::MAX)),
        ];
        let count = |(name, number)| (name, u64::try_from(number).unwrap_or(u64::MAX));
        Outcome {
            seed,
            steps: self.story.steps(),
            hash: self.story.hash(),
            virtual_time: ending.virtual_time,
            settled_after: ending.settled_after,
            violations: self.ledger.violations().to_vec(),
            struck: self.struck.clone(),
            counts: counts.map(count).into(),
            kill_points: self.survey.as_ref().map(Survey::kill_points).unwrap_or_default(),
            story: self.story.text().to_owned(),
        }
    }
}

//! Who uses the system: partners with their orders, carriers with their webhooks, operators.

use std::rc::Rc;
use std::time::Duration;

use doubles::names::queue_url;
use doubles::sqs::Chances;
use fastrand::Rng;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::clock;
use crate::lambda::Lambda;
use crate::scenarios::{Outage, Scenario};
use crate::world::{State, World};

mod carriers;
mod messages;
mod order;
mod parcels;
mod polling;
mod reads;
mod request;
mod shop;
mod statuses;
mod webhook;

/// A scenario of days has its orders within the first hours.
const MOST_BUSY: Duration = Duration::from_secs(4 * 60 * 60);
/// No order takes longer while its requests are answered.
const STORY: Duration = Duration::from_secs(150);
const ORDERS_OF_SCENARIO: usize = 40;

/// Who takes part in a run. Few at a time, so that a run stays small.
pub(crate) struct Cast {
    /// Each with one parcel and its reports.
    orders: usize,
    /// Each with orders that have to do with each other.
    shops: usize,
}

impl Cast {
    pub(crate) fn draw(random: &mut Rng) -> Self {
        match random.u8(..8) {
            0..=2 => Self { orders: random.usize(1..8), shops: 0 },
            3..=5 => Self { orders: random.usize(..2), shops: 1 },
            6 => Self { orders: random.usize(1..4), shops: 1 },
            _ => Self { orders: 0, shops: 2 },
        }
    }

    /// Beside the other flows of a run.
    pub(crate) fn draw_beside(random: &mut Rng) -> Self {
        Self { orders: random.usize(..3), shops: usize::from(random.u8(..4) == 0) }
    }

    /// Orders of their own in place of shops.
    pub(crate) fn without_shops(self) -> Self {
        Self { orders: self.orders + self.shops, shops: 0 }
    }

    /// The smallest part: whose every call is struck in turn.
    pub(crate) fn draw_one(random: &mut Rng) -> Self {
        let orders = random.usize(..2);
        Self { orders, shops: 1 - orders }
    }
}

/// All actors of a run.
#[derive(Clone)]
pub(crate) struct Actors {
    world: World,
    lambda: Rc<Lambda>,
}

impl Actors {
    pub(crate) fn new(world: World, lambda: Rc<Lambda>) -> Self {
        Self { world, lambda }
    }

    /// Runs until every actor has done what it does.
    pub(crate) async fn act(&self, cast: Cast) {
        let flows = self.world.lock().flows;
        let polling = async {
            if let Some(polling) = flows.polling {
                self.poll(polling).await;
            }
        };
        let orders = self.tell_orders(cast.orders, Duration::ZERO);
        let messages = async {
            if flows.messages {
                self.exchange_messages().await;
            }
        };
        tokio::join!(orders, self.tell_shops(cast.shops), polling, messages);
    }

    /// Begins the orders within this time, and waits until the last one has been told.
    async fn tell_orders(&self, orders: usize, within: Duration) {
        let mut stories = JoinSet::new();
        for number in 0..orders {
            let plan = order::Plan::draw(number, &mut self.world.lock().random);
            let actors = self.clone();
            stories.spawn_local(async move {
                actors.wait_up_to(within.as_secs()).await;
                actors.tell_order(plan).await;
            });
        }
        while stories.join_next().await.is_some() {}
    }

    async fn tell_shops(&self, shops: usize) {
        let mut stories = JoinSet::new();
        for number in 0..shops {
            let shop = shop::Shop::draw(number, &mut self.world.lock().random);
            let actors = self.clone();
            stories.spawn_local(async move { actors.tell_shop(&Rc::new(shop)).await });
        }
        while stories.join_next().await.is_some() {}
    }

    /// Goes on with the work during an outage, until it ends.
    pub(crate) async fn live_through(&self, scenario: &Scenario) {
        self.world.lock().begin(scenario);
        let busy = scenario.lasts.min(MOST_BUSY).saturating_sub(STORY);
        tokio::join!(self.tell_orders(ORDERS_OF_SCENARIO, busy), sleep(scenario.lasts));
    }

    /// Sends what is in the dead-letter queues back to its queue, as `make` does for operators.
    pub(crate) fn redrive(&self) {
        let mut state = self.world.lock();
        for (letters, queue) in [("DeliveriesDlq", "DeliveriesQueue"), ("EventsDlq", "EventsQueue")]
        {
            while state.redrive_some(letters, queue) {}
            state.announce(queue);
        }
    }

    async fn wait_up_to(&self, seconds: u64) {
        let ms = self.world.lock().random.u64(0..=seconds * 1000);
        sleep(Duration::from_millis(ms)).await;
    }
}

impl State {
    /// Returns whether there may be more.
    fn redrive_some(&mut self, letters: &str, queue: &str) -> bool {
        let (now, chances) = (clock::now_ms(), Chances::default());
        let batch = self.sqs.receive(letters, 10, now, &chances, &mut self.random);
        for letter in &batch {
            let mut message = json!({ "QueueUrl": queue_url(queue), "MessageBody": letter.body });
            if let Some(group) = &letter.group {
                message["MessageGroupId"] = group.as_str().into();
            }
            let sent = self.sqs.call("SendMessage", &message, now, &chances, &mut self.random);
            match sent {
                Ok(_) => self.sqs.delete(letters, &letter.receipt, now),
                Err(error) => self.ledger.violation(format!("no redrive: {}", error.code())),
            }
        }
        !batch.is_empty()
    }

    fn begin(&mut self, scenario: &Scenario) {
        match scenario.outage {
            Outage::Faults(faults) => self.faults = faults,
            Outage::Away(service) => self.away = Some(service),
            Outage::Receivers => self.receivers_down_until = u64::MAX,
        }
        self.tell("run", || scenario.name.to_owned());
    }
}

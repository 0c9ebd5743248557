//! Who uses the system: partners with their orders, carriers with their webhooks, operators.

use std::rc::Rc;
use std::time::Duration;

use fastrand::Rng;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::lambda::Lambda;
use crate::scenarios::{Scenario, Trial};
use crate::setup::PHONE;
use crate::world::{State, World};

mod carriers;
mod crowd;
pub(crate) mod meetings;
pub(crate) mod messages;
mod operator;
mod order;
mod outage;
mod parcels;
mod polling;
mod reads;
mod request;
mod sends;
mod settings;
mod shop;
mod sockets;
mod statuses;
mod webhook;

/// A scenario of days has its orders within the first hours.
const MOST_BUSY: Duration = Duration::from_secs(4 * 60 * 60);
const ORDERS_OF_SCENARIO: usize = 40;

/// Who takes part in a run. Few at a time, so that a run stays small.
pub(crate) struct Cast {
    /// Each with one parcel and its reports.
    orders: usize,
    /// Each with orders that have to do with each other.
    shops: usize,
}

impl Cast {
    pub(crate) const NOBODY: Self = Self { orders: 0, shops: 0 };

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
        let sends = async {
            if flows.sends {
                self.send_messages().await;
            }
        };
        let watching = self.watch_orders(flows.clients);
        let others = async { tokio::join!(self.operate(), self.change_settings(), self.fail()) };
        tokio::join!(
            orders,
            self.tell_shops(cast.shops),
            polling,
            messages,
            sends,
            watching,
            others
        );
    }

    /// Begins the orders within this time, and waits until the last one has been told.
    async fn tell_orders(&self, orders: usize, within: Duration) {
        let mut stories = JoinSet::new();
        for number in 0..orders {
            let mut plan = order::Plan::draw(number, &mut self.world.lock().random);
            if self.world.lock().flows.rules {
                plan.phone = shopper(number);
            }
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

    /// Goes on with the work during the scenario, which ends with the last order's last report.
    pub(crate) async fn live_through(&self, scenario: &Scenario) {
        self.world.lock().begin(scenario);
        if scenario.trial == Trial::Crowd {
            return self.change_at_once().await;
        }
        let busy = scenario.lasts.min(MOST_BUSY);
        tokio::join!(self.tell_orders(ORDERS_OF_SCENARIO, busy), sleep(scenario.lasts));
    }

    async fn wait_up_to(&self, seconds: u64) {
        sleep(self.draw_wait(seconds)).await;
    }

    fn draw_wait(&self, most_seconds: u64) -> Duration {
        Duration::from_millis(self.world.lock().random.u64(0..=most_seconds * 1000))
    }
}

/// Every second order is of the same shopper.
fn shopper(number: usize) -> String {
    format!("{PHONE}{:03}", number % 2)
}

impl State {
    fn begin(&mut self, scenario: &Scenario) {
        match scenario.trial {
            Trial::Faults(faults) => self.faults = faults,
            Trial::Away(service) => self.away = Some(service),
            Trial::Receivers => self.receivers_down_until = u64::MAX,
            Trial::Crowd => {}
        }
        self.tell("run", || scenario.name.to_owned());
    }
}

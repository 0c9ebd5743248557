//! Orders that the carrier is asked about: their parcels move while runs of polling begin, by the
//! schedule or by hand, now and then two at once.

use std::time::Duration;

use futures::future::join_all;
use tokio::time::{Instant, sleep, sleep_until};

use self::plan::{PHONE, Plan, PolledOrder, Size, Step};
use super::Actors;
use crate::clock;
use crate::internet::carrier::parcel::Parcel;
use crate::ledger::polling::timestamp;
use crate::ledger::{Field, What};
use crate::setup::polling::{Access, Key, Polling, Shop};
use crate::world::State;

mod plan;

/// More than clocks are off.
const SKEW: Duration = Duration::from_secs(5);
/// An hour, and the time since the run that began it.
const LONGEST_BACKOFF: Duration = Duration::from_secs(65 * 60);

impl Actors {
    /// Orders, parcels and runs, until faults end.
    pub(crate) async fn poll(&self, polling: Polling) {
        let plan = {
            let mut state = self.world.lock();
            let size =
                if state.flows.is_small { Size::Small } else { Size::draw(&mut state.random) };
            let has_faults = state.faults.carrier > 0.0;
            let plan = Plan::draw(polling, size, has_faults, &mut state.random);
            plan.orders.iter().for_each(|order| state.hand_over(order));
            plan
        };
        let end = Instant::now() + Duration::from_millis(plan.span);
        let orders = plan.orders.iter().map(|order| self.tell_polled_order(order));
        let runs = plan.runs.iter().map(|at| async {
            sleep(Duration::from_millis(*at)).await;
            self.lambda.sync_now().await;
        });
        let changes = self.change_polling(polling, plan.span);
        tokio::join!(join_all(orders), join_all(runs), changes, self.pass_the_hour());
        sleep_until(end).await;
    }

    /// A shop gets another license key, or the second account is not polled any more.
    async fn change_polling(&self, polling: Polling, span: u64) {
        let chance = self.world.lock().faults.settings;
        if !self.world.lock().strikes("settings", chance) {
            return;
        }
        self.world.pause(span).await;
        let mut state = self.world.lock();
        match (state.random.u8(..3), polling.access) {
            (0, Access::Own) | (0 | 1, Access::Shared) => state.stop_polling_second(polling),
            (1, Access::Own) => state.rotate(Shop::Second),
            _ => state.rotate(Shop::First),
        }
    }

    /// The schedule fires at the full hour.
    async fn pass_the_hour(&self) {
        let hour = self.world.lock().flows.before_the_hour;
        if let Some(ms) = hour {
            sleep(Duration::from_millis(ms + 30_000)).await;
        }
    }

    async fn tell_polled_order(&self, order: &PolledOrder) {
        let creating = async {
            self.wait_up_to(30).await;
            self.create_polled(order).await;
        };
        let began = Instant::now();
        let moving = order.later.iter().map(|later| async {
            sleep_until(began + Duration::from_millis(later.at)).await;
            let pushed = {
                let mut state = self.world.lock();
                let parcel = state.move_parcel(order, later.step);
                parcel.filter(|_| later.is_pushed).map(|parcel| order.webhook(&parcel))
            };
            if let Some(webhook) = pushed {
                self.send_webhook(&webhook).await;
            }
        });
        tokio::join!(creating, join_all(moving));
    }

    async fn create_polled(&self, order: &PolledOrder) {
        let asked = self.ask(&order.creation()).await;
        self.repeat(&order.creation());
        self.expect(&asked, &[200, 201], "the creation of a polled order");
        let mut state = self.world.lock();
        state.ledger.order(order.key.clone(), asked.promise());
        for (field, value) in [(Field::Awb, order.awb.as_str()), (Field::Phone, PHONE)] {
            let what = What::Field(field, Some(value.to_owned()));
            state.ledger.sayings.push(asked.saying(order.key.clone(), what));
        }
    }

    /// Once faults have ended: one more run brings everything that the carrier knows.
    pub(crate) async fn ask_once_more(&self) {
        self.world.tell("run", || "the last run of polling".to_owned());
        self.lambda.sync_now().await;
    }

    /// Waits for the orders that back off, if it is not long and the seed wants it. Returns whether
    /// there is another run.
    pub(crate) async fn ask_after_backoff(&self) -> bool {
        let wait = {
            let mut state = self.world.lock();
            let wants = state.random.u8(..4) == 0;
            state.longest_backoff().filter(|wait| wants && *wait <= LONGEST_BACKOFF)
        };
        let Some(wait) = wait else { return false };
        sleep(wait + SKEW).await;
        self.ask_once_more().await;
        true
    }
}

impl State {
    /// The shop hands the parcel over to the carrier.
    fn hand_over(&mut self, order: &PolledOrder) {
        let place = (order.shop, order.awb.clone());
        if let Some(parcel) = self.carrier.parcels.get_mut(&place) {
            return parcel.orders.push(order.key.clone());
        }
        let mut parcel = order.parcel();
        let now = clock::now_ms();
        let count = u64::try_from(order.known.len()).unwrap_or_default();
        for (step, before) in order.known.iter().zip((0..count).rev()) {
            parcel.scan(*step, now - (before + 1) * 3_600_000);
        }
        self.carrier.parcels.insert(place, parcel);
    }

    fn rotate(&mut self, shop: Shop) {
        let now = self.now();
        self.tell("operator", || format!("changes the license key of {shop:?}"));
        self.carrier.rotated = Some((shop, now));
        shop.put(&[Key::New, Key::Old], &mut self.ssm, now);
    }

    fn stop_polling_second(&mut self, polling: Polling) {
        let now = self.now();
        self.tell("operator", || "ends polling for the second account".to_owned());
        self.carrier.former = Some((polling, now));
        let polling = Polling { access: Access::Nobody, ..polling };
        self.carrier.polling = Some(polling);
        polling.put_settings(&mut self.ssm, now);
        Shop::Second.remove(&mut self.ssm);
    }

    fn move_parcel(&mut self, order: &PolledOrder, step: Step) -> Option<Parcel> {
        let now = clock::now_ms();
        self.tell("carrier", || format!("{} of {} {step:?}", order.key.order, order.key.account));
        let parcel = self.carrier.parcels.get_mut(&(order.shop, order.awb.clone()))?;
        parcel.scan(step, now);
        Some(parcel.clone())
    }

    /// Until the last order that the carrier did not know is asked about again.
    fn longest_backoff(&self) -> Option<Duration> {
        let now = timestamp(self.now());
        let waits = self.polled_rows().into_iter().filter_map(|row| {
            let unknown = row.active.unknown?;
            (unknown.ask_after > now).then(|| unknown.ask_after.since(now))
        });
        waits.max()
    }
}

//! Orders that the carrier is asked about: their parcels move while runs of polling begin, by the
//! schedule or by hand, now and then two at once.

use std::time::Duration;

use domain::core::id::{AccountCode, OrderId, OrderKey};
use fastrand::Rng;
use futures::future::join_all;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, sleep_until};

use super::Actors;
use super::request::vendor;
use super::webhook::Webhook;
use crate::clock;
use crate::internet::carrier::parcel::{Parcel, Scan, draw_journey, local};
use crate::lambda::ApiRequest;
use crate::ledger::polling::timestamp;
use crate::ledger::{Field, What};
use crate::setup::polling::{Polling, Shop};
use crate::setup::{ACCOUNTS, SHIPWAY_HASH};
use crate::world::State;

/// More than one batch.
const CROWD: usize = 56;
/// No order is found by it.
const PHONE: &str = "canary-phone-2";

/// What the seed has in store.
struct Plan {
    orders: Vec<PolledOrder>,
    /// Parcels move, and runs begin, within so many milliseconds.
    span: u64,
    /// When operators start runs.
    runs: Vec<u64>,
}

#[derive(Debug, Clone)]
struct PolledOrder {
    account: &'static str,
    key: OrderKey,
    shop: Shop,
    awb: String,
    /// Statuses that the carrier knows before the order is created.
    known: Vec<Step>,
    later: Vec<LaterStep>,
    breaks_calls: bool,
}

type Step = (&'static str, &'static str);

#[derive(Debug, Clone, Copy)]
struct LaterStep {
    step: Step,
    at: u64,
    /// The carrier's webhook tells of it too.
    is_pushed: bool,
}

impl Plan {
    fn draw(polling: Polling, has_faults: bool, random: &mut Rng) -> Self {
        let span = random.u64(30_000..200_000);
        let is_crowd = random.u8(..24) == 0;
        let count = if is_crowd { CROWD } else { random.usize(1..6) };
        let orders = (0..count).filter_map(|number| {
            let mut order = PolledOrder::draw(number, polling, span, random)?;
            order.breaks_calls = has_faults && random.u8(..12) == 0;
            if is_crowd {
                order.later.truncate(1);
            }
            Some(order)
        });
        let orders = orders.collect();
        let mut runs: Vec<u64> = (0..random.usize(1..4)).map(|_| random.u64(0..span)).collect();
        if random.u8(..3) == 0 {
            runs.push(runs[0]);
        }
        Self { orders, span, runs }
    }
}

impl PolledOrder {
    fn draw(number: usize, polling: Polling, span: u64, random: &mut Rng) -> Option<Self> {
        let account = ACCOUNTS[usize::from(random.u8(..5) < 2)];
        let key = OrderKey {
            account: AccountCode::parse(account).ok()?,
            order: OrderId::parse(&format!("POLL-{number}")).ok()?,
        };
        let shop = polling.shop(&key.account).unwrap_or(Shop::Second);
        let mut journey = draw_journey(random).iter().copied();
        let known = journey.by_ref().take(random.usize(..3)).collect();
        let mut later: Vec<LaterStep> = journey
            .take(random.usize(..5))
            .map(|step| LaterStep { step, at: random.u64(0..span), is_pushed: random.u8(..4) == 0 })
            .collect();
        let mut times: Vec<u64> = later.iter().map(|later| later.at).collect();
        times.sort_unstable();
        later.iter_mut().zip(times).for_each(|(later, at)| later.at = at);
        Some(Self {
            account,
            key,
            shop,
            awb: awb(number, random),
            known,
            later,
            breaks_calls: false,
        })
    }

    fn parcel(&self) -> Parcel {
        Parcel {
            shop: self.shop,
            awb: self.awb.clone(),
            orders: vec![self.key.clone()],
            scans: Vec::new(),
            breaks_calls: self.breaks_calls,
        }
    }

    fn creation(&self) -> ApiRequest {
        let body = json!({
            "orderId": self.key.order, "awb": self.awb, "poll": "shipway",
            "customer": {"phone": PHONE, "firstName": "canary-name"},
        });
        vendor(self.account, "POST", "/api/external/orders", &body)
    }

    /// The webhook about the newest scan of the parcel.
    fn webhook(&self, parcel: &Parcel) -> Webhook {
        let scan = |scan: &Scan| json!({"time": local(scan.at), "status": scan.step.1, "location": scan.place});
        let scans: Vec<Value> = parcel.scans.iter().rev().map(scan).collect();
        let newest = parcel.scans.last();
        let body = json!({
            "hash": SHIPWAY_HASH,
            "status_feed": [{
                "order_id": self.key.order, "awbno": self.awb,
                "current_status": newest.map(|scan| scan.step.0),
                "current_status_desc": newest.map(|scan| scan.step.1),
                "status_time": newest.map(|scan| local(scan.at)),
                "scans": scans, "consignee": "canary-consignee",
            }],
        });
        Webhook::new("shipway", self.account, &body)
    }
}

/// Numbers, with leading zeros and without, and words in either case. Some cannot be asked about.
fn awb(number: usize, random: &mut Rng) -> String {
    // A number of zeros is no AWB.
    let number = number + 1;
    match random.u8(..12) {
        0 | 1 => format!("0047{number:06}"),
        2 => format!("aBc{number:03}x"),
        3 => format!("{number:0>64}"),
        4 => format!("XY,Z&{number}"),
        5 => format!("{}{number:03}", "L".repeat(70)),
        _ => format!("4700{number:06}"),
    }
}

impl Actors {
    /// Orders, parcels and runs, until faults end.
    pub(crate) async fn poll(&self, polling: Polling) {
        let plan = {
            let mut state = self.world.lock();
            let has_faults = state.faults.carrier > 0.0;
            let plan = Plan::draw(polling, has_faults, &mut state.random);
            plan.orders.iter().for_each(|order| state.hand_over(order));
            plan
        };
        let end = Instant::now() + Duration::from_millis(plan.span);
        let orders = plan.orders.iter().map(|order| self.tell_polled_order(order));
        let runs = plan.runs.iter().map(|at| async {
            sleep(Duration::from_millis(*at)).await;
            self.lambda.sync_now().await;
        });
        tokio::join!(join_all(orders), join_all(runs), self.pass_the_hour());
        sleep_until(end).await;
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

/// More than clocks are off.
const SKEW: Duration = Duration::from_secs(5);
/// An hour, and the time since the run that began it.
const LONGEST_BACKOFF: Duration = Duration::from_secs(65 * 60);

impl State {
    /// The shop hands the parcel over to the carrier.
    fn hand_over(&mut self, order: &PolledOrder) {
        let mut parcel = order.parcel();
        let now = clock::now_ms();
        let count = u64::try_from(order.known.len()).unwrap_or_default();
        for (step, before) in order.known.iter().zip((0..count).rev()) {
            parcel.scan(*step, now - (before + 1) * 3_600_000);
        }
        self.carrier.parcels.insert((order.shop, order.awb.clone()), parcel);
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

//! What the carrier told, and what was queued to ask it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::core::id::{AccountCode, Awb, OrderKey, ReportId};
use domain::core::timestamp::Timestamp;
use domain::polling::{BatchMessage, PollResult, PolledReport};
use domain::tracking::report::Report;
use serde_json::Value;
use sources::shipway::tracking_api::{self, ParcelAnswer, TrackingQuery};

use crate::sandbox::SandboxId;
use crate::setup::ACCOUNTS;
use crate::setup::polling::Shop;
use crate::world::State;

/// Of polling, at any time.
const WORKERS: usize = 2;

/// The number of a batch: run, planner, number among the planner's.
pub(crate) type BatchNumber = (String, u8, u64);

#[derive(Default)]
pub(crate) struct PollingLedger {
    /// Reports in answers of the carrier, by order.
    pub(crate) told: BTreeMap<OrderKey, BTreeMap<ReportId, Report>>,
    /// Orders that were not in an answer, or in a call that was not answered.
    pub(crate) untold: BTreeSet<OrderKey>,
    /// Reports that `poll` queued for `process`.
    pub(crate) results: Vec<PolledReport>,
    /// The batches of each number, by fingerprint. After a crash there may be several.
    pub(crate) batches: BTreeMap<BatchNumber, BTreeMap<String, BatchMessage>>,
    /// Runs that were opened by an invocation that ended well.
    pub(crate) opened: Vec<String>,
    /// The last call of each sandbox.
    last_calls: BTreeMap<SandboxId, u64>,
    /// Sandboxes that wait for an answer of the carrier.
    waiting: BTreeSet<SandboxId>,
}

/// A question to the carrier.
pub(crate) struct Asked {
    pub(crate) shop: Shop,
    pub(crate) awbs: Vec<String>,
}

impl PollingLedger {
    /// The call of a sandbox is answered, or given up.
    pub(crate) fn end_call(&mut self, sandbox: SandboxId) {
        self.waiting.remove(&sandbox);
    }

    /// True if a batch has an order of such an account with this AWB.
    pub(crate) fn is_queued(&self, awb: &str, is_own: impl Fn(&AccountCode) -> bool) -> bool {
        let batches = self.batches.values().flat_map(BTreeMap::values);
        let mut orders = batches.flat_map(|batch| &batch.orders);
        orders.any(|order| order.awb().as_str() == awb && is_own(&order.account))
    }
}

impl State {
    /// `sync` names the run that it opened: the schedule opens that of its hour.
    pub(crate) fn record_run(&mut self, event: &Value, answer: &Value) {
        let Some(run) = answer["run"].as_str() else { return };
        let hour = event["at"].as_str().and_then(|at| at.get(.."2026-03-02T07".len()));
        if hour.is_some_and(|hour| run != format!("hourly-{hour}")) {
            let event = event.to_string();
            self.ledger.violation(format!("{event} opens the run {run}"));
        }
        self.ledger.polling.opened.push(run.to_owned());
    }

    /// A call leaves a sandbox.
    pub(crate) fn begin_call(&mut self, sandbox: SandboxId) {
        self.ledger.polling.waiting.insert(sandbox);
        let waiting = self.ledger.polling.waiting.len();
        if waiting > WORKERS {
            self.ledger.violation(format!("{waiting} workers ask the carrier at once"));
        }
        let now = self.now();
        let before = self.ledger.polling.last_calls.insert(sandbox, now);
        let Some(polling) = self.carrier.polling else { return };
        // The workers share the rate.
        let gap = Duration::from_secs_f64(2.0 / polling.calls_per_second).as_millis();
        if before.is_some_and(|before| u128::from(now - before + 1) < gap) {
            let name = self.sandbox(sandbox).name.clone();
            self.ledger.violation(format!("{name} asks the carrier too often"));
        }
    }

    /// Records what an answer tells about each order. `None` if it does not arrive.
    pub(crate) fn record_told(&mut self, asked: &Asked, body: Option<&[u8]>) {
        for (order, awb) in self.orders_of(asked) {
            let query =
                TrackingQuery { account: &order.account, order_id: &order.order, awb: &awb };
            let told = body.and_then(|body| tracking_api::read(&[query], body).ok());
            let ledger = &mut self.ledger.polling;
            match told.into_iter().flatten().next() {
                Some(ParcelAnswer::Known(report)) => {
                    let reports = ledger.told.entry(order).or_default();
                    reports.insert(report.id.clone(), *report);
                }
                Some(ParcelAnswer::Unknown) | None => drop(ledger.untold.insert(order)),
            }
        }
    }

    fn orders_of(&self, asked: &Asked) -> Vec<(OrderKey, Awb)> {
        let parcels = asked.awbs.iter().filter_map(|awb| {
            let parcel = self.carrier.parcels.get(&(asked.shop, awb.clone()))?;
            Some((parcel, Awb::parse(awb).ok()?))
        });
        let orders = parcels.flat_map(|(parcel, awb)| {
            parcel.orders.iter().map(move |order| (order.clone(), awb.clone()))
        });
        orders.collect()
    }

    /// Records batches and poll results that were queued.
    pub(crate) fn record_polling(&mut self, sandbox: SandboxId, queue: &str, request: &Value) {
        let entries = request["Entries"].as_array().into_iter().flatten();
        let bodies = entries.chain([request]).filter_map(|it| it["MessageBody"].as_str());
        for body in bodies {
            match queue {
                "BatchesQueue" => {
                    if let Some(batch) = BatchMessage::read(body) {
                        self.record_batch(sandbox, batch);
                    }
                }
                "EventsQueue" => {
                    let result = PollResult::read(body);
                    let reports = result.into_iter().flat_map(|result| result.reports);
                    self.ledger.polling.results.extend(reports);
                }
                _ => {}
            }
        }
    }

    fn record_batch(&mut self, sandbox: SandboxId, batch: BatchMessage) {
        let run = &batch.run.id;
        let shop = match batch.credential.as_ref().map(AccountCode::as_str) {
            None => Shop::First,
            Some(account) if account == ACCOUNTS[1] => Shop::Second,
            Some(_) => {
                let told = format!("a batch of {run} has unknown credentials");
                return self.ledger.violation(told);
            }
        };
        if batch.orders.iter().any(|order| !self.may_plan(sandbox, shop, &order.account)) {
            let told = format!("a batch of {run} mixes credentials");
            self.ledger.violation(told);
        }
        let number = (batch.run.id.clone(), batch.planner, batch.k);
        let of_number = self.ledger.polling.batches.entry(number).or_default();
        of_number.insert(batch.fingerprint(), batch);
    }

    /// What the carrier would tell about an order now, without any fault.
    pub(crate) fn truth_about(&self, order: &OrderKey) -> Option<Report> {
        let parcel = self.carrier.parcel_of(order)?;
        let body = Value::from(vec![parcel.item()?]).to_string();
        let awb = Awb::parse(&parcel.awb).ok()?;
        let query = TrackingQuery { account: &order.account, order_id: &order.order, awb: &awb };
        match tracking_api::read(&[query], body.as_bytes()).ok()?.into_iter().next()? {
            ParcelAnswer::Known(report) => Some(*report),
            ParcelAnswer::Unknown => None,
        }
    }
}

/// Milliseconds since 1970 as the product's type.
pub(crate) fn timestamp(ms: u64) -> Timestamp {
    let at = i64::try_from(ms).ok().and_then(|ms| Timestamp::from_millis(ms).ok());
    at.unwrap_or(Timestamp::EPOCH)
}

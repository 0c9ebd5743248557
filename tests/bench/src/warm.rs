//! Warm functions: webhooks at several rates, each through `inbound`, `process` and `deliver` to a
//! customer's server.
//!
//! A message reaches its function at once, so the time in queues is left out. All processes, the
//! doubles among them, share the machine.

mod report;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

pub(crate) use self::report::Warm;
use self::report::{Rate, Work};
use crate::Error;
use crate::events::pick_up;
use crate::installation::Installation;
use crate::installation::internet::Arrival;
use crate::installation::requests::{STEPS, order_id, webhook};
use crate::pool::Pool;
use crate::queues::Queues;
use crate::sync::usage::lock;

/// Webhooks per second, and measured seconds.
const RATES: [(u32, u32); 3] = [(1, 20), (50, 20), (200, 15)];
/// Seconds at the same rate before that, in which processes start.
const WARM_UP: u32 = 5;
/// For the last deliveries.
const PATIENCE: Duration = Duration::from_secs(20);

/// The webhooks of each order without a POST so far, by the time at which each was handed over, and
/// the time that each other one took to its POST.
#[derive(Default)]
struct Ledger {
    accepted: BTreeMap<String, VecDeque<Instant>>,
    delivered: Vec<(Instant, Duration)>,
}

pub(crate) fn measure(installation: &Arc<Installation>) -> Result<Warm, Error> {
    let rates = RATES.map(|(rate, seconds)| measure_rate(installation, rate, seconds));
    Ok(Warm { rates: rates.into_iter().collect::<Result<_, _>>()? })
}

fn measure_rate(installation: &Arc<Installation>, rate: u32, seconds: u32) -> Result<Rate, Error> {
    let (warm_up, measured) = (rate * WARM_UP, rate * seconds);
    let changes = STEPS.len() as u32 - 1;
    let orders = u64::from((warm_up + measured).div_ceil(changes));
    installation.account.reset();
    pick_up(installation, orders)?;

    let ledger = Arc::<Mutex<Ledger>>::default();
    let watching = Arc::clone(&ledger);
    installation.account.internet.watch(move |arrival| lock(&watching).arrived(&arrival));
    let pools = ["inbound", "process", "deliver"].map(|it| (it, Pool::new(installation, it, it)));
    let queues = Queues::consume(installation, &pools[1..])?;
    let begin = Instant::now();
    let (mut since, mut cpu) = (begin, [Duration::ZERO; 3]);
    for number in 0..warm_up + measured {
        sleep(
            (begin + Duration::from_secs(1) * number / rate)
                .saturating_duration_since(Instant::now()),
        );
        if number == warm_up {
            (since, cpu) = (Instant::now(), pools.each_ref().map(|(_, pool)| pool.cpu()));
        }
        let (order, step) = (u64::from(number) % orders, u64::from(number) / orders);
        let step = STEPS[1 + step as usize];
        lock(&ledger).accept(order);
        pools[0].1.submit(webhook(order, step), |_| {});
    }
    wait_for(&ledger)?;
    drop(queues);
    installation.account.internet.unwatch();
    let mut functions = Vec::new();
    for ((name, pool), before) in pools.iter().zip(cpu) {
        let cpu = pool.cpu().saturating_sub(before) / measured;
        let (times, processes) = (pool.times_since(since), pool.processes());
        functions.push(Work { name, times, cpu, processes });
        pool.stop()?;
    }
    let delivered = std::mem::take(&mut lock(&ledger).delivered);
    let delivered = delivered.into_iter().filter(|(at, _)| *at >= since).map(|(_, time)| time);
    Ok(Rate { per_second: rate, functions, delivered: delivered.collect() })
}

/// Until the POSTs of all webhooks have left.
fn wait_for(ledger: &Mutex<Ledger>) -> Result<(), Error> {
    let begin = Instant::now();
    loop {
        let missing: usize = lock(ledger).accepted.values().map(VecDeque::len).sum();
        match missing {
            0 => return Ok(()),
            _ if begin.elapsed() > PATIENCE => {
                return Err(format!("{missing} webhooks were not delivered").into());
            }
            _ => sleep(Duration::from_millis(20)),
        }
    }
}

impl Ledger {
    fn accept(&mut self, order: u64) {
        self.accepted.entry(order_id(order)).or_default().push_back(Instant::now());
    }

    fn arrived(&mut self, arrival: &Arrival) {
        let body = String::from_utf8_lossy(&arrival.body);
        let order = self.accepted.iter_mut().find(|(order, _)| body.contains(order.as_str()));
        let accepted = order.and_then(|(_, accepted)| accepted.pop_front());
        self.delivered.extend(accepted.map(|at| (at, arrival.at - at)));
    }
}

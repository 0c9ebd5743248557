//! What the seed has in store for polled orders.

use domain::core::id::{AccountCode, OrderId, OrderKey};
use fastrand::Rng;
use serde_json::{Value, json};

use crate::actors::request::vendor;
use crate::actors::webhook::Webhook;
use crate::internet::carrier::parcel::{Parcel, Scan, draw_journey, local};
use crate::lambda::ApiRequest;
use crate::setup::polling::{Polling, Shop};
use crate::setup::{ACCOUNTS, SHIPWAY_HASH};

/// A batch has at most 50.
const CROWD: usize = 56;
/// No order is found by it.
pub(super) const PHONE: &str = "canary-phone-2";

/// Orders and runs.
pub(super) struct Plan {
    pub(super) orders: Vec<PolledOrder>,
    /// Parcels move, and runs begin, within so many milliseconds.
    pub(super) span: u64,
    /// When operators start runs.
    pub(super) runs: Vec<u64>,
}

#[derive(Debug, Clone)]
pub(super) struct PolledOrder {
    account: &'static str,
    pub(super) key: OrderKey,
    pub(super) shop: Shop,
    pub(super) awb: String,
    /// Statuses that the carrier knows before the order is created.
    pub(super) known: Vec<Step>,
    pub(super) later: Vec<LaterStep>,
    pub(super) breaks_calls: bool,
}

pub(super) type Step = (&'static str, &'static str);

#[derive(Debug, Clone, Copy)]
pub(super) struct LaterStep {
    pub(super) step: Step,
    pub(super) at: u64,
    /// The carrier's webhook tells of it too.
    pub(super) is_pushed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    Small,
    Usual,
    /// More than one batch.
    Crowd,
}

impl Size {
    pub(super) fn draw(random: &mut Rng) -> Self {
        if random.u8(..24) == 0 { Self::Crowd } else { Self::Usual }
    }

    /// Orders, and runs by hand.
    fn counts(self, random: &mut Rng) -> (usize, usize) {
        match self {
            Self::Small => (random.usize(1..3), 1),
            Self::Usual => (random.usize(1..6), random.usize(1..4)),
            Self::Crowd => (CROWD, random.usize(1..4)),
        }
    }
}

impl Plan {
    pub(super) fn draw(polling: Polling, size: Size, has_faults: bool, random: &mut Rng) -> Self {
        let span = random.u64(30_000..if size == Size::Small { 50_000 } else { 200_000 });
        let (count, runs) = size.counts(random);
        let mut orders: Vec<PolledOrder> = Vec::new();
        for number in 0..count {
            let Some(mut order) = PolledOrder::draw(number, polling, span, random) else {
                continue;
            };
            order.breaks_calls = has_faults && random.u8(..12) == 0;
            order.later.truncate(if size == Size::Usual { usize::MAX } else { 1 });
            // Two accounts may have the same AWB.
            let awb = orders.last().map(|other| other.awb.clone());
            let is_own = |awb: &String| {
                orders.iter().any(|it| it.account == order.account && it.awb == *awb)
            };
            if let Some(awb) = awb.filter(|awb| !is_own(awb) && random.u8(..4) == 0) {
                order.awb = awb;
            }
            orders.push(order);
        }
        let mut runs: Vec<u64> = (0..runs).map(|_| random.u64(0..span)).collect();
        if size != Size::Small && random.u8(..3) == 0 {
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

    pub(super) fn parcel(&self) -> Parcel {
        Parcel {
            shop: self.shop,
            awb: self.awb.clone(),
            orders: vec![self.key.clone()],
            scans: Vec::new(),
            breaks_calls: self.breaks_calls,
        }
    }

    pub(super) fn creation(&self) -> ApiRequest {
        let body = json!({
            "orderId": self.key.order, "awb": self.awb, "poll": "shipway",
            "customer": {"phone": PHONE, "firstName": "canary-name"},
        });
        vendor(self.account, "POST", "/api/external/orders", &body)
    }

    /// The webhook about the newest scan of the parcel.
    pub(super) fn webhook(&self, parcel: &Parcel) -> Webhook {
        let scan = |scan: &Scan| json!({ "time": local(scan.at), "status": scan.step.1, "location": scan.place });
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

//! The carrier's tracking API, in Shipway's form.

use std::collections::BTreeMap;

use domain::core::id::{AccountCode, Awb, OrderKey};
use egress::simulation::Request;

use self::parcel::Parcel;
use super::{Answer, Reply};
use crate::ledger::polling::Asked;
use crate::sandbox::SandboxId;
use crate::setup::polling::{Key, Polling, Shop};
use crate::world::State;

mod answer;
mod failure;
pub(crate) mod parcel;

/// What the carrier knows.
#[derive(Debug, Default)]
pub(crate) struct Carrier {
    /// `None` if this run does not poll.
    pub(crate) polling: Option<Polling>,
    /// A shop may have two parcels with one AWB, of two accounts: then it is the same parcel.
    pub(crate) parcels: BTreeMap<(Shop, String), Parcel>,
    trouble: Option<Trouble>,
    /// A shop has another license key since then.
    pub(crate) rotated: Option<(Shop, u64)>,
    /// How the run polled until then.
    pub(crate) former: Option<(Polling, u64)>,
}

/// By then every function knows a change of the settings, and has made the calls that it had begun
/// before.
const CHANGE_MS: u64 = 60_000;

/// The API refuses every call, or all of a shop, until then.
#[derive(Debug, Clone, Copy)]
struct Trouble {
    shop: Option<Shop>,
    status: u16,
    until: u64,
}

impl Carrier {
    /// The parcels that a shop sees of these.
    fn seen_by(&self, shop: Shop, awbs: &[String]) -> Vec<Parcel> {
        let parcels = awbs.iter().filter_map(|awb| self.parcels.get(&(shop, awb.clone())));
        parcels.cloned().collect()
    }

    /// The parcel with this AWB, for the orders of the account.
    pub(crate) fn parcel_of(&self, order: &OrderKey) -> Option<&Parcel> {
        self.parcels.values().find(|parcel| parcel.orders.contains(order))
    }
}

impl State {
    pub(crate) fn reply_of_carrier(&mut self, sandbox: SandboxId, request: &Request) -> Reply {
        let authorization = request.headers().get("authorization");
        let shop = authorization.and_then(|it| Shop::by_authorization(it.to_str().ok()?));
        if shop.is_none() {
            self.ledger.violation("the carrier is asked with unknown credentials".to_owned());
        }
        let Some(shop) = shop.and_then(|(shop, key)| self.admit(sandbox, shop, key)) else {
            return Reply::after_ms(50, Ok(Answer::new(401, "no")));
        };
        let asked = Asked { shop, awbs: awbs(request) };
        self.check_question(&asked);
        let reply = self.reply_about(&asked);
        let told = match &reply.result {
            Ok(answer) if reply.is_whole() && answer.status == 200 => Some(answer.body.as_slice()),
            _ => None,
        };
        self.record_told(&asked, told);
        let name = self.sandbox(sandbox).name.clone();
        self.tell(&name, || format!("GET {} parcels of {shop:?} -> {reply}", asked.awbs.len()));
        reply
    }

    /// True if a sandbox may plan an account with the credentials of a shop. One that cannot read
    /// the settings goes on with the last ones.
    pub(crate) fn may_plan(&self, sandbox: SandboxId, shop: Shop, account: &AccountCode) -> bool {
        let is_in_force = |until: u64| {
            self.now() < until + CHANGE_MS || self.sandbox(sandbox).had_trouble_since(until)
        };
        let former = self.carrier.former.filter(|(_, until)| is_in_force(*until));
        let mut ways = self.carrier.polling.into_iter().chain(former.map(|(polling, _)| polling));
        ways.any(|polling| polling.shop(account) == Some(shop))
    }

    /// An old license key is valid for a while.
    fn admit(&mut self, sandbox: SandboxId, shop: Shop, key: Key) -> Option<Shop> {
        let rotated = self.carrier.rotated.filter(|(it, _)| *it == shop).map(|(_, at)| at);
        match (key, rotated) {
            (Key::Old, Some(at)) if self.now() > at + CHANGE_MS => {
                if !self.sandbox(sandbox).had_trouble_since(at) {
                    let text = format!("{shop:?} is asked about with an old license key");
                    self.ledger.violation(text);
                }
                None
            }
            (Key::New, None) => None,
            _ => Some(shop),
        }
    }

    fn reply_about(&mut self, asked: &Asked) -> Reply {
        let parcels = self.carrier.seen_by(asked.shop, &asked.awbs);
        let parcels: Vec<&Parcel> = parcels.iter().collect();
        let chance = self.faults.carrier;
        if chance > 0.0 && parcels.iter().any(|parcel| parcel.breaks_calls) {
            return self.broken_call(&parcels);
        }
        if let Some(reply) = self.trouble_of(asked.shop) {
            return reply;
        }
        if self.strikes("carrier", chance) {
            return self.failing_call(asked, &parcels);
        }
        let body = serde_json::Value::from(answer::truth(&parcels)).to_string();
        let ms = self.latency(300);
        Reply::after_ms(ms, Ok(Answer::new(200, body)))
    }

    /// Every call asks about 1 to 50 parcels, each once, with the credentials of their shop.
    fn check_question(&mut self, asked: &Asked) {
        let mut sorted = asked.awbs.clone();
        sorted.sort();
        sorted.dedup();
        if sorted.len() != asked.awbs.len() || !(1..=50).contains(&sorted.len()) {
            self.ledger.violation(format!("a call asks about {} parcels", asked.awbs.len()));
        }
        let foreign = asked.awbs.iter().filter(|awb| !self.may_ask(asked.shop, awb));
        let foreign: Vec<&String> = foreign.collect();
        if !foreign.is_empty() {
            let told = format!("{foreign:?} are asked about with credentials of {:?}", asked.shop);
            self.ledger.violation(told);
        }
    }

    /// True if a shop's credentials are those of an order with this AWB.
    fn may_ask(&self, shop: Shop, awb: &str) -> bool {
        // A batch that was planned before a change is asked about after it.
        let former = self.carrier.former.map(|(polling, _)| polling);
        let ways: Vec<Polling> = self.carrier.polling.into_iter().chain(former).collect();
        let is_own =
            |account: &AccountCode| ways.iter().any(|polling| polling.shop(account) == Some(shop));
        match self.carrier.parcels.get(&(shop, awb.to_owned())) {
            Some(parcel) => parcel.orders.iter().any(|order| is_own(&order.account)),
            // The carrier does not know it; a batch with these credentials does.
            None => self.ledger.polling.is_queued(awb, is_own),
        }
    }
}

pub(crate) fn awbs(request: &Request) -> Vec<String> {
    let pairs = request.url().query_pairs();
    let list = pairs.into_iter().find(|(name, _)| name == "awb_numbers");
    let list = list.map(|(_, list)| list.into_owned()).unwrap_or_default();
    list.split(',').filter(|awb| Awb::parse(awb).is_ok()).map(str::to_owned).collect()
}

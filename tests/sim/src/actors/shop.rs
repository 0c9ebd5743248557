//! A shop whose orders have to do with each other: they share AWBs, ids of providers, and ids that
//! are spelled alike. What its server, its carriers and its people do comes in bursts, so that
//! requests meet.

use std::rc::Rc;

use domain::core::id::{AccountCode, OrderId, OrderKey};
use fastrand::Rng;
use tokio::task::JoinSet;

use super::Actors;
use super::carriers::Sent;
use super::parcels::{Change, Creation};
use super::statuses::Said;
use crate::setup::ACCOUNTS;

/// Bursts come within so many seconds.
const SPAN: u64 = 240;
/// Each burst lasts for so many milliseconds.
const BURST_MS: u64 = 1500;

/// The names that a shop and its carriers use.
pub(super) struct Shop {
    pub(super) number: usize,
    pub(super) account: &'static str,
    pub(super) orders: Vec<String>,
    /// Each is a number with leading zeros now and then.
    pub(super) awbs: Vec<String>,
    /// Of the providers, for orders.
    pub(super) ids: Vec<u64>,
    actions: Vec<(u64, Action)>,
}

/// What somebody does.
#[derive(Debug, Clone)]
pub(super) enum Action {
    Create(Creation),
    Change(Change),
    Report(Said),
    /// Takes back any report of an order.
    Withdraw(usize),
    Webhook(Sent),
    Read(usize),
    List(usize),
}

impl Shop {
    pub(super) fn draw(number: usize, random: &mut Rng) -> Self {
        // Two shops may use the same names, in different accounts.
        let first = random.bool();
        let (account, names) = match number {
            0 => (ACCOUNTS[0], 0),
            _ if first => (ACCOUNTS[1], 0),
            _ => (ACCOUNTS[1], 1),
        };
        let mut shop = Self {
            number,
            account,
            orders: order_ids(names, random),
            awbs: (0..random.usize(2..5)).map(|it| format!("5500{names}0{it}")).collect(),
            ids: (0..random.u64(1..3)).map(|it| 700_000 + it).collect(),
            actions: Vec::new(),
        };
        shop.plan(random);
        shop
    }

    /// A shop with these names that does nothing by itself.
    pub(super) fn of(account: &'static str, orders: &[&str], awbs: &[&str]) -> Self {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let (orders, awbs) = (owned(orders), owned(awbs));
        Self { number: 0, account, orders, awbs, ids: vec![700_000], actions: Vec::new() }
    }

    fn plan(&mut self, random: &mut Rng) {
        let bursts: Vec<u64> =
            (0..random.usize(2..6)).map(|_| random.u64(0..SPAN * 1000)).collect();
        let at = |random: &mut Rng| bursts[random.usize(..bursts.len())] + random.u64(0..BURST_MS);
        for order in 0..self.orders.len() {
            // The first order always exists.
            if order == 0 || random.u8(..6) > 0 {
                let creation = Creation::draw(self, order, random);
                self.actions.push((at(random), Action::Create(creation)));
            }
        }
        for number in 0..random.usize(6..18) {
            let action = self.action(number, random);
            self.actions.push((at(random), action));
        }
    }

    fn action(&self, number: usize, random: &mut Rng) -> Action {
        let order = random.usize(..self.orders.len());
        match random.u8(..20) {
            0 => Action::Create(Creation::draw(self, order, random)),
            1..=4 => Action::Change(Change::draw(self, order, random)),
            5..=6 => Action::Report(Said::draw(self, order, number, random)),
            7 => Action::Withdraw(order),
            8..=16 => Action::Webhook(Sent::draw(self, order, number, random)),
            17..=18 => Action::Read(order),
            _ => Action::List(order),
        }
    }

    pub(super) fn key(&self, order: usize) -> Option<OrderKey> {
        let account = AccountCode::parse(self.account).ok()?;
        Some(OrderKey { account, order: OrderId::parse(&self.orders[order]).ok()? })
    }

    pub(super) fn awb(&self, random: &mut Rng) -> String {
        let awb = &self.awbs[random.usize(..self.awbs.len())];
        if random.u8(..6) == 0 { format!("00{awb}") } else { awb.clone() }
    }

    pub(super) fn id(&self, random: &mut Rng) -> u64 {
        self.ids[random.usize(..self.ids.len())]
    }
}

/// Two to four ids, of which some are spellings of another.
fn order_ids(names: usize, random: &mut Rng) -> Vec<String> {
    let mut ids = vec![format!("S{names}-1")];
    for number in 2..random.usize(3..5) {
        let id = match random.u8(..6) {
            0 => format!("#S{names}-1"),
            1 => format!("S{names}-1_740007001"),
            _ => format!("S{names}-{number}"),
        };
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    ids
}

impl Actors {
    pub(super) async fn tell_shop(&self, shop: &Rc<Shop>) {
        let mut actions = JoinSet::new();
        for (at, action) in shop.actions.clone() {
            let (actors, shop) = (self.clone(), Rc::clone(shop));
            actions.spawn_local(async move {
                tokio::time::sleep(std::time::Duration::from_millis(at)).await;
                actors.take(&shop, action).await;
            });
        }
        while actions.join_next().await.is_some() {}
    }

    pub(super) async fn take(&self, shop: &Shop, action: Action) {
        match action {
            Action::Create(creation) => self.create_order(shop, &creation).await,
            Action::Change(change) => self.change(shop, &change).await,
            Action::Report(said) => self.report_status(shop, &said).await,
            Action::Withdraw(order) => self.withdraw_any(shop, order).await,
            Action::Webhook(sent) => self.send(&sent).await,
            Action::Read(order) => self.read(shop, order).await,
            Action::List(order) => self.list(shop, order).await,
        }
    }
}

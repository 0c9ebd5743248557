//! Which messages are sent, to whom and when.

use fastrand::Rng;
use serde_json::{Value, json};

use crate::actors::messages::Order;
use crate::setup::messages::NUMBERS;
use crate::setup::{ACCOUNTS, PHONE};

/// Everything begins within so many milliseconds, in bursts: then requests meet.
const SPAN: u64 = 120_000;
const BURST: u64 = 1500;
const MOST: usize = 7;

pub(super) struct Plan {
    pub(super) orders: Vec<Order>,
    pub(super) sends: Vec<Send>,
}

/// A request that somebody is going to send.
#[derive(Debug, Clone)]
pub(super) struct Send {
    pub(super) at: u64,
    pub(super) account: &'static str,
    pub(super) order: Option<Order>,
    pub(super) body: Value,
    pub(super) key: Option<String>,
    pub(super) by_admin: bool,
}

impl Plan {
    pub(super) fn draw(is_small: bool, random: &mut Rng) -> Self {
        let count = if is_small { 1 } else { random.usize(..3) };
        let orders = (0..count).filter_map(|number| Order::draw("SND", number, random));
        let orders: Vec<Order> = orders.collect();
        let bursts: Vec<u64> = (0..random.usize(1..4)).map(|_| random.u64(..SPAN)).collect();
        let most = if is_small { 2 } else { random.usize(2..=MOST) };
        let mut sends: Vec<Send> = Vec::new();
        for number in 0..most {
            let at = bursts[random.usize(..bursts.len())] + random.u64(..BURST);
            let mut send = Send::draw(&orders, number, at, random);
            if let Some(other) = sends.first().filter(|_| random.u8(..6) == 0) {
                send = other.again(at, random);
            }
            sends.push(send);
        }
        Self { orders, sends }
    }
}

impl Send {
    fn draw(orders: &[Order], number: usize, at: u64, random: &mut Rng) -> Self {
        let index = random.usize(..=orders.len());
        let order = orders.get(index).cloned();
        let account = order.as_ref().map_or(ACCOUNTS[random.usize(..2)], |order| order.account);
        let own: Vec<&str> =
            NUMBERS.iter().filter(|(_, it)| *it == account).map(|(number, _)| *number).collect();
        let shopper = random.usize(..3);
        let to = match random.u8(..4) {
            0 => format!("IN.1000{shopper}"),
            1 => format!("+91{PHONE}00{shopper}"),
            _ => format!("91{PHONE}00{shopper}"),
        };
        let mut body = json!({
            "account_code": account, "to": to,
            "template": { "name": "order_update", "language": "en" },
        });
        // An account with one number need not name it.
        if own.len() > 1 || random.bool() {
            body["phone_number_id"] = own[random.usize(..own.len())].into();
        }
        if let Some(order) = &order {
            body["order_id"] = json!(order.key.order);
        }
        if random.bool() {
            let text = json!({ "type": "text", "text": format!("canary-value {number}") });
            body["template"]["components"] = json!([{ "type": "body", "parameters": [text] }]);
        }
        let key = (random.u8(..6) > 0).then(|| format!("send-{number}"));
        Self { at, account, order, body, key, by_admin: random.bool() }
    }

    /// Somebody uses the same key once more, for the same message or another one.
    fn again(&self, at: u64, random: &mut Rng) -> Self {
        let mut send = Self { at, ..self.clone() };
        if send.key.is_some() && random.bool() {
            send.body["template"]["name"] = "another".into();
        }
        send
    }
}

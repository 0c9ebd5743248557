//! A thousand orders that are out for delivery at the same moment: each sends a message.

use std::time::Duration;

use futures::future::join_all;
use tokio::time::sleep;

use super::Actors;
use super::order::Plan;
use super::webhook::Report;
use crate::clock;
use crate::ledger::sends::Crowd;
use crate::setup::{ACCOUNTS, PHONE};

const ORDERS: usize = 1000;
/// So many of them are one shopper's: more than the 45 that WhatsApp takes at once.
const OF_ONE_SHOPPER: usize = 50;
/// One in so many is of the second account.
const OF_SECOND_ACCOUNT: usize = 4;
const CREATED_WITHIN_SECONDS: u64 = 120;
/// The events of the creations end.
const QUIET: Duration = Duration::from_secs(60);
/// 200 webhooks a second.
const CHANGED_WITHIN_SECONDS: u64 = 5;

impl Actors {
    pub(super) async fn change_at_once(&self) {
        let plans: Vec<Plan> = (0..ORDERS).map(plan).collect();
        join_all(plans.iter().map(|plan| async {
            self.wait_up_to(CREATED_WITHIN_SECONDS).await;
            self.create(plan).await;
        }))
        .await;
        sleep(QUIET).await;
        let key = |plan: &Plan| Some((plan.key()?, plan.phone.clone()));
        let orders = plans.iter().filter_map(key).collect();
        let crowd = Crowd { orders, at: clock::now_ms() };
        self.world.lock().ledger.sends.crowd = Some(crowd);
        join_all(plans.iter().map(|plan| async {
            self.wait_up_to(CHANGED_WITHIN_SECONDS).await;
            self.send_webhook(&Report::OUT_FOR_DELIVERY.webhook(plan)).await;
        }))
        .await;
    }
}

fn plan(number: usize) -> Plan {
    let is_second = number >= OF_ONE_SHOPPER && number.is_multiple_of(OF_SECOND_ACCOUNT);
    let shopper = number.saturating_sub(OF_ONE_SHOPPER - 1);
    Plan {
        account: ACCOUNTS[usize::from(is_second)],
        order_id: format!("CROWD-{number}"),
        awb: format!("190000{number:04}"),
        phone: format!("{PHONE}{shopper:03}"),
        reports: Vec::new(),
    }
}

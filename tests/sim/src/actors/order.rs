//! A partner's order, and what happens to its parcel.

use domain::core::id::{AccountCode, OrderId, OrderKey};
use fastrand::Rng;
use futures::future::join_all;
use serde_json::json;
use tokio::time::sleep;

use super::Actors;
use super::request::vendor;
use super::webhook::{Journey, Report};
use crate::lambda::ApiRequest;
use crate::ledger::{Field, What};
use crate::setup::ACCOUNTS;

/// No order is found by it.
const PLAIN_PHONE: &str = "canary-phone-1";

/// The time in which a report is looked up and parked.
const RACE_MS: u64 = 300;

/// What the seed has in store for an order.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) account: &'static str,
    pub(crate) order_id: String,
    pub(crate) awb: String,
    pub(crate) phone: String,
    pub(crate) reports: Vec<Report>,
}

impl Plan {
    pub(crate) fn draw(number: usize, random: &mut Rng) -> Self {
        let account = ACCOUNTS[random.usize(..ACCOUNTS.len())];
        Self {
            account,
            order_id: format!("ORD-{number}"),
            awb: format!("190000{number:04}"),
            phone: PLAIN_PHONE.to_owned(),
            reports: Journey::draw(random).reports(),
        }
    }

    pub(super) fn key(&self) -> Option<OrderKey> {
        let account = AccountCode::parse(self.account).ok()?;
        Some(OrderKey { account, order: OrderId::parse(&self.order_id).ok()? })
    }

    fn creation(&self) -> ApiRequest {
        let body = json!({
            "orderId": self.order_id, "awb": self.awb,
            "customer": {"phone": self.phone, "firstName": "canary-name"},
            "items": [{"title": "canary-item", "qty": 1, "price": "99.00"}],
        });
        vendor(self.account, "POST", "/api/external/orders", &body)
    }
}

impl Actors {
    /// Creates the order, and reports about its parcel; whatever comes first.
    pub(crate) async fn tell_order(&self, plan: Plan) {
        let created_after = self.draw_wait(60);
        let creating = async {
            sleep(created_after).await;
            self.world.pause(RACE_MS).await;
            self.create(&plan).await;
        };
        let reporting = plan.reports.iter().map(|report| async {
            let races = self.world.lock().random.u8(..8) == 0;
            sleep(if races { created_after } else { self.draw_wait(120) }).await;
            self.send_webhook(&report.webhook(&plan)).await;
        });
        tokio::join!(creating, join_all(reporting));
    }

    pub(super) async fn create(&self, plan: &Plan) {
        let Some(key) = plan.key() else { return };
        let asked = self.ask(&plan.creation()).await;
        self.repeat(&plan.creation());
        self.expect(&asked, &[200, 201], "the creation of an order of its own");
        self.world.lock().ledger.order(key.clone(), asked.promise());
        for (field, value) in [(Field::Awb, &plan.awb), (Field::Phone, &plan.phone)] {
            let what = What::Field(field, Some(value.clone()));
            self.world.lock().ledger.sayings.push(asked.saying(key.clone(), what));
        }
    }
}

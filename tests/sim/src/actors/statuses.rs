//! Statuses that a shop reports itself, and reports that are taken back.

use domain::core::id::{Awb, ReportId};
use fastrand::Rng;
use serde_json::{Value, json};

use super::Actors;
use super::request::{admin, vendor};
use super::shop::Shop;
use crate::judge::orders::stored_order_of;
use crate::ledger::What;

const STATUSES: [&str; 8] = [
    "assigned",
    "accepted",
    "processing",
    "picked_up",
    "in_transit",
    "cancelled",
    "delivered",
    "return_initiated",
];

#[derive(Debug, Clone)]
pub(super) struct Said {
    order: usize,
    status: &'static str,
    /// Unique, so that the judge recognises the report.
    note: String,
    awb: Option<String>,
    occurred_at: Option<String>,
    has_key: bool,
}

impl Said {
    pub(super) fn draw(shop: &Shop, order: usize, number: usize, random: &mut Rng) -> Self {
        let minute = random.u8(..60);
        Self {
            order,
            status: STATUSES[random.usize(..STATUSES.len())],
            note: format!("canary-note-{}-{number}", shop.number),
            awb: (random.u8(..3) == 0).then(|| shop.awb(random)),
            occurred_at: random.bool().then(|| format!("2026-03-01T11:{minute:02}:30+05:30")),
            has_key: random.bool(),
        }
    }

    pub(super) fn of(order: usize, awb: Option<&str>, status: &'static str) -> Self {
        let (note, awb) = ("canary-note".to_owned(), awb.map(str::to_owned));
        Self { order, status, note, awb, occurred_at: None, has_key: true }
    }

    fn body(&self) -> Value {
        let mut body = json!({ "status": self.status, "note": self.note });
        if let Some(awb) = &self.awb {
            body["awb"] = json!(awb);
        }
        if let Some(at) = &self.occurred_at {
            body["occurredAt"] = json!(at);
        }
        body
    }
}

impl Actors {
    pub(super) async fn report_status(&self, shop: &Shop, said: &Said) {
        let path = format!("{}/status", shop.path(said.order));
        let mut request = vendor(shop.account, "POST", &path, &said.body());
        if said.has_key {
            request.headers.insert("idempotency-key".to_owned(), said.note.clone());
        }
        let asked = self.ask(&request).await;
        self.expect(&asked, &[202, 404, 422], "a status");
        let is_identified = said.has_key || said.occurred_at.is_some();
        let at_most = if is_identified { 1 } else { asked.tries };
        let awb = said.awb.as_deref().and_then(|awb| Awb::parse(awb).ok());
        let what = What::Status { note: said.note.clone(), awb, at_most };
        self.said(shop, said.order, what, &asked);
    }

    /// Takes back a report that the order has now.
    pub(super) async fn withdraw_any(&self, shop: &Shop, order: usize) {
        let Some(report) = self.any_report(shop, order) else { return };
        let path = format!("{}/timeline/{report}", shop.path(order));
        let asked = self.ask(&admin(shop.account, "DELETE", &path, &Value::Null)).await;
        self.expect(&asked, &[200, 202], "a withdrawal");
        self.said(shop, order, What::Withdrawn(report), &asked);
    }

    fn any_report(&self, shop: &Shop, order: usize) -> Option<ReportId> {
        let key = shop.key(order)?;
        let mut state = self.world.lock();
        let stored = stored_order_of(&state, &key)?;
        let reports = stored.entries.iter().filter(|entry| entry.report().is_some());
        let reports: Vec<ReportId> = reports.map(|entry| entry.id.clone()).collect();
        let index = state.random.usize(..reports.len().max(1));
        reports.get(index).cloned()
    }
}

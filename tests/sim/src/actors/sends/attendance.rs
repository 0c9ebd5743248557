//! Those who attend to sent messages during the whole run: WhatsApp, which reports their statuses, and
//! an operator, who enables numbers that were paused and replays what was not sent.

use std::time::Duration;

use doubles::dynamodb::Item;
use serde_json::Value;
use tokio::task::spawn_local;
use tokio::time::sleep;

use crate::actors::Actors;
use crate::actors::messages::updates::{Update, body, webhook};
use crate::actors::request::user;
use crate::clock;
use crate::setup::ADMIN;
use crate::setup::messages::NUMBERS;
use crate::world::State;

/// How often WhatsApp looks for statuses to report, and the operator for paused numbers.
const REPORT_EVERY: Duration = Duration::from_secs(2);
const LOOK_MS: std::ops::Range<u64> = 20_000..120_000;
/// An operator replays a message so often, at most.
const MOST_REPLAYS: usize = 2;

impl Actors {
    /// Begins what the flows need, until the run ends.
    pub(crate) fn attend_to_sends(&self) {
        let flows = self.world.lock().flows;
        let (reporter, operator) = (self.clone(), self.clone());
        if flows.sends || flows.rules || flows.crowd {
            spawn_local(async move { reporter.report_statuses().await });
        }
        if flows.sends || flows.rules {
            spawn_local(async move { operator.look_after_numbers().await });
        }
    }

    async fn report_statuses(&self) {
        while !self.world.lock().cloud_api.is_closed {
            sleep(REPORT_EVERY).await;
            let due = self.world.lock().cloud_api.take_due(clock::now_ms());
            // Some come together, in one webhook.
            let mut rest = due.as_slice();
            while !rest.is_empty() {
                let count = self.world.lock().random.usize(1..=rest.len());
                let (together, others) = rest.split_at(count);
                self.post_statuses(together);
                rest = others;
            }
        }
    }

    fn post_statuses(&self, updates: &[Update]) {
        let request = {
            let state = &mut *self.world.lock();
            state.cloud_api.under_way += 1;
            let body = body(updates, &mut state.random);
            webhook(body, &mut state.random)
        };
        let actors = self.clone();
        spawn_local(async move {
            actors.report(0, &request).await;
            actors.world.lock().cloud_api.under_way -= 1;
        });
    }

    async fn look_after_numbers(&self) {
        let (pauses, replays) = {
            let random = &mut self.world.lock().random;
            (random.u8(..6) == 0, random.u8(..3) > 0)
        };
        if pauses {
            self.world.pause(60_000).await;
            let number = NUMBERS[self.world.lock().random.usize(..NUMBERS.len())].0;
            self.change_number(&format!("whatsapp:{number}"), "pause").await;
        }
        loop {
            let ms = self.world.lock().random.u64(LOOK_MS);
            sleep(Duration::from_millis(ms)).await;
            if self.world.lock().cloud_api.is_closed {
                return;
            }
            self.world.lock().cloud_api.under_way += 1;
            self.enable_and_replay(replays).await;
            self.world.lock().cloud_api.under_way -= 1;
        }
    }

    async fn enable_and_replay(&self, replays: bool) {
        let paused = self.world.lock().paused_numbers();
        for number in paused {
            self.maybe_twice(async || self.change_number(&number, "enable").await).await;
        }
        let unsent = if replays { self.world.lock().unsent() } else { Vec::new() };
        for id in unsent {
            self.maybe_twice(async || self.replay(&id).await).await;
        }
    }

    async fn change_number(&self, number: &str, action: &str) {
        let path = format!("/api/endpoints/{number}/{action}");
        let asked = self.ask(&user(ADMIN, "POST", &path, &Value::Null)).await;
        self.expect(&asked, &[200], "a change of a phone number");
    }
}

impl State {
    fn paused_numbers(&self) -> Vec<String> {
        let rows = self.dynamodb.rows("StateTable").filter(|row| row["pk"]["S"] == "endpoints");
        let paused = rows.filter(|row| text(row, "state") == Some("paused"));
        let names = paused.filter_map(|row| text(row, "sk"));
        names.filter(|name| name.starts_with("whatsapp:")).map(str::to_owned).collect()
    }

    /// Messages that were refused or given up, unless they were replayed several times.
    fn unsent(&self) -> Vec<String> {
        let rows = self.dynamodb.rows("DeliveriesTable");
        let unsent = rows.filter(|row| {
            text(row, "format") == Some("whatsapp")
                && matches!(text(row, "state"), Some("failed" | "dead"))
        });
        let is_new = |id: &&str| {
            let before = self.ledger.replayed.iter().filter(|(it, _)| it == id);
            before.count() < MOST_REPLAYS
        };
        unsent.filter_map(|row| text(row, "pk")).filter(is_new).map(str::to_owned).collect()
    }
}

fn text<'a>(row: &'a Item, name: &str) -> Option<&'a str> {
    row.get(name)?["S"].as_str()
}

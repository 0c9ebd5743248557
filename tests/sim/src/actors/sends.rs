//! Messages that Waypost is asked to send: by partners and admins, about an order or not, each also
//! twice if the answer to the first request is lost.

use std::time::Duration;

use domain::core::id::AccountCode;
use domain::core::timestamp::Timestamp;
use futures::future::join_all;
use tokio::sync::watch;
use tokio::time::sleep;

use super::Actors;
use super::request::user;
use crate::lambda::{ApiRequest, Response};
use crate::ledger::sends::Accepted;
use crate::setup::ADMIN;
use crate::setup::messages::partner;

mod attendance;
mod plan;

use plan::{Plan, Send};

const PATH: &str = "/api/messages/whatsapp";

impl Actors {
    /// Orders, and messages about them and others.
    pub(super) async fn send_messages(&self) {
        let is_small = self.world.lock().flows.is_small;
        let plan = Plan::draw(is_small, &mut self.world.lock().random);
        let (created, exists) = watch::channel(false);
        let creating = async {
            join_all(plan.orders.iter().map(|order| self.create_plain(order))).await;
            created.send_replace(true);
        };
        let sends = plan.sends.iter().map(|send| {
            let mut exists = exists.clone();
            async move {
                // The sender is gone only at the end of the run.
                let _ = exists.wait_for(|exists| *exists).await;
                sleep(Duration::from_millis(send.at)).await;
                self.send_message(send).await;
            }
        });
        tokio::join!(creating, join_all(sends));
    }

    async fn send_message(&self, send: &Send) {
        let by = if send.by_admin { ADMIN.to_owned() } else { partner(send.account) };
        let mut request = user(&by, "POST", PATH, &send.body);
        let Some(key) = &send.key else { return self.send_once(send, &request).await };
        request.headers.insert("idempotency-key".to_owned(), key.clone());
        let asked = self.ask(&request).await;
        self.repeat(&request);
        // Another message may have the key.
        self.expect(&asked, &[202, 409], "a message to a shopper");
        if asked.status() == 409
            && let Ok(account) = AccountCode::parse(send.account)
        {
            self.world.lock().ledger.sends.refused.push((account, key.clone()));
        }
        self.note_accepted(send, asked.answer.as_ref());
    }

    /// Without a key, a repeat would be another message.
    async fn send_once(&self, send: &Send, request: &ApiRequest) {
        let answer = self.lambda.request(request).await;
        if answer.as_ref().is_none_or(|answer| answer.status >= 500) {
            self.world.lock().ledger.sends.uncertain += 1;
        }
        self.note_accepted(send, answer.as_ref());
    }

    fn note_accepted(&self, send: &Send, answer: Option<&Response>) {
        let Some(answer) = answer.filter(|answer| answer.status == 202) else { return };
        let (text, mut state) = (|name: &str| answer.body[name].as_str(), self.world.lock());
        let sent_at = text("sent_at").and_then(|at| Timestamp::parse(at).ok());
        let (Some(id), Some(sent_at)) = (text("id"), sent_at) else {
            return state.ledger.violation(format!("a message is answered {}", answer.body));
        };
        let Ok(account) = AccountCode::parse(send.account) else { return };
        let order = send.order.as_ref().map(|order| order.key.clone());
        let (key, body) = (send.key.clone(), send.body.clone());
        let accepted = Accepted { account, order, key, body, sent_at };
        let known = state.ledger.sends.accepted.entry(id.to_owned()).or_insert(accepted.clone());
        if *known != accepted {
            state.ledger.violation(format!("{id} is the id of two messages"));
        }
    }
}

//! WhatsApp's Cloud API: it takes messages, refuses them, or fails, and reports their statuses later.
//! It knows no idempotency: the same request twice is two messages.

use std::collections::BTreeMap;

use egress::simulation::Request;
use serde_json::{Value, json};

use super::{Answer, Reply};
use crate::actors::messages::updates::Update;
use crate::ledger::sends::{CloudPost, Verdict};
use crate::sandbox::SandboxId;
use crate::setup::messages::ACCESS_TOKEN;
use crate::world::State;

mod limits;
mod replies;
mod reports;

use limits::Limits;

/// What the Cloud API remembers.
#[derive(Default)]
pub(crate) struct CloudApi {
    /// The messages so far.
    messages: u64,
    limits: Limits,
    /// By number: until then the token is refused.
    pub(crate) refuses_until: BTreeMap<String, u64>,
    /// Statuses with the times at which they are reported.
    due: Vec<(u64, Update)>,
    /// Webhooks on their way, and requests of the operator.
    pub(crate) under_way: usize,
    /// Nobody attends to messages any more.
    pub(crate) is_closed: bool,
}

impl State {
    pub(super) fn reply_of_cloud_api(&mut self, sandbox: SandboxId, request: &Request) -> Reply {
        let body = request.body().and_then(|body| body.as_bytes()).unwrap_or_default();
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let id = body["biz_opaque_callback_data"].as_str().unwrap_or_default().to_owned();
        let number = request.url().path().split('/').nth(2).unwrap_or_default().to_owned();
        if let Some(problem) = wrong(request, &body) {
            self.ledger.violation(format!("the Cloud API is sent {id} with {problem}"));
        }
        let to = body["to"].as_str().or(body["recipient"].as_str()).unwrap_or_default();
        let (verdict, reply) = self.judge_message(&number, &id, to);
        if let Some(verdict) = verdict {
            let name = self.sandbox(sandbox).name.clone();
            self.tell(&name, || format!("POST {id} -> number {number}: {verdict:?}"));
            self.check_send(&id);
            let at = self.now();
            self.ledger.sends.posts.push(CloudPost { id, number, verdict, at });
        }
        reply
    }

    /// A message may be sent again only after an answer that says that it was not sent.
    fn check_send(&mut self, id: &str) {
        let before = self.ledger.sends.posts.iter().rev().find(|post| post.id == *id);
        match before.map(|post| &post.verdict) {
            Some(Verdict::Accepted(_) | Verdict::AcceptedUnheard(_)) => {
                self.ledger.violation(format!("{id} is sent twice"));
            }
            Some(Verdict::RefusedUnheard) => {
                let text = format!("{id} is sent again, though it may have been sent");
                self.ledger.violation(text);
            }
            Some(Verdict::Refused) | None => {}
        }
    }

    /// Takes a message, and plans its statuses.
    fn take_message(&mut self, number: &str, id: &str) -> String {
        self.cloud_api.messages += 1;
        let message = format!("wamid.OUT{}", self.cloud_api.messages);
        self.plan_reports(number, id, &message);
        message
    }
}

/// What is wrong with a request.
fn wrong(request: &Request, body: &Value) -> Option<&'static str> {
    let token = request.headers().get("authorization").and_then(|value| value.to_str().ok());
    if token != Some(&format!("Bearer {ACCESS_TOKEN}")) {
        return Some("a wrong token");
    }
    let is_phone = |to: &str| {
        to.strip_prefix('+').is_some_and(|digits| digits.bytes().all(|it| it.is_ascii_digit()))
    };
    let is_to_somebody = match (body["to"].as_str(), body["recipient"].as_str()) {
        (Some(to), None) => is_phone(to),
        (None, Some(user)) => user.contains('.'),
        _ => false,
    };
    let is_template = body["type"] == "template" && body["template"]["name"].is_string();
    match (is_to_somebody, is_template) {
        (false, _) => Some("a wrong recipient"),
        (_, false) => Some("a wrong template"),
        (true, true) => None,
    }
}

fn acceptance(message: &str, status: &str) -> Answer {
    let body = json!({
        "messaging_product": "whatsapp", "contacts": [{ "input": "canary", "wa_id": "canary" }],
        "messages": [{ "id": message, "message_status": status }],
    });
    Answer::new(200, body.to_string())
}

//! Customers' servers: they take a delivery, refuse it, or fail in some other way.

use std::time::Duration;

use data_encoding::BASE64;
use egress::simulation::Request;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{Answer, Reply};
use crate::ledger::Post;
use crate::sandbox::SandboxId;
use crate::setup::Patience;
use crate::setup::endpoints::{BACKOFF_SECONDS, signing_key};
use crate::world::State;
use replies::asked_wait;

mod replies;

/// A sandbox without a fault for so long had all the time it needs to record an attempt.
const RECORDING_MS: u64 = 60_000;
/// Clocks are off by up to two seconds.
const SKEW_MS: u64 = 2000;
/// No request travels longer, if it is sent by a clock that is two seconds late.
const TRAVEL_MS: u64 = 10_000;
/// A retry is not later, beyond its wait: for its message waits for a worker.
const LATE_MS: u64 = 60_000;
/// Longer waits take place in rows.
const MAX_IN_FLIGHT_MS: u64 = 60_000;
/// No endpoint has a shorter timeout.
const SLOW: Duration = Duration::from_secs(2);

impl State {
    pub(crate) fn reply_of_receiver(
        &mut self,
        sandbox: SandboxId,
        endpoint: &str,
        request: &Request,
    ) -> Reply {
        let chance = self.faults.receiver;
        let down_until = self.down_until.get(endpoint).copied().unwrap_or_default();
        let is_down = self.now() < self.receivers_down_until.max(down_until);
        let (is_taken, reply) = if is_down {
            self.reply_of_down_server()
        } else if self.strikes("receiver", chance) {
            self.failing_reply(request)
        } else {
            let ms = self.latency(50);
            (true, Reply::after_ms(ms, Ok(Answer::new(200, "ok"))))
        };
        if arrives(&reply) {
            let asked_ms = asked_wait(&reply, self.now());
            self.receive_post(sandbox, endpoint, request, (is_taken, asked_ms));
        }
        if reply.after > SLOW {
            // The sender may give up before the answer.
            self.sandbox_mut(sandbox).trouble();
        }
        reply
    }

    fn receive_post(
        &mut self,
        sandbox: SandboxId,
        endpoint: &str,
        request: &Request,
        (is_taken, asked_ms): (bool, u64),
    ) {
        let header = |name: &str| {
            request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
        };
        let (id, timestamp) = (header("webhook-id"), header("webhook-timestamp"));
        let body = request.body().and_then(|body| body.as_bytes()).unwrap_or_default();
        let expected = sign_with(self.endpoints.key(endpoint), id, timestamp, body);
        // A sandbox that cannot read the settings goes on with the last ones.
        let since = self.now().saturating_sub(RECORDING_MS);
        let is_right = header("webhook-signature").split(' ').any(|it| it == expected);
        if !is_right && !self.sandbox(sandbox).had_trouble_since(since) {
            self.ledger.violation(format!("{id} to {endpoint} has a wrong signature"));
        }
        self.check_timestamp(sandbox, id, timestamp);
        let post = Post {
            endpoint: endpoint.to_owned(),
            id: id.to_owned(),
            run: self.number(id, "run").unwrap_or(1),
            body: body.to_vec(),
            sandbox,
            at: self.now(),
            is_taken,
            asked_ms,
        };
        let name = self.sandbox(sandbox).name.clone();
        let taken = if is_taken { "takes it" } else { "refuses" };
        self.tell(&name, || format!("POST {id} -> {endpoint} {taken}"));
        self.check_post(&post);
        self.ledger.posts.push(post);
    }

    /// Every attempt has the time at which it leaves, unless its sender stands still.
    fn check_timestamp(&mut self, sandbox: SandboxId, id: &str, timestamp: &str) {
        let (at, sent) = (self.now(), timestamp.parse().unwrap_or(0_u64).saturating_mul(1000));
        let is_right = sent <= at + SKEW_MS && sent + TRAVEL_MS > at;
        if !is_right && !self.sandbox(sandbox).had_trouble_since(at - RECORDING_MS) {
            let text = format!("{id} has the timestamp {timestamp} at {}", at / 1000);
            self.ledger.violation(text);
        }
    }

    /// A run of a delivery is posted again only if its sender does not know that it was taken.
    fn check_post(&mut self, post: &Post) {
        let before = self.ledger.posts.iter().rev().find(|it| it.id == post.id);
        let Some(before) = before.cloned() else { return };
        if before.body != post.body {
            self.ledger.violation(format!("{} has other bytes than before", post.id));
        }
        if before.run == post.run {
            self.check_wait(&before, post);
        }
        let mut of_run =
            self.ledger.posts.iter().rev().filter(|it| it.id == post.id && it.run == post.run);
        let Some(taken) = of_run.find(|it| it.is_taken).cloned() else { return };
        let since = taken.at.saturating_sub(1000);
        let had_trouble = |id: SandboxId| self.sandbox(id).had_trouble_since(since);
        let excused = had_trouble(taken.sandbox)
            || self.sandbox(post.sandbox).had_trouble_since(post.at.saturating_sub(RECORDING_MS));
        if !excused {
            self.ledger.violation(format!("{} is posted again without need", post.id));
        }
    }
}

impl State {
    /// A retry waits as long as the schedule says, unless a fault strikes.
    fn check_wait(&mut self, before: &Post, post: &Post) {
        if self.patience != Patience::Short {
            return;
        }
        let attempts = self.number(&post.id, "attempts").and_then(|it| usize::try_from(it).ok());
        let planned = attempts.and_then(|attempts| BACKOFF_SECONDS.get(attempts.checked_sub(2)?));
        let (Some(planned), false) = (planned, before.is_taken) else { return };
        let since = before.at - SKEW_MS;
        // Two clocks may be off by two seconds each, and the waits by a fifth.
        let least = (planned * 800).max(before.asked_ms);
        let most = (planned * 1200).max(before.asked_ms * 6 / 5) + LATE_MS;
        let waited = post.at - before.at;
        // A sandbox that goes on after a freeze sends an attempt that was due long ago. One that was
        // struck after its claim used up an attempt without a post.
        let recorded_since = post.at.saturating_sub(RECORDING_MS);
        let mut workers = self.sandboxes.iter().filter(|it| it.function.starts_with("deliver"));
        let excused = self.sandbox(before.sandbox).had_trouble_since(since)
            || self.sandbox(post.sandbox).had_trouble_since(recorded_since)
            || workers.any(|it| it.was_struck_since(since));
        if waited + 2 * SKEW_MS < least && !excused {
            self.ledger.violation(format!("{} is posted again too early", post.id));
        }
        // Whoever received the message in between may have been struck, and so may the schedule of
        // `sweep`, which sends the message of a long wait.
        let mut sandboxes = self.sandboxes.iter();
        let excused = sandboxes.any(|sandbox| sandbox.was_struck_since(since))
            || self.was_paused(&post.endpoint)
            || most > MAX_IN_FLIGHT_MS && self.struck.contains_key("schedule");
        if waited > most && !excused {
            self.ledger.violation(format!("{} is posted again too late", post.id));
        }
    }

    /// True if an endpoint failed so often that its deliveries were parked.
    fn was_paused(&self, endpoint: &str) -> bool {
        let key = serde_json::json!({ "pk": { "S": "endpoints" }, "sk": { "S": endpoint } });
        self.dynamodb.row("StateTable", &key).is_some_and(|row| row.contains_key("state"))
    }

    /// A number of the delivery's row: `attempts` count the one that has begun.
    fn number(&self, id: &str, name: &str) -> Option<u64> {
        let key = serde_json::json!({ "pk": { "S": id } });
        self.dynamodb.row("DeliveriesTable", &key)?.get(name)?["N"].as_str()?.parse().ok()
    }
}

/// Whether the request reached the server.
fn arrives(reply: &Reply) -> bool {
    match &reply.result {
        Ok(_) => true,
        Err(error) => error.may_have_arrived(),
    }
}

/// Signs with the key that an endpoint has at first.
pub(crate) fn sign(endpoint: &str, id: &str, timestamp: &str, body: &[u8]) -> String {
    sign_with(&signing_key(endpoint), id, timestamp, body)
}

fn sign_with(key: &[u8], id: &str, timestamp: &str, body: &[u8]) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return String::new();
    };
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    format!("v1,{}", BASE64.encode(&mac.finalize().into_bytes()))
}

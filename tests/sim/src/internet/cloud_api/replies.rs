//! How the Cloud API answers, with every class of its errors, and how answers are lost.

use egress::SendError;
use serde_json::json;

use super::super::{Answer, Reply};
use super::acceptance;
use crate::ledger::sends::Verdict;
use crate::world::State;

/// HTTP status and code of errors after which the message is sent again.
const RETRIED: [(u16, u32); 7] =
    [(503, 2), (400, 4), (500, 1), (429, 130_429), (500, 131_000), (503, 131_016), (400, 131_056)];
/// Of errors that concern this message only.
const FINAL: [(u16, u32); 6] =
    [(400, 100), (400, 131_026), (400, 131_047), (400, 131_049), (404, 132_001), (400, 131_999)];
/// Of errors that concern the number.
const OF_NUMBER: [(u16, u32); 4] = [(401, 190), (403, 10), (400, 131_042), (403, 368)];
const REFUSED_TOKEN: (u16, u32) = (401, 190);

/// The token is refused for so many milliseconds, at most.
const REFUSAL_MS: u64 = 90_000;
/// `deliver` waits for 30 seconds.
const TOO_LATE_MS: u64 = 30_000;

impl State {
    /// What happens to a message; no verdict if the request does not arrive.
    pub(super) fn judge_message(
        &mut self,
        number: &str,
        id: &str,
        to: &str,
    ) -> (Option<Verdict>, Reply) {
        let ms = self.latency(50);
        let now = self.now();
        if let Err(beyond) = self.cloud_api.limits.take(number, to, now) {
            self.ledger.violation(format!("number {number} sends more than {beyond}"));
            return (Some(Verdict::Refused), Reply::after_ms(ms, Ok(error(beyond.error()))));
        }
        let refuses_until = self.cloud_api.refuses_until.get(number).copied().unwrap_or_default();
        if self.now() < refuses_until {
            return (Some(Verdict::Refused), Reply::after_ms(ms, Ok(error(REFUSED_TOKEN))));
        }
        let chance = self.faults.cloud_api;
        if self.strikes("cloud_api", chance) {
            return self.fail_message(number, id, ms);
        }
        let message = self.take_message(number, id);
        let statuses = ["accepted", "accepted", "held_for_quality_assessment", "paused"];
        let answer = acceptance(&message, statuses[self.random.usize(..statuses.len())]);
        (Some(Verdict::Accepted(message)), Reply::after_ms(ms, Ok(answer)))
    }

    fn fail_message(&mut self, number: &str, id: &str, ms: u64) -> (Option<Verdict>, Reply) {
        let refused = |answer| (Some(Verdict::Refused), Reply::after_ms(ms, Ok(answer)));
        match self.random.u8(..20) {
            0..=4 => refused(error(RETRIED[self.random.usize(..RETRIED.len())])),
            5 => refused(error((429, 130_429)).with_header("retry-after", "7")),
            6..=7 => refused(error(FINAL[self.random.usize(..FINAL.len())])),
            8 => refused(error(OF_NUMBER[self.random.usize(..OF_NUMBER.len())])),
            9 => {
                let until = self.now() + self.random.u64(1000..REFUSAL_MS);
                self.cloud_api.refuses_until.insert(number.to_owned(), until);
                refused(error(REFUSED_TOKEN))
            }
            // A proxy in front of the API: it did not arrive there.
            10 => refused(Answer::new(429, "<html>")),
            11..=12 => (None, self.unreachable_api(ms)),
            fate => self.lose_answer(number, id, ms, fate),
        }
    }

    fn unreachable_api(&mut self, ms: u64) -> Reply {
        let refusals = [SendError::Dns, SendError::Connect, SendError::Tls, SendError::Blocked];
        Reply::after_ms(ms, Err(refusals[self.random.usize(..refusals.len())]))
    }

    /// Nobody can tell from the answer whether the message was sent.
    fn lose_answer(
        &mut self,
        number: &str,
        id: &str,
        ms: u64,
        fate: u8,
    ) -> (Option<Verdict>, Reply) {
        let is_taken = self.random.bool();
        let message = is_taken.then(|| self.take_message(number, id));
        let whole = || acceptance(message.as_deref().unwrap_or("wamid.NONE"), "accepted");
        let closed = || Reply::after_ms(ms, Err(SendError::Closed));
        let reply = match (fate, is_taken) {
            (13, _) => Reply::never(),
            (14, _) => Reply::after_ms(ms, Err(SendError::Protocol)),
            (15, _) => Reply::after_ms(ms, Ok(Answer::new([502, 504][usize::from(is_taken)], ""))),
            (16, _) => Reply::after_ms(ms, Ok(Answer::new(200, "{}"))),
            (17, true) => Reply::after_ms(ms, Ok(whole())).breaking_off(),
            (18, true) => Reply::after_ms(ms, Ok(whole())).stalling(),
            (19, true) => Reply::after_ms(ms + TOO_LATE_MS, Ok(whole())),
            _ => closed(),
        };
        let verdict = message.map_or(Verdict::RefusedUnheard, Verdict::AcceptedUnheard);
        (Some(verdict), reply)
    }
}

fn error((status, code): (u16, u32)) -> Answer {
    let body = json!({
        "error": {
            "message": format!("(#{code}) refused"), "type": "OAuthException", "code": code,
            "error_data": { "messaging_product": "whatsapp", "details": "canary-details" },
            "fbtrace_id": "A",
        },
    });
    Answer::new(status, body.to_string())
}

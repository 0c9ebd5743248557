//! Messages on their way out: each ends, none that the provider has is lost, and what a message's
//! delivery says agrees with what the Cloud API did.

use domain::messaging::message::Message;
use domain::messaging::message_status::ProviderStatus;
use domain::messaging::send::{SendOutcome, SendResult};
use domain::webhooks::delivery::Delivery;
use doubles::dynamodb::Item;

use super::messages::rows::Stored;
use crate::ledger::sends::{CloudPost, Verdict};
use crate::world::State;

/// An attempt lasts for 30 s, and its lease for 15 s more. Clocks are off by up to two seconds.
const LEASE_MS: u64 = 50_000;
/// A claim leaves its worker before it arrives.
const TRAVEL_MS: u64 = 2000;

pub(super) fn judge(state: &State) -> Vec<String> {
    let stored = Stored::read(state);
    let unknown = state.ledger.sends.posts.iter().filter(|post| {
        let mut records = stored.own_records();
        !records.any(|it| it.id == post.id && is_from(it, post))
    });
    let unknown =
        unknown.map(|post| format!("the Cloud API is sent {}, which is no message", post.id));
    let endings = stored.own_records().flat_map(|record| Send::of(state, &stored, record).judge());
    unknown.chain(endings).collect()
}

fn is_from(record: &Message, post: &CloudPost) -> bool {
    record.send.as_ref().is_some_and(|send| send.phone_number_id == post.number)
}

/// A message, with everything that is known of it.
struct Send<'a> {
    state: &'a State,
    id: &'a str,
    row: Option<&'a Item>,
    status: Option<ProviderStatus>,
    posts: Vec<&'a CloudPost>,
    results: Vec<&'a SendResult>,
}

impl<'a> Send<'a> {
    fn of(state: &'a State, stored: &Stored, record: &'a Message) -> Self {
        let (id, ledger) = (record.id.as_str(), &state.ledger.sends);
        let key = serde_json::json!({ "pk": { "S": id } });
        let tracked = stored.tracked.get(&(record.account_code.clone(), id.to_owned()));
        Self {
            state,
            id,
            row: state.dynamodb.row("DeliveriesTable", &key),
            status: tracked.and_then(|tracked| tracked.tracking.status()),
            posts: ledger.posts.iter().filter(|post| post.id == id).collect(),
            results: ledger.results.iter().filter(|it| it.send.as_str() == id).collect(),
        }
    }

    fn judge(&self) -> Vec<String> {
        let Some(row) = self.row else {
            return vec![format!("the delivery of {} is lost", self.id)];
        };
        let end = row.get("state").and_then(|state| state["S"].as_str()).unwrap_or_default();
        let problem = match end {
            "delivered" => self.delivered(),
            "failed" => self.failed(),
            "dead" => self.dead(self.number("run")),
            "unknown" => self.unknown(),
            _ => Some("has not ended".to_owned()),
        };
        let problems = problem.into_iter().chain(self.untold(end)).chain(self.replayed());
        problems.map(|problem| format!("{} ends as {end}, but {problem}", self.id)).collect()
    }

    fn number(&self, name: &str) -> u32 {
        let number = self.row.and_then(|row| row.get(name)?["N"].as_str()?.parse().ok());
        number.unwrap_or_default()
    }

    fn is_taken(&self) -> bool {
        self.posts.iter().any(|post| post.verdict.message().is_some())
    }

    fn was_told(&self, is_it: impl Fn(&SendOutcome) -> bool) -> bool {
        self.results.iter().any(|result| is_it(&result.outcome))
    }

    fn delivered(&self) -> Option<String> {
        (!self.is_taken()).then(|| "the provider does not have it".to_owned())
    }

    fn failed(&self) -> Option<String> {
        let was_refused = self.posts.iter().any(|post| post.verdict == Verdict::Refused);
        match (self.is_taken(), was_refused || self.was_told(is_overtaken)) {
            (true, _) => Some("the provider has it".to_owned()),
            (_, false) => Some("nobody refused it".to_owned()),
            (false, true) => None,
        }
    }

    fn dead(&self, run: u32) -> Option<String> {
        let letters = self.state.sqs.messages("DeliveriesDlq");
        let mut letters = letters.filter_map(|it| Delivery::from_message(&it.body));
        let has_letter = letters.any(|it| it.id == self.id && it.run == run + 1);
        let mut redriven = self.state.ledger.redriven.iter().filter(|(it, _)| it == self.id);
        match (self.is_taken(), redriven.any(|(_, redriven)| *redriven > run)) {
            (true, _) => Some("the provider has it".to_owned()),
            (_, true) => Some("it was redriven".to_owned()),
            (_, false) if !has_letter => Some("without a dead letter".to_owned()),
            _ => None,
        }
    }

    /// Nobody can know whether it was sent, and no status of the provider told.
    fn unknown(&self) -> Option<String> {
        if self.status > Some(ProviderStatus::Unknown) {
            return Some(format!("its status is {:?}", self.status));
        }
        let last = self.posts.last();
        let is_unheard = last.is_some_and(|post| !post.verdict.is_heard());
        (!is_unheard && !self.was_interrupted())
            .then(|| format!("the last answer was {:?}", last.map(|post| &post.verdict)))
    }

    /// True if whoever claimed its last attempt was killed or stood still then.
    fn was_interrupted(&self) -> bool {
        let claims = self.state.ledger.sends.claims.get(self.id);
        let mut claims = claims.into_iter().flatten();
        claims.any(|(sandbox, at)| {
            self.state.sandbox(*sandbox).stopped_within(at.saturating_sub(TRAVEL_MS), at + LEASE_MS)
        })
    }

    /// How it ended has to be told before its row says so.
    fn untold(&self, end: &str) -> Option<String> {
        let unknown = |it: &SendOutcome| *it == SendOutcome::Unknown;
        let is_told = match end {
            // A status told that the provider has it.
            "delivered" => {
                self.was_told(|it| matches!(it, SendOutcome::Accepted { .. }) || unknown(it))
            }
            "failed" | "dead" => self.was_told(|it| matches!(it, SendOutcome::Failed { .. })),
            "unknown" => self.was_told(unknown),
            _ => true,
        };
        (!is_told).then(|| "nobody was told".to_owned())
    }

    fn replayed(&self) -> Option<String> {
        let run = self.number("run");
        let mut replayed = self.state.ledger.replayed.iter().filter(|(id, _)| id == self.id);
        let (_, replayed) = replayed.find(|(_, replayed)| *replayed > run)?;
        Some(format!("was replayed as run {replayed} and is at run {run}"))
    }
}

/// While it waited, its order got another status or another phone number.
fn is_overtaken(outcome: &SendOutcome) -> bool {
    let SendOutcome::Failed { error } = outcome else { return false };
    matches!(error.title.as_deref(), Some("outdated" | "recipient_changed"))
}

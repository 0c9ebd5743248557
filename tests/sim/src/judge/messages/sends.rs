//! Messages that Waypost sends: their records, their place in the conversation, and the rows under the
//! provider's ids.

use std::collections::{BTreeMap, BTreeSet};

use domain::core::id::AccountCode;
use domain::messaging::channel::StatusUpdate;
use domain::messaging::message::Message;
use domain::messaging::message_status::ProviderStatus;
use domain::messaging::send::{SendId, SendOutcome, SendResult};
use serde_json::Value;

use super::rows::{MessageKey, Stored};
use super::statuses::Move;
use crate::ledger::sends::SendsLedger;

pub(super) fn judge(ledger: &SendsLedger, stored: &Stored) -> Vec<String> {
    let records: BTreeMap<&str, &Message> =
        stored.own_records().map(|message| (message.id.as_str(), message)).collect();
    let mut findings = Vec::new();
    for (id, accepted) in &ledger.accepted {
        match records.get(id.as_str()) {
            Some(record) if record.order() == accepted.order => {}
            Some(record) => findings.push(format!("{id} is about {:?}", record.order())),
            None => findings.push(format!("the record of {id} is lost")),
        }
    }
    // Those of rules are judged where their orders are known.
    let is_asked = |id: &str, record: &Message| {
        let is_of_rule = record.send.as_ref().is_some_and(|send| send.rule.is_some());
        is_of_rule || ledger.accepted.contains_key(id)
    };
    let unasked = records.iter().filter(|(id, record)| !is_asked(id, record)).count();
    if unasked > ledger.uncertain || records.len() < stored.own_records().count() {
        findings.push(format!("{unasked} messages are unexpected"));
    }
    findings.extend(refused(ledger));
    findings.extend(records.values().filter_map(|record| shown(record, stored)));
    findings.extend(records.values().filter_map(|record| alias(record, ledger, stored)));
    let known = stored.aliases.iter().filter(|(key, own)| !leads(key, own, stored));
    findings.extend(known.map(|(key, own)| format!("{key:?} leads to {own}")));
    findings
}

/// A request is refused only if another message has its key.
fn refused(ledger: &SendsLedger) -> impl Iterator<Item = String> {
    let has_key = |account: &AccountCode, key: &str| {
        let mut accepted = ledger.accepted.values();
        accepted.any(|it| it.account == *account && it.key.as_deref() == Some(key))
    };
    let wrong = ledger.refused.iter().filter(move |(account, key)| !has_key(account, key));
    wrong.map(|(account, key)| format!("a message of {account} with {key} is refused"))
}

/// The message is in the conversation with its recipient, once.
fn shown(record: &Message, stored: &Stored) -> Option<String> {
    let (id, send) = (record.id.as_str(), record.send.as_ref()?);
    let places = stored.events.iter().filter(|(_, event)| *event == id);
    let places: Vec<_> = places.map(|(place, _)| place).collect();
    let [(talk, key)] = places.as_slice() else {
        return Some(format!("{id} is {} times in conversations", places.len()));
    };
    let template = record.template.as_ref().map(|name| Value::from(name.as_str()));
    let message = stored.talks.get(talk)?.get(key)?;
    let is_right = (&talk.0, talk.1.as_str()) == (&record.account_code, send.to.as_str())
        && message["message_id"] == id
        && Some(&message["content"]["name"]) == template.as_ref();
    (!is_right).then(|| format!("{id} is shown as {message}"))
}

/// The provider's id of a message is known if anybody told it, and leads to the message.
fn alias(record: &Message, ledger: &SendsLedger, stored: &Stored) -> Option<String> {
    let id = &record.id;
    let tracked = stored.tracked.get(&(record.account_code.clone(), id.clone()))?;
    let known = tracked.provider_id.as_ref().map(|id| id.as_str());
    let ids: BTreeSet<&str> = ledger.messages_of(id).collect();
    let is_told = tracked.tracking.status() >= Some(ProviderStatus::Accepted);
    match known {
        None if is_told && !ids.is_empty() => {
            Some(format!("the provider's id of {id} is not known"))
        }
        None => None,
        Some(known) if !ids.contains(known) => Some(format!("{id} has the provider's id {known}")),
        Some(known) => {
            let key = (record.account_code.clone(), known.to_owned());
            (stored.aliases.get(&key) != Some(id)).then(|| format!("{known} does not lead to {id}"))
        }
    }
}

fn leads(key: &MessageKey, own: &str, stored: &Stored) -> bool {
    let tracked = stored.tracked.get(&(key.0.clone(), own.to_owned()));
    let provider_id = tracked.and_then(|tracked| tracked.provider_id.as_ref());
    provider_id.is_some_and(|id| id.as_str() == key.1)
}

/// The message that a status is about.
pub(super) fn key_of(account: &AccountCode, status: &StatusUpdate, stored: &Stored) -> MessageKey {
    let own = status.callback_data.as_deref().and_then(SendId::parse);
    let by_provider = (account.clone(), status.message.as_str().to_owned());
    let own = own.map(|id| id.as_str().to_owned());
    match own.or_else(|| stored.aliases.get(&by_provider).cloned()) {
        Some(own) => (account.clone(), own),
        None => by_provider,
    }
}

/// What moved the status of each message: its record, and the outcomes that were told.
pub(super) fn moves(ledger: &SendsLedger, stored: &Stored) -> BTreeMap<MessageKey, Vec<Move>> {
    let mut moves: BTreeMap<MessageKey, Vec<Move>> = BTreeMap::new();
    for record in stored.own_records() {
        let key = (record.account_code.clone(), record.id.clone());
        let sent_at = ledger.accepted.get(&record.id).map_or(record.sent_at, |it| it.sent_at);
        moves.entry(key).or_default().push(Move::Linked(ProviderStatus::Sending, sent_at));
    }
    for result in &ledger.results {
        let key = (result.account.clone(), result.send.as_str().to_owned());
        moves.entry(key).or_default().push(Move::Reported(Box::new(as_status(result)), result.at));
    }
    moves
}

fn as_status(SendResult { send, at, outcome, .. }: &SendResult) -> StatusUpdate {
    let (status, error) = match outcome {
        SendOutcome::Accepted { .. } => (ProviderStatus::Accepted, None),
        SendOutcome::Failed { error } => (ProviderStatus::NotSent, Some(error.clone())),
        SendOutcome::Unknown => (ProviderStatus::Unknown, None),
    };
    StatusUpdate {
        message: send.as_message_id().clone(),
        status: status.as_str().to_owned(),
        at: Some(*at),
        error,
        callback_data: None,
        pricing: None,
        recipient: None,
    }
}

//! The status of each message is the join of everything that was reported about it, in any order.

use std::collections::{BTreeMap, BTreeSet};

use domain::core::timestamp::Timestamp;
use domain::messaging::channel::{ChannelEvent, StatusUpdate};
use domain::messaging::linked::TrackedMessage;
use domain::messaging::message::{Message, MessageKey as Key, NewMessage};
use domain::messaging::message_status::{MessageTracking, ProviderStatus};

use super::rows::{MessageKey, Stored};
use super::sends;
use super::told::Told;
use crate::judge::orders::{Orders, name};
use crate::ledger::Ledger;
use crate::ledger::messages::{MessagesLedger, Record};

/// Something that moves a message's status.
pub(super) enum Move {
    Reported(Box<StatusUpdate>, Timestamp),
    /// By the record that links the message to its order.
    Linked(ProviderStatus, Timestamp),
}

pub(super) fn judge(
    told: &[Told],
    ledger: &Ledger,
    stored: &Stored,
    orders: &Orders,
) -> Vec<String> {
    let mut moves = reported(told, stored);
    for (key, own) in sends::moves(&ledger.sends, stored) {
        moves.entry(key).or_default().extend(own);
    }
    let ledger = &ledger.messages;
    let mut findings = Vec::new();
    let mut expected: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
    for sent in stored.own_records() {
        if let Some(order) = sent.order() {
            expected.entry(order).or_default().insert(sent.id.clone());
        }
    }
    for record in &ledger.records {
        let Some(message) = record.message() else { continue };
        let own = expected.entry(record.order.clone()).or_default();
        let Some(key) = provider_key(&message) else {
            own.insert(message.id);
            continue;
        };
        match stored.tracked.get(&key).and_then(|tracked| tracked.record.as_ref()) {
            Some(first) if first.order().as_ref() == Some(&record.order) => {
                own.insert(first.id.clone());
                moves.entry(key).or_default().extend(record.moved(message, first));
            }
            first => findings.push(format!("{key:?} is linked to {first:?}")),
        }
    }
    findings.extend(tracked(&moves, stored));
    findings.extend(records(&expected, stored));
    findings.extend(refused(ledger, stored));
    findings.extend(orders.keys().filter_map(|key| latest(key, orders, stored)));
    findings
}

impl Record {
    /// As the product reads the request.
    fn message(&self) -> Option<Message> {
        let new = NewMessage::read(self.body.to_string().as_bytes()).ok()?;
        let (sent_at, provider) = (new.sent_at?, new.message_id.clone());
        let key = match (&self.idempotency_key, &provider) {
            (Some(key), _) => Key::Idempotency(key),
            (None, Some(id)) => Key::Provider(id.as_str()),
            (None, None) => return None,
        };
        Some(Message::new(new, &key, sent_at))
    }

    /// How it moved the message, which `first` had linked.
    fn moved(&self, message: Message, first: &Message) -> Option<Move> {
        let is_first = match self.idempotency_key {
            Some(_) => message.id == first.id,
            None => message.repeats(first),
        };
        let (status, at) = (message.message_status.as_str(), message.sent_at);
        if is_first {
            return Some(Move::Linked(ProviderStatus::parse(status)?, at));
        }
        let update = StatusUpdate {
            message: message.message_id?,
            status: status.to_owned(),
            at: Some(at),
            error: message.error,
            callback_data: None,
            pricing: None,
            recipient: None,
        };
        Some(Move::Reported(Box::new(update), at))
    }
}

/// A message of another sender has the provider's id, one that Waypost sends its own.
pub(crate) fn provider_key(message: &Message) -> Option<MessageKey> {
    let id = match &message.send {
        Some(_) => message.id.clone(),
        None => message.message_id.as_ref()?.as_str().to_owned(),
    };
    Some((message.account_code.clone(), id))
}

fn reported(told: &[Told], stored: &Stored) -> BTreeMap<MessageKey, Vec<Move>> {
    let mut moves: BTreeMap<MessageKey, Vec<Move>> = BTreeMap::new();
    for update in told {
        if let ChannelEvent::Status(status) = &update.event {
            let key = sends::key_of(&update.account, status, stored);
            let reported = Move::Reported(Box::new(status.clone()), update.received_at);
            moves.entry(key).or_default().push(reported);
        }
    }
    moves
}

/// The domain's own join, over a list in the reverse order: the order must not matter.
fn join(moves: &[Move]) -> MessageTracking {
    let mut tracking = MessageTracking::default();
    for it in moves.iter().rev() {
        match it {
            Move::Reported(update, received_at) => tracking.merge(update, *received_at),
            Move::Linked(status, at) => tracking.observe(*status, *at),
        };
    }
    tracking
}

fn tracked(moves: &BTreeMap<MessageKey, Vec<Move>>, stored: &Stored) -> Vec<String> {
    let wrong = moves.iter().filter_map(|(key, moves)| {
        let expected = join(moves);
        match stored.tracked.get(key) {
            Some(tracked) if tracked.tracking == expected => None,
            tracked => {
                let is = tracked.map(|it| &it.tracking);
                Some(format!("the statuses of {key:?} are {is:?}, not {expected:?}"))
            }
        }
    });
    let unknown = stored.tracked.keys().filter(|key| !moves.contains_key(*key));
    let unknown = unknown.map(|key| format!("{key:?} is an unexpected message"));
    wrong.chain(unknown).collect()
}

/// Each order has the records of its messages, once.
fn records(
    expected: &BTreeMap<domain::core::id::OrderKey, BTreeSet<String>>,
    stored: &Stored,
) -> Vec<String> {
    let keys: BTreeSet<_> = expected.keys().chain(stored.records.keys()).collect();
    let wrong = keys.into_iter().filter_map(|key| {
        let all = stored.records.get(key).into_iter().flat_map(BTreeMap::values);
        let mut is: Vec<&String> = all.map(|message| &message.id).collect();
        is.sort();
        let expected: Vec<&String> = expected.get(key).into_iter().flatten().collect();
        (is != expected).then(|| format!("{} has the messages {is:?}, not {expected:?}", name(key)))
    });
    wrong.collect()
}

/// A record is refused only if its message is about another order.
fn refused(ledger: &MessagesLedger, stored: &Stored) -> Vec<String> {
    let wrong = ledger.refused.iter().filter(|record| {
        let key = record.message().as_ref().and_then(provider_key);
        let tracked = key.and_then(|key| stored.tracked.get(&key));
        let first = tracked.and_then(|tracked| tracked.record.as_ref());
        first.is_none_or(|first| first.order().as_ref() == Some(&record.order))
    });
    wrong.map(|it| format!("a record of {} is refused: {}", name(&it.order), it.body)).collect()
}

/// An order shows the status of its newest message.
fn latest(key: &domain::core::id::OrderKey, orders: &Orders, stored: &Stored) -> Option<String> {
    let records = stored.records.get(key);
    let newest = records.and_then(|all| all.values().max_by_key(|it| (it.sent_at, it.id.clone())));
    let expected = newest.map(|message| {
        let tracked = provider_key(message).and_then(|key| stored.tracked.get(&key));
        tracked.unwrap_or(&TrackedMessage::default()).display_status(message)
    });
    let state = &orders.get(key)?.state;
    let shown = (&state.latest_message_status, &state.latest_message_id);
    let id = newest.map(|message| message.id.clone());
    (shown != (&expected, &id))
        .then(|| format!("{} shows the message {shown:?}, not {expected:?} of {id:?}", name(key)))
}

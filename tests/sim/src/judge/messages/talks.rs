//! Conversations have every message once.

use std::collections::{BTreeMap, BTreeSet};

use domain::messaging::channel::ChannelEvent;
use domain::messaging::conversation::ConversationMessage;
use serde_json::Value;

use super::rows::{Stored, Talk};
use super::told::Told;

/// What may be stored under a sort key: the same message may have come with several webhooks.
type Expected = BTreeMap<(Talk, String), Vec<Value>>;

pub(super) fn judge(told: &[Told], stored: &Stored) -> Vec<String> {
    let (mut expected, mut links) = (Expected::new(), BTreeSet::new());
    for update in told {
        let number = update.number.as_deref();
        let (contact, other, message) = match &update.event {
            ChannelEvent::InboundMessage(it) => {
                let message = ConversationMessage::new(it, number, update.received_at);
                (&it.from, &it.other_id, message)
            }
            ChannelEvent::Echo(it) => {
                let message = ConversationMessage::of_echo(it, number, update.received_at);
                (&it.to, &it.other_id, message)
            }
            _ => continue,
        };
        let talk: Talk = (update.account.clone(), contact.clone());
        if let Some(other) = other {
            links.insert((talk.clone(), other.clone()));
            links.insert(((update.account.clone(), other.clone()), contact.clone()));
        }
        let json = serde_json::to_value(&message).unwrap_or_default();
        expected.entry((talk, message.sort_key())).or_default().push(json);
    }
    let mut findings = compare(&expected, stored);
    if links != stored.links {
        findings.push(format!("the ids of contacts are {:?}, not {links:?}", stored.links));
    }
    findings
}

fn compare(expected: &Expected, stored: &Stored) -> Vec<String> {
    let mut findings = Vec::new();
    for ((talk, key), messages) in expected {
        match stored.talks.get(talk).and_then(|talk| talk.get(key)) {
            Some(message) if messages.contains(message) => {}
            Some(_) => findings.push(format!("{key} of {} is another message", talk.0)),
            None => findings.push(format!("{key} of {} is lost", talk.0)),
        }
    }
    let all = stored.talks.iter();
    let all = all.flat_map(|(talk, messages)| messages.keys().map(move |key| (talk, key)));
    // Those that Waypost sent are judged with their records.
    let is_own =
        |it: &(Talk, String)| stored.events.get(it).is_some_and(|id| id.starts_with("wa_"));
    let unexpected = all.filter(|(talk, key)| {
        let it = ((*talk).clone(), (*key).clone());
        !expected.contains_key(&it) && !is_own(&it)
    });
    findings.extend(unexpected.map(|(talk, key)| format!("{key} of {} is unexpected", talk.0)));
    findings
}

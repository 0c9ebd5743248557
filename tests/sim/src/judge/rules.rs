//! Messages of rules: each change that a rule is about made one, and no shopper gets more in a day than
//! the account allows.

use std::collections::{BTreeMap, BTreeSet};

use domain::core::trace::TraceParent;
use domain::messaging::message::Message;
use domain::messaging::rules::{MessageRules, RuleCheck};
use domain::webhooks::notification::Change;

use super::messages::rows::{self, Stored};
use super::orders::{Orders, StoredOrder};
use crate::setup::ACCOUNTS;
use crate::setup::messages::rules_of;
use crate::world::State;

pub(super) fn judge(state: &State, orders: &Orders) -> Vec<String> {
    if !state.flows.rules {
        return Vec::new();
    }
    let stored = Stored::read(state);
    let listed = stored.listed();
    let mut findings = Vec::new();
    for account in ACCOUNTS {
        let Ok(rules) = MessageRules::parse(&rules_of(account)) else {
            return vec![format!("the rules of {account} are invalid")];
        };
        let of_account = |name: &str| name == account;
        let orders = orders.values().filter(|order| of_account(order.key.account.as_str()));
        let expected: BTreeMap<String, String> =
            orders.flat_map(|order| messages(order, &rules)).collect();
        let records = listed.iter().filter(|(key, _)| of_account(key.account.as_str()));
        let records: Vec<&Message> =
            records.flat_map(|(_, records)| records.values().copied()).collect();
        let made: BTreeSet<&str> = records.iter().map(|record| record.id.as_str()).collect();
        if let Some(record) = records.iter().find(|it| is_repeated(it, &records)) {
            findings.push(format!("{} is made twice", record.id));
        }
        let missing = expected.iter().filter(|(id, _)| !made.contains(id.as_str()));
        findings.extend(missing.map(|(_, change)| format!("{change} sends no message")));
        let sent = || records.iter().filter(|record| is_sent(record));
        let unexpected = sent().filter(|record| !expected.contains_key(&record.id));
        findings.extend(unexpected.map(|it| format!("{} is the message of no change", it.id)));
        findings.extend(beyond_cap(sent().copied(), rules.daily_cap));
    }
    findings
}

/// The message of each change that a rule is about, by its id.
fn messages<'a>(
    stored: &'a StoredOrder,
    rules: &'a MessageRules,
) -> impl Iterator<Item = (String, String)> + 'a {
    let order = stored.order();
    stored.entries.iter().filter_map(move |entry| {
        let transition = entry.transition.as_ref()?;
        rules.rule_for(transition)?;
        let change = Change { order: &order, entry, transition };
        let check = RuleCheck::of(&change, TraceParent::of(entry.id.as_str()));
        let name = format!("version {} of {}", transition.version, stored.name());
        Some((check.message_id().as_str().to_owned(), name))
    })
}

fn is_repeated(record: &Message, records: &[&Message]) -> bool {
    records.iter().filter(|other| other.id == record.id).count() > 1
}

fn is_sent(record: &Message) -> bool {
    rows::is_sent(record) && record.send.as_ref().is_some_and(|send| send.rule.is_some())
}

fn beyond_cap<'a>(sent: impl Iterator<Item = &'a Message>, cap: Option<u32>) -> Vec<String> {
    let Some(cap) = cap else { return Vec::new() };
    let mut shoppers: BTreeMap<&str, u32> = BTreeMap::new();
    for send in sent.filter_map(|record| record.send.as_ref()) {
        *shoppers.entry(send.to.as_str()).or_default() += 1;
    }
    let beyond = shoppers.into_values().filter(|count| *count > cap);
    beyond.map(|count| format!("a shopper gets {count} messages in a day, at most {cap}")).collect()
}

//! Messages of rules: each change of an order of the crowd sent one, as fast as the limits allow.

use std::collections::{BTreeMap, BTreeSet};

use domain::core::id::OrderKey;
use domain::messaging::message::Message;

use super::messages::rows::{Stored, is_sent};
use crate::ledger::sends::{CloudPost, Crowd, SendsLedger};
use crate::setup::ACCOUNTS;
use crate::setup::messages::{DEFAULT_PER_SECOND, MORNING, account_of};
use crate::world::State;

/// How much longer than the limit of a number requires its messages may take: it is not used up
/// quite, and whoever is refused comes again within 20 s.
const FACTOR: u64 = 2;
const SPREAD_MS: u64 = 30_000;

pub(super) fn judge(state: &State) -> Vec<String> {
    let ledger = &state.ledger.sends;
    let Some(crowd) = &ledger.crowd else { return Vec::new() };
    let stored = Stored::read(state);
    let mut messages: BTreeMap<OrderKey, Vec<&Message>> = BTreeMap::new();
    for message in stored.own_records().filter(|it| is_of_rule(it)) {
        if let Some(order) = message.order() {
            messages.entry(order).or_default().push(message);
        }
    }
    let mut findings = Vec::new();
    for order in crowd.orders.keys() {
        let posts = messages.get(order).map(|messages| posts(ledger, messages));
        if posts.as_deref() != Some(&[1]) {
            findings.push(format!("{order:?} sent {posts:?} messages for one change"));
        }
    }
    let others = messages.keys().filter(|order| !crowd.orders.contains_key(*order));
    findings.extend(others.map(|order| format!("{order:?} has a message without a change")));
    findings.extend(pace(crowd, ledger, &messages));
    findings
}

fn is_of_rule(message: &Message) -> bool {
    is_sent(message) && message.send.as_ref().is_some_and(|send| send.rule.is_some())
}

/// How often each message was posted.
fn posts(ledger: &SendsLedger, messages: &[&Message]) -> Vec<usize> {
    let count = |id: &str| ledger.posts.iter().filter(|post| post.id == id).count();
    messages.iter().map(|message| count(&message.id)).collect()
}

/// The messages of a number leave as soon as its limit allows, and are not queued again meanwhile.
/// Those beyond the limit of one shopper wait longer.
fn pace(
    crowd: &Crowd,
    ledger: &SendsLedger,
    messages: &BTreeMap<OrderKey, Vec<&Message>>,
) -> Vec<String> {
    let has_one_order = |phone: &str| crowd.orders.values().filter(|it| *it == phone).count() < 2;
    let alone = crowd.orders.iter().filter(|(_, phone)| has_one_order(phone));
    let alone: BTreeSet<&str> = alone
        .filter_map(|(order, _)| messages.get(order))
        .flatten()
        .map(|message| message.id.as_str())
        .collect();
    let mut numbers: BTreeMap<&str, Vec<&CloudPost>> = BTreeMap::new();
    for post in ledger.posts.iter().filter(|post| alone.contains(post.id.as_str())) {
        numbers.entry(&post.number).or_default().push(post);
    }
    numbers
        .into_iter()
        .flat_map(|(number, posts)| of_number(crowd, ledger, number, &posts))
        .collect()
}

fn of_number(
    crowd: &Crowd,
    ledger: &SendsLedger,
    number: &str,
    posts: &[&CloudPost],
) -> Vec<String> {
    let has_night = account_of(number) == Some(ACCOUNTS[1]);
    let (begin, sweeps) = if has_night { (MORNING, 1) } else { (crowd.at, 0) };
    let swept = |id: &str| ledger.swept.get(id).copied().unwrap_or_default();
    let again = posts.iter().filter(|post| swept(&post.id) > sweeps).count();
    let again = (again > 0).then(|| format!("{again} messages are queued again while they wait"));
    let early = posts.iter().filter(|post| post.at < begin).count();
    let early = (early > 0).then(|| format!("{early} messages leave at night"));
    let last = posts.iter().map(|post| post.at).max().unwrap_or_default();
    let (count, took) = (posts.len(), last.saturating_sub(begin));
    let most = count_ms(count) * FACTOR + SPREAD_MS;
    let late = (took > most).then(|| format!("{count} messages of {number} take {took} ms"));
    [again, early, late].into_iter().flatten().collect()
}

/// The time in which a number may send so many messages.
fn count_ms(count: usize) -> u64 {
    u64::try_from(count * 1000 / DEFAULT_PER_SECOND).unwrap_or(u64::MAX)
}

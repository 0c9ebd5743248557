//! The messages table.

use std::collections::{BTreeMap, BTreeSet};

use domain::core::id::{AccountCode, OrderId, OrderKey};
use domain::messaging::figures::Figures;
use domain::messaging::linked::TrackedMessage;
use domain::messaging::message::Message;
use doubles::dynamodb::Item;
use serde_json::Value;

use crate::judge::orders::{of_tenant, read};
use crate::world::State;

/// The status of a message that a rule did not send.
const SKIPPED: &str = "skipped";

/// A message of a provider: account and the provider's id.
pub(crate) type MessageKey = (AccountCode, String);
/// What an account and a contact wrote to each other: account and the contact's id.
pub(crate) type Talk = (AccountCode, String);

/// Where messages are counted: account, day and template.
pub(crate) type Place = (AccountCode, String, Option<String>);

/// What is stored about messages.
#[derive(Default)]
pub(crate) struct Stored {
    pub(crate) tracked: BTreeMap<MessageKey, TrackedMessage>,
    /// Of each order, by their sort keys.
    pub(crate) records: BTreeMap<OrderKey, BTreeMap<String, Message>>,
    /// Messages of rules that were not sent, for a reason: of each order, by their sort keys.
    pub(crate) skipped: BTreeMap<OrderKey, BTreeMap<String, Message>>,
    /// By their sort keys.
    pub(crate) talks: BTreeMap<Talk, BTreeMap<String, Value>>,
    /// Rows under a provider's id that lead to a message that Waypost sent.
    pub(crate) aliases: BTreeMap<MessageKey, String>,
    /// Messages that Waypost sent about no order, by their sort keys.
    pub(crate) sends: BTreeMap<AccountCode, BTreeMap<String, Message>>,
    /// The events that the messages of conversations came with; of those that Waypost sent, their
    /// ids.
    pub(crate) events: BTreeMap<(Talk, String), String>,
    /// The other ids of a contact.
    pub(crate) links: BTreeSet<(Talk, String)>,
    /// The sums of all rows of a place.
    pub(crate) figures: BTreeMap<Place, Figures>,
    /// Keys of rows that stay too long or not long enough, or cannot be read.
    pub(crate) odd: Vec<String>,
}

impl Stored {
    pub(crate) fn read(state: &State) -> Self {
        let mut stored = Self::default();
        for row in state.dynamodb.rows("MessagesTable") {
            let text = |name: &str| row.get(name).and_then(|value| value["S"].as_str());
            let (Some(pk), Some(sk)) = (text("pk"), text("sk")) else { continue };
            let expires = row.contains_key("ttl");
            if pk.starts_with("stats:") {
                if stored.count(pk, row).is_none() {
                    stored.odd.push(format!("{pk} {sk}"));
                }
                continue;
            }
            let leads = (text("of"), text("event"));
            if stored.add(pk, sk, row.get("json"), leads, expires).is_none() {
                stored.odd.push(format!("{pk} {sk}"));
            }
        }
        stored
    }

    fn count(&mut self, pk: &str, row: &Item) -> Option<()> {
        let (account, day) = of_tenant(pk.strip_prefix("stats:")?)?;
        let template = row.get("template").and_then(|it| it["S"].as_str()).map(str::to_owned);
        let counts = row
            .iter()
            .filter_map(|(name, value)| Some((name.as_str(), value["N"].as_str()?.parse().ok()?)));
        let sum = self.figures.entry((account, day.to_owned(), template)).or_default();
        *sum += &Figures::read(counts);
        row.contains_key("ttl").then_some(())
    }

    fn add(
        &mut self,
        pk: &str,
        sk: &str,
        json: Option<&Value>,
        (of, event): (Option<&str>, Option<&str>),
        expires: bool,
    ) -> Option<()> {
        let (kind, rest) = pk.split_once(':')?;
        if kind == "sends" {
            return self.add_send(rest, sk, json?, expires);
        }
        let (account, name) = of_tenant(rest)?;
        let talk = (account.clone(), name.to_owned());
        match (kind, sk.split_once(':')) {
            ("message", None) if sk == "track" && of.is_some() => {
                self.aliases.insert(talk, of?.to_owned());
            }
            ("message", None) if sk == "track" => {
                let tracked: TrackedMessage = read(json?)?;
                // Only a row about an order does not expire.
                let of_order = tracked.record.as_ref().and_then(Message::order);
                (expires == of_order.is_none()).then_some(())?;
                self.tracked.insert(talk, tracked);
            }
            ("order", Some(("at", key))) if !expires => {
                let order = OrderKey { account, order: OrderId::parse(name).ok()? };
                let message: Message = read(json?)?;
                let is_skipped = message.message_status.as_str() == SKIPPED;
                let orders = if is_skipped { &mut self.skipped } else { &mut self.records };
                orders.entry(order).or_default().insert(key.to_owned(), message);
            }
            ("order", Some(("id", _))) if expires => {}
            ("talk", Some(("at", key))) if expires => {
                self.events.insert((talk.clone(), key.to_owned()), event?.to_owned());
                self.talks.entry(talk).or_default().insert(key.to_owned(), read(json?)?);
            }
            // How many messages of rules went to the shopper on a day.
            ("talk", Some(("sent", _))) if expires => {}
            // A further event with a message of theirs.
            ("talk", Some(("event", _))) if expires => {}
            ("talk", Some(("id", other))) if expires => {
                self.links.insert((talk, other.to_owned()));
            }
            _ => return None,
        }
        Some(())
    }

    /// A row of a message about no order: under its time, and under its request.
    fn add_send(&mut self, tenant: &str, sk: &str, json: &Value, expires: bool) -> Option<()> {
        let (account, _) = of_tenant(&format!("{tenant}:"))?;
        match sk.split_once(':')? {
            ("at", key) if expires => {
                self.sends.entry(account).or_default().insert(key.to_owned(), read(json)?);
            }
            ("id", _) if expires => {}
            _ => return None,
        }
        Some(())
    }

    /// All messages of all orders, also those that were skipped, by their sort keys.
    pub(crate) fn listed(&self) -> BTreeMap<&OrderKey, BTreeMap<&String, &Message>> {
        let mut listed: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
        for (order, messages) in self.records.iter().chain(&self.skipped) {
            listed.entry(order).or_default().extend(messages);
        }
        listed
    }

    /// The records of all messages that Waypost sent, by their ids.
    pub(crate) fn own_records(&self) -> impl Iterator<Item = &Message> {
        let about_orders = self.records.values().flat_map(BTreeMap::values);
        let others = self.sends.values().flat_map(BTreeMap::values);
        about_orders.chain(others).filter(|message| message.send.is_some())
    }

    /// Everything that an account and a contact wrote to each other, by all ids of the contact.
    /// Newest first.
    pub(crate) fn conversation(&self, talk: &Talk) -> Vec<&Value> {
        let mut ids = vec![talk.1.clone()];
        let mut next = 0;
        while let Some(id) = ids.get(next).cloned() {
            let links = self
                .links
                .iter()
                .filter(|((account, from), _)| (account, from.as_str()) == (&talk.0, id.as_str()));
            let new: Vec<String> = links.map(|(_, other)| other.clone()).collect();
            ids.extend(new.into_iter().filter(|it| !ids.contains(it)).collect::<Vec<_>>());
            next += 1;
        }
        let talks = ids.into_iter().filter_map(|id| self.talks.get(&(talk.0.clone(), id)));
        let messages: BTreeMap<&String, &Value> = talks.flatten().collect();
        messages.into_values().rev().collect()
    }
}

/// One of ours that was not skipped: those name their rule and shopper, too.
pub(in crate::judge) fn is_sent(message: &Message) -> bool {
    message.send.is_some() && message.message_status.as_str() != "skipped"
}

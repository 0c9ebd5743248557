//! Conversations, from webhooks to the pages that the API shows, on the model of DynamoDB.
#![expect(clippy::unwrap_used)]

mod memory;

use std::collections::BTreeSet;

use aws::tables::messages::Messages;
use domain::core::id::AccountCode;
use domain::core::timestamp::Timestamp;
use domain::messaging::conversation::Contact;
use domain::pagination::PageRequest;
use fastrand::Rng;
use serde_json::{Value, json};

use memory::Memory;

/// 2026-01-20, in seconds since 1970.
const START: i64 = 1_768_867_200;
const DAY: i64 = 24 * 60 * 60;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis((START + seconds) * 1000).unwrap()
}

/// An update of WhatsApp about one shopper, and the ids that it names: all are of this shopper.
#[derive(Debug, Clone)]
struct Update {
    id: String,
    ids: Vec<String>,
    list: &'static str,
    value: Value,
}

fn phone(shopper: usize, number: usize) -> String {
    format!("9190000{shopper}{number}000")
}

fn user(shopper: usize, number: usize) -> String {
    format!("IN.1000{shopper}{number}")
}

impl Update {
    /// `from` and `to` are written as the names of WhatsApp's fields.
    fn new(number: i64, list: &'static str, ids: &[(&str, &str)]) -> Self {
        let id = format!("wamid.{number:03}");
        let mut value = json!({
            "id": id, "timestamp": (START + number).to_string(), "type": "text",
            "text": {"body": "canary-body"},
        });
        for (name, id) in ids {
            value[*name] = json!(id);
        }
        let ids = ids.iter().map(|(_, id)| (*id).to_owned()).collect();
        Self { id, ids, list, value }
    }

    /// The ids of a shopper change to new ones.
    fn changing(mut self, kind: &str, field: &str, new: &str) -> Self {
        self.value["type"] = json!("system");
        self.value["system"] = json!({"type": kind, "body": "canary-body", field: new});
        self.ids.push(new.to_owned());
        self
    }

    /// A shopper has two phone numbers and two user ids, the second after the first.
    fn random(number: i64, random: &mut Rng) -> Self {
        let shopper = random.usize(..3);
        let new = random.usize(..2);
        let (phone, user) = (phone(shopper, new), user(shopper, random.usize(..2)));
        let (old_phone, old_user) = (self::phone(shopper, 0), self::user(shopper, 0));
        let (new_phone, new_user) = (self::phone(shopper, 1), self::user(shopper, 1));
        let new = |list, ids: &[(&str, &str)]| Self::new(number, list, ids);
        match random.u8(..12) {
            0..3 => new("messages", &[("from", &phone)]),
            3..5 => new("messages", &[("from_user_id", &user)]),
            5 => new("messages", &[("from", &phone), ("from_user_id", &user)]),
            6 => new("message_echoes", &[("to", &phone)]),
            7 => new("message_echoes", &[("to_user_id", &user)]),
            8 => new("message_echoes", &[("to", &phone), ("to_user_id", &user)]),
            9 => new("messages", &[("from", &old_phone)]).changing(
                "user_changed_number",
                "wa_id",
                &new_phone,
            ),
            10 => new("messages", &[("from_user_id", &old_user)]).changing(
                "user_changed_user_id",
                "user_id",
                &new_user,
            ),
            _ => new("messages", &[("from", &phone), ("from_user_id", &old_user)]).changing(
                "user_changed_user_id",
                "user_id",
                &new_user,
            ),
        }
    }

    fn change(&self) -> Value {
        let field = if self.list == "messages" { "messages" } else { "smb_message_echoes" };
        json!({"field": field, "value": {
            "messaging_product": "whatsapp", "metadata": {"phone_number_id": "1"},
            self.list: [self.value],
        }})
    }
}

fn body(updates: &[Update]) -> String {
    let changes: Vec<Value> = updates.iter().map(Update::change).collect();
    let entry = json!([{"id": "1", "changes": changes}]);
    json!({"object": "whatsapp_business_account", "entry": entry}).to_string()
}

/// The ids of each shopper, as far as updates name them together, in the order of the messages.
fn contacts(updates: &[Update]) -> Vec<BTreeSet<String>> {
    let mut contacts: Vec<BTreeSet<String>> = Vec::new();
    for update in updates {
        let mut ids: BTreeSet<String> = update.ids.iter().cloned().collect();
        contacts.retain(|other| {
            let is_other = other.is_disjoint(&ids);
            if !is_other {
                ids.extend(other.iter().cloned());
            }
            is_other
        });
        contacts.push(ids);
    }
    contacts
}

/// The messages by every id of a contact, newest first, by pages.
async fn conversation(messages: &Messages, id: &str, limit: usize) -> Vec<String> {
    let account = AccountCode::parse("A").unwrap();
    let contact = Contact::parse(id).unwrap();
    let mut page = PageRequest { limit, after: None };
    let mut found = Vec::new();
    loop {
        let slice = messages.conversation(&account, &contact, &page).await.unwrap();
        let ids = slice.items.iter().map(|it| {
            let message: Value = serde_json::from_str(it.message.as_str()).unwrap();
            message["message_id"].as_str().unwrap().to_owned()
        });
        found.extend(ids);
        if !slice.has_more {
            return found;
        }
        page.after = slice.items.last().map(|it| it.sort_key.clone());
    }
}

async fn check(memory: &Memory, updates: &[Update], seed: u64) {
    for ids in contacts(updates) {
        let own = updates.iter().filter(|update| ids.contains(&update.ids[0]));
        let mut expected: Vec<&str> = own.map(|update| update.id.as_str()).collect();
        expected.sort_unstable();
        expected.reverse();
        for id in &ids {
            for limit in [100, 3] {
                let found = conversation(&memory.messages(), id, limit).await;
                assert_eq!(found, expected, "{id} of {ids:?}, seed {seed}");
            }
        }
    }
}

/// In webhooks of one or several updates, and some updates twice.
async fn arrive(updates: &[Update], random: &mut Rng) -> Memory {
    let memory = Memory::new();
    let mut rest: Vec<Update> = updates.to_vec();
    rest.extend(updates.iter().filter(|_| random.u8(..4) == 0).cloned());
    random.shuffle(&mut rest);
    while !rest.is_empty() {
        let batch = rest.split_off(rest.len().saturating_sub(random.usize(1..6)));
        memory.receive(&body(&batch), at(DAY + i64::from(random.u16(..)))).await;
    }
    memory
}

#[tokio::test]
async fn conversations_are_the_same_in_every_order_of_arrival() {
    for seed in 0..6 {
        let mut random = Rng::with_seed(seed);
        let updates: Vec<Update> =
            (0..40).map(|number| Update::random(number, &mut random)).collect();
        for _ in 0..3 {
            let memory = arrive(&updates, &mut random).await;
            check(&memory, &updates, seed).await;
        }
    }
}

/// Each message names one of the ids, but for the first.
#[tokio::test]
async fn a_conversation_is_one_for_as_long_as_messages_come() {
    let (phone, user) = (phone(0, 0), user(0, 0));
    let memory = Memory::new();
    let mut updates =
        vec![Update::new(0, "messages", &[("from", &phone), ("from_user_id", &user)])];
    for number in 1..40 {
        let (name, id) = [("from", &phone), ("from_user_id", &user)][usize::from(number % 2 == 0)];
        updates.push(Update::new(number * 10 * DAY, "messages", &[(name, id)]));
    }
    for (number, update) in (0..).zip(&updates) {
        let now = at(number * 10 * DAY);
        memory.receive(&body(std::slice::from_ref(update)), now).await;
        memory.expire(now);
        // A message of 90 days ago has just expired.
        let kept =
            &updates[usize::try_from(number - 8).unwrap_or(0)..=usize::try_from(number).unwrap()];
        let expected: Vec<&str> = kept.iter().rev().map(|update| update.id.as_str()).collect();
        for id in [&phone, &user] {
            let found = conversation(&memory.messages(), id, 100).await;
            assert_eq!(found[..expected.len()], expected, "{id} on day {}", number * 10);
        }
    }
}

/// A phone number may be given to someone else.
#[tokio::test]
async fn a_former_number_leaves_the_conversation_with_its_messages() {
    let [old, new] = [phone(0, 0), phone(0, 1)];
    let memory = Memory::new();
    let change = Update::new(0, "messages", &[("from", &old)]);
    let change = change.changing("user_changed_number", "wa_id", &new);
    let by = |number, id: &str| Update::new(number, "messages", &[("from", id)]);
    for (day, update) in [
        (0, by(0, &old)),
        (0, change),
        (50, by(50 * DAY, &new)),
        (101, by(101 * DAY, &new)),
        (102, by(102 * DAY, &old)),
    ] {
        memory.receive(&body(&[update]), at(day * DAY)).await;
        memory.expire(at(day * DAY));
    }
    let ids = |found: Vec<String>| found.len();
    assert_eq!(ids(conversation(&memory.messages(), &new, 100).await), 2);
    assert_eq!(ids(conversation(&memory.messages(), &old, 100).await), 1);
}

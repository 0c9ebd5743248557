//! Conversations and figures, from webhooks to the pages that the API shows, on the model of DynamoDB.
#![expect(clippy::unwrap_used)]

mod memory;

use std::collections::BTreeSet;

use aws::tables::messages::{DayFigures, Messages};
use domain::core::id::AccountCode;
use domain::core::timestamp::Timestamp;
use domain::messaging::conversation::Contact;
use domain::messaging::figures::Figures;
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

/// The id of one of two messages to a shopper.
fn sent(shopper: usize, random: &mut Rng) -> String {
    format!("wamid.to-{shopper}-{}", random.u8(..2))
}

fn all_sent() -> impl Iterator<Item = String> {
    (0..3).flat_map(|shopper| (0..2).map(move |message| format!("wamid.to-{shopper}-{message}")))
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

    /// A status of one of the messages to a shopper. It is not in the conversation.
    fn status(number: i64, shopper: usize, random: &mut Rng) -> Self {
        let (phone, user) = (phone(shopper, 0), user(shopper, 0));
        let ids = [("recipient_id", phone.as_str()), ("recipient_user_id", user.as_str())];
        let mut update = Self::new(number, "statuses", &ids[..random.usize(0..3)]);
        for field in ["type", "text"] {
            update.value.as_object_mut().unwrap().remove(field);
        }
        update.value["id"] = json!(sent(shopper, random));
        update.value["status"] = json!(random.choice(["sent", "delivered", "read", "failed"]));
        update
    }

    /// It answers one of the messages to its shopper.
    fn answering(mut self, shopper: usize, random: &mut Rng) -> Self {
        self.value["context"] = json!({"id": sent(shopper, random)});
        self
    }

    fn is_shown(&self) -> bool {
        self.list != "statuses"
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
        match random.u8(..18) {
            12.. if number % 3 == 0 => {
                new("messages", &[("from", &phone)]).answering(shopper, random)
            }
            12.. => Self::status(number, shopper, random),
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
        let is_echo = self.list == "message_echoes";
        let field = if is_echo { "smb_message_echoes" } else { "messages" };
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
        let own = updates.iter().filter(|update| {
            update.is_shown() && update.ids.first().is_some_and(|id| ids.contains(id))
        });
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

/// In webhooks of one or several updates, and some updates twice. The messages to shoppers are
/// recorded before, between or after them.
async fn arrive(updates: &[Update], random: &mut Rng) -> Memory {
    let memory = Memory::new();
    let mut unrecorded: Vec<String> = all_sent().collect();
    random.shuffle(&mut unrecorded);
    let mut rest: Vec<Update> = updates.to_vec();
    rest.extend(updates.iter().filter(|_| random.u8(..4) == 0).cloned());
    random.shuffle(&mut rest);
    while !rest.is_empty() {
        if let Some(id) = unrecorded.pop_if(|_| random.u8(..3) == 0) {
            memory.record(&id, at(0)).await;
        }
        let batch = rest.split_off(rest.len().saturating_sub(random.usize(1..6)));
        memory.receive(&body(&batch), at(DAY + i64::from(random.u16(..)))).await;
    }
    for id in &unrecorded {
        memory.record(id, at(0)).await;
    }
    memory
}

/// Of the day of all messages.
async fn figures(memory: &Memory) -> DayFigures {
    let (account, days) = (AccountCode::parse("A").unwrap(), ["2026-01-20".to_owned()]);
    memory.messages().figures(&account, &days, None).await.unwrap().remove(0)
}

#[tokio::test]
async fn conversations_and_figures_are_the_same_in_every_order_of_arrival() {
    let mut counted = BTreeSet::new();
    for seed in 0..6 {
        let mut random = Rng::with_seed(seed);
        let updates: Vec<Update> =
            (0..40).map(|number| Update::random(number, &mut random)).collect();
        let mut first = None;
        for _ in 0..3 {
            let memory = arrive(&updates, &mut random).await;
            check(&memory, &updates, seed).await;
            let figures = figures(&memory).await;
            let counts = figures.templates.values().flat_map(Figures::named);
            counted.extend(counts.map(|(name, _)| name));
            assert_eq!(first.get_or_insert_with(|| figures.clone()), &figures, "seed {seed}");
        }
    }
    for name in ["sent", "delivered", "read", "failed", "replied"] {
        assert!(counted.contains(name), "{name} of {counted:?}");
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

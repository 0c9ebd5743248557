//! Messages of shoppers, and echoes of the business's own.

use std::collections::HashMap;

use domain::messaging::channel::{ChannelEvent, Content, Echo, InboundMessage, SharedContact};
use domain::messaging::conversation::Contact;

use super::ids::{message_id, phone, phone_or_user, user};
use super::statuses::time;
use super::{REMARK, TITLE, content, identifier};
use crate::text::Fields;

/// Reads one of `messages`. `None` without a message id or a sender.
pub(super) fn read(fields: &Fields, contacts: &Contacts) -> Option<ChannelEvent> {
    let ids = contacts.ids(fields, ["from", "from_user_id"]);
    let content = with_previous_id(content::read(fields), &ids);
    let name = contacts.name(&ids);
    let mut ids = ids.into_iter();
    Some(ChannelEvent::InboundMessage(Box::new(InboundMessage {
        message: message_id(fields, "id")?,
        name,
        from: ids.next().or_else(|| changed_user(&content))?,
        other_id: ids.next().or_else(|| own_number(fields, &content)),
        group: fields.words("group_id", REMARK),
        at: time(fields),
        in_reply_to: message_id(&fields.object("context"), "id"),
        content,
    })))
}

/// Reads one of `message_echoes`. `None` without a message id or a recipient.
pub(super) fn read_echo(fields: &Fields, contacts: &Contacts) -> Option<ChannelEvent> {
    let ids = contacts.ids(fields, ["to", "to_user_id"]);
    Some(ChannelEvent::Echo(Box::new(Echo {
        message: message_id(fields, "id")?,
        from: phone(fields, "from"),
        name: contacts.name(&ids),
        to: ids.first()?.clone(),
        other_id: ids.get(1).cloned(),
        at: time(fields),
        in_reply_to: message_id(&fields.object("context"), "id"),
        content: content::read(fields),
    })))
}

/// The number of a shopper who shared it on request, by the button of a template. A card of any
/// other origin may be of anybody.
fn own_number(message: &Fields, content: &Content) -> Option<String> {
    let Content::Contacts { contacts } = content else { return None };
    let [SharedContact { origin, phones, .. }] = contacts.as_slice() else { return None };
    let [phone] = phones.as_slice() else { return None };
    let origin = identifier(message, "origin").or_else(|| origin.clone());
    let international = |text: &&String| text.starts_with('+');
    let of_phone = || Contact::of_phone(phone.phone.as_ref().filter(international)?);
    let number = phone.contact.clone().or_else(|| of_phone().map(|it| it.as_str().to_owned()));
    number.filter(|_| origin.as_deref() == Some("contact_request"))
}

/// A change of number names only the new one: the previous one is the sender.
fn with_previous_id(content: Content, sender: &[String]) -> Content {
    match content {
        Content::System { kind, text, previous_id: None, new_id: Some(new_id) } => {
            let is_number = |id: &str| id.starts_with(|first: char| first.is_ascii_digit());
            let mut others: Vec<&String> = sender.iter().filter(|id| **id != new_id).collect();
            others.sort_by_key(|id| is_number(id) != is_number(&new_id));
            let previous_id = others.first().map(|id| (*id).clone());
            Content::System { kind, text, previous_id, new_id: Some(new_id) }
        }
        content => content,
    }
}

/// The user whose id changed: such messages may name no sender.
fn changed_user(content: &Content) -> Option<String> {
    match content {
        Content::System { previous_id, new_id, .. } => {
            previous_id.as_ref().or(new_id.as_ref()).cloned()
        }
        _ => None,
    }
}

/// The `contacts` beside the messages.
pub(super) struct Contacts {
    /// Display names by phone number and by user id.
    names: HashMap<String, String>,
    /// The user id by the phone number of users with both, and the other way round.
    other_ids: HashMap<String, String>,
    /// The ids of the only contact. With several contacts the other party would be a guess.
    only: Vec<String>,
}

impl Contacts {
    pub(super) fn read(contacts: &[Fields]) -> Self {
        let mut all = Self { names: HashMap::new(), other_ids: HashMap::new(), only: Vec::new() };
        for contact in contacts {
            let ids = [phone_or_user(contact, "wa_id"), user(contact, "user_id")];
            if let [Some(one), Some(other)] = &ids
                && one != other
            {
                all.other_ids.insert(one.clone(), other.clone());
                all.other_ids.insert(other.clone(), one.clone());
            }
            let ids: Vec<String> = ids.into_iter().flatten().collect();
            if let Some(name) = contact.object("profile").words("name", TITLE) {
                all.names.extend(ids.iter().map(|id| (id.clone(), name.clone())));
            }
            if contacts.len() == 1 {
                all.only = ids;
            }
        }
        all
    }

    /// The ids of a message's other party, a phone number before a user id. Users with a user name
    /// may hide their number.
    pub(super) fn ids(&self, message: &Fields, [number, user_id]: [&str; 2]) -> Vec<String> {
        let ids = [phone_or_user(message, number), user(message, user_id)];
        let mut ids: Vec<String> = ids.into_iter().flatten().collect();
        if ids.is_empty() {
            ids.clone_from(&self.only);
        }
        let known = ids.first().filter(|_| ids.len() == 1);
        ids.extend(known.and_then(|id| self.other_ids.get(id)).cloned());
        ids.dedup();
        ids
    }

    pub(super) fn name(&self, ids: &[String]) -> Option<String> {
        ids.iter().find_map(|id| self.names.get(id)).cloned()
    }
}

//! Messages of shoppers, and echoes of the business's own.

use std::collections::HashMap;

use domain::messaging::channel::{ChannelEvent, Content, Echo, InboundMessage};

use super::ids::{message_id, phone, phone_or_user, user};
use super::statuses::time;
use super::{REMARK, TITLE, content};
use crate::text::Fields;

/// Reads one of `messages`. `None` without a message id or a sender.
pub(super) fn read(fields: &Fields, contacts: &Contacts) -> Option<ChannelEvent> {
    let ids = contacts.ids(fields, ["from", "from_user_id"]);
    let content = with_previous_id(content::read(fields), &ids);
    Some(ChannelEvent::InboundMessage(Box::new(InboundMessage {
        message: message_id(fields, "id")?,
        name: contacts.name(&ids),
        from: ids.into_iter().next().or_else(|| changed_user(&content))?,
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
        to: ids.into_iter().next()?,
        at: time(fields),
        in_reply_to: message_id(&fields.object("context"), "id"),
        content: content::read(fields),
    })))
}

/// A change of number names only the new one: the previous one is the sender.
fn with_previous_id(content: Content, sender: &[String]) -> Content {
    match content {
        Content::System { kind, text, previous_id: None, new_id: Some(new_id) } => {
            let previous_id = sender.iter().find(|id| **id != new_id).cloned();
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
    /// The id of the only contact. With several contacts the other party would be a guess.
    only: Option<String>,
}

impl Contacts {
    pub(super) fn read(contacts: &[Fields]) -> Self {
        let ids = |contact| [phone_or_user(contact, "wa_id"), user(contact, "user_id")];
        let mut names = HashMap::new();
        for contact in contacts {
            let Some(name) = contact.object("profile").words("name", TITLE) else { continue };
            names.extend(ids(contact).into_iter().flatten().map(|id| (id, name.clone())));
        }
        let only =
            if let [only] = contacts { ids(only).into_iter().flatten().next() } else { None };
        Self { names, only }
    }

    /// The phone number of a message's other party, their user id or both. Users with a user name
    /// may hide their number.
    fn ids(&self, message: &Fields, [number, user_id]: [&str; 2]) -> Vec<String> {
        let ids = [phone_or_user(message, number), user(message, user_id)];
        let ids: Vec<_> = ids.into_iter().flatten().collect();
        if ids.is_empty() { self.only.iter().cloned().collect() } else { ids }
    }

    fn name(&self, ids: &[String]) -> Option<String> {
        ids.iter().find_map(|id| self.names.get(id)).cloned()
    }
}

//! Messages of shoppers.

use std::collections::HashMap;

use domain::messaging::channel::{ChannelEvent, InboundMessage};

use super::statuses::{message_id, time};
use super::{TITLE, content};
use crate::text::Fields;

/// Maximum number of digits of a phone number. E.164 allows 15.
const PHONE: usize = 32;
/// Longest user id, in characters. Meta's have about 24.
const USER: usize = 128;

/// Reads one of `messages`. `None` without a message id or a sender.
pub(super) fn read(fields: &Fields, senders: &Senders) -> Option<ChannelEvent> {
    let ids = senders.ids(fields);
    Some(ChannelEvent::InboundMessage(Box::new(InboundMessage {
        message: message_id(fields, "id")?,
        name: ids.iter().find_map(|id| senders.names.get(id)).cloned(),
        from: ids.into_iter().next()?,
        at: time(fields),
        in_reply_to: message_id(&fields.object("context"), "id"),
        content: content::read(fields),
    })))
}

/// The `contacts` beside the messages.
pub(super) struct Senders {
    /// Display names by phone number and by user id.
    names: HashMap<String, String>,
    /// The user id of the only contact. With several contacts a sender would be a guess.
    only_user: Option<String>,
}

impl Senders {
    pub(super) fn read(contacts: &[Fields]) -> Self {
        let mut names = HashMap::new();
        for contact in contacts {
            let Some(name) = contact.object("profile").words("name", TITLE) else { continue };
            let ids = [phone(contact, "wa_id"), user(contact, "user_id")];
            names.extend(ids.into_iter().flatten().map(|id| (id, name.clone())));
        }
        let only = if let [only] = contacts { user(only, "user_id") } else { None };
        Self { names, only_user: only }
    }

    /// The sender's phone number, user id or both. Users with a user name may hide their number.
    fn ids(&self, message: &Fields) -> Vec<String> {
        let ids = [phone(message, "from"), user(message, "from_user_id")];
        let ids: Vec<_> = ids.into_iter().flatten().collect();
        if ids.is_empty() { self.only_user.iter().cloned().collect() } else { ids }
    }
}

/// The digits of a phone number.
fn phone(fields: &Fields, name: &str) -> Option<String> {
    let text = fields.digits(name)?;
    let digits = text.strip_prefix('+').unwrap_or(&text);
    let valid =
        (1..=PHONE).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    valid.then(|| digits.to_owned())
}

/// Meta's user id, e.g. `US.13491208655302741918`.
fn user(fields: &Fields, name: &str) -> Option<String> {
    fields
        .digits(name)
        .filter(|id| id.len() <= USER && id.bytes().all(|byte| byte.is_ascii_graphic()))
}

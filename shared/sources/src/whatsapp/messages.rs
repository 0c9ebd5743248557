//! What shoppers write, and who wrote it.

use std::collections::HashMap;

use domain::messaging::channel::{ChannelEvent, InboundMessage};

use super::statuses::{message_id, time};
use super::{TITLE, content};
use crate::text::Fields;

/// The most digits of a phone number. E.164 has up to 15.
const PHONE: usize = 32;
/// The longest id of a user, in characters. Meta's have about 24.
const USER: usize = 128;

/// One of `messages`; nothing if it has no id, or nobody wrote it.
pub(super) fn read(fields: &Fields, writers: &Writers) -> Option<ChannelEvent> {
    let ids = writers.ids(fields);
    Some(ChannelEvent::InboundMessage(Box::new(InboundMessage {
        message: message_id(fields, "id")?,
        name: ids.iter().find_map(|id| writers.names.get(id)).cloned(),
        from: ids.into_iter().next()?,
        at: time(fields),
        in_reply_to: message_id(&fields.object("context"), "id"),
        content: content::read(fields),
    })))
}

/// What the same value says of those who wrote.
pub(super) struct Writers {
    /// What they are called, by phone number and by user id.
    names: HashMap<String, String>,
    /// The one user there is. Among several nobody could tell who wrote what.
    only_user: Option<String>,
}

impl Writers {
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

    /// A writer's phone number, user id or both. Who has a user name need not show a number.
    fn ids(&self, message: &Fields) -> Vec<String> {
        let ids = [phone(message, "from"), user(message, "from_user_id")];
        let ids: Vec<_> = ids.into_iter().flatten().collect();
        if ids.is_empty() { self.only_user.iter().cloned().collect() } else { ids }
    }
}

/// A phone number by its digits.
fn phone(fields: &Fields, name: &str) -> Option<String> {
    let text = fields.digits(name)?;
    let digits = text.strip_prefix('+').unwrap_or(&text);
    let fits =
        (1..=PHONE).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| digits.to_owned())
}

/// Meta's id of a user, e.g. `US.13491208655302741918`.
fn user(fields: &Fields, name: &str) -> Option<String> {
    fields
        .digits(name)
        .filter(|id| id.len() <= USER && id.bytes().all(|byte| byte.is_ascii_graphic()))
}

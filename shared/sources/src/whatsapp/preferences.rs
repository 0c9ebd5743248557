//! Shoppers who stop and resume marketing messages.
//!
//! Sources: Meta's WhatsApp documentation, "Webhooks reference": `user_preferences`; `pywa` 4.5
//! (`pywa/types/user_preferences.py`), which also knows `signup`.

use domain::messaging::channel::{ChannelEvent, Preference};

use super::identifier;
use super::messages::Contacts;
use super::statuses::time;
use crate::text::Fields;

/// `None` without a user, or if the preference is another than these.
pub(super) fn read(fields: &Fields, contacts: &Contacts) -> Option<ChannelEvent> {
    let of = |name| identifier(fields, name).map(|word| word.to_ascii_lowercase());
    let category = of("category");
    if !category.is_none_or(|it| matches!(it.as_str(), "marketing_messages" | "marketing")) {
        return None;
    }
    let stopped = match of("value")?.as_str() {
        "stop" => true,
        "resume" | "signup" => false,
        _ => return None,
    };
    let mut ids = contacts.ids(fields, ["wa_id", "user_id"]).into_iter();
    let (user, other_id) = (ids.next()?, ids.next());
    Some(ChannelEvent::Preference(Preference { user, other_id, stopped, at: time(fields) }))
}

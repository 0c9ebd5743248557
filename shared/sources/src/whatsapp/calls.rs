//! Voice calls with shoppers: that there was one, and how it ended. Its session description is not
//! kept.
//!
//! Sources: Meta's WhatsApp documentation, "Calling API", "User-initiated calls" and
//! "Business-initiated calls"; `pywa` 4.5 (`pywa/types/calls.py`).

use domain::messaging::channel::{CALL_STATUS, Call, ChannelEvent, Content};

use super::ids::{message_id, phone};
use super::messages::Contacts;
use super::statuses::time;
use super::{identifier, word};
use crate::text::Fields;

/// Reads one of `calls`. `None` without an id, an event or a shopper. `own` is the number of the
/// business.
pub(super) fn read(
    fields: &Fields,
    contacts: &Contacts,
    own: Option<&str>,
) -> Option<ChannelEvent> {
    let is_inbound = match word(fields, "direction").as_deref() {
        Some("BUSINESS_INITIATED") => false,
        Some("USER_INITIATED") => true,
        _ => {
            let digits = |text: &str| text.trim_start_matches('+').to_owned();
            phone(fields, "from").is_none_or(|from| own.is_none_or(|own| digits(own) != from))
        }
    };
    let names = if is_inbound { ["from", "from_user_id"] } else { ["to", "to_user_id"] };
    let content = Content::Call {
        event: identifier(fields, "event")?.to_ascii_lowercase(),
        status: word(fields, "status"),
        duration: fields.digits("duration").and_then(|seconds| seconds.parse().ok()),
    };
    call(fields, contacts.ids(fields, names), contacts, is_inbound, content)
}

/// Reads one of `statuses`: how a call of the business is going.
pub(super) fn read_status(fields: &Fields, contacts: &Contacts) -> Option<ChannelEvent> {
    let status = word(fields, "status")?;
    let content =
        Content::Call { event: CALL_STATUS.to_owned(), status: Some(status), duration: None };
    let ids = contacts.ids(fields, ["recipient_id", "recipient_user_id"]);
    call(fields, ids, contacts, false, content)
}

fn call(
    fields: &Fields,
    ids: Vec<String>,
    contacts: &Contacts,
    is_inbound: bool,
    content: Content,
) -> Option<ChannelEvent> {
    let name = contacts.name(&ids);
    let mut ids = ids.into_iter();
    Some(ChannelEvent::Call(Box::new(Call {
        call: message_id(fields, "id")?,
        with: ids.next()?,
        other_id: ids.next(),
        name,
        is_inbound,
        at: time(fields),
        content,
    })))
}

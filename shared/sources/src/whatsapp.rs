//! WhatsApp's webhook (Cloud API): how our messages fare, and what shoppers write.
//!
//! What it sends: Meta's WhatsApp documentation, "Webhooks", and the samples there. One body may hold a thousand
//! updates, of several numbers and accounts.

mod auth;
mod content;
mod envelope;
mod messages;
mod settings;
mod statuses;

use domain::messaging::channel::{ChannelError, ChannelEvent, ChannelUpdate};
use domain::tracking::report::SourceName;

use crate::text::Fields;
use crate::{Authenticator, InvalidSetting, Items, Reading, Received, Setup, Source, Unreadable};
use envelope::Value;

pub use settings::Numbers;

/// The longest body, in bytes. Meta sends up to 3 MB.
const BODY_LIMIT: usize = 3_670_016;
/// The longest word for a status or a kind of message, in characters.
const WORD: usize = 64;
/// The longest title or name, in characters.
const TITLE: usize = 256;
/// The longest id within a message, caption or explanation, in characters.
const REMARK: usize = 1024;

/// WhatsApp.
pub struct WhatsApp;

impl Source for WhatsApp {
    fn name(&self) -> SourceName {
        SourceName::new("whatsapp")
    }

    fn path(&self) -> &'static str {
        "whatsapp"
    }

    fn body_limit(&self) -> usize {
        BODY_LIMIT
    }

    fn configure(&self, setup: &Setup<'_>) -> Result<Box<dyn Authenticator>, InvalidSetting> {
        auth::configure(setup)
    }

    fn read(&self, received: &Received<'_>) -> Result<Reading, Unreadable> {
        let Some(values) = envelope::open(received.body)? else {
            return Ok(Reading::Ignored("other_object"));
        };
        let mut all = Items { items: Vec::new(), skipped: values.skipped };
        for value in &values.items {
            let updates = updates(value);
            all.items.extend(updates.items);
            all.skipped += updates.skipped;
        }
        if all.items.is_empty() && all.skipped == 0 {
            return Ok(Reading::Ignored("no_updates"));
        }
        Ok(Reading::Updates(all))
    }

    /// Meta repeats for seven days.
    fn retries_on_error(&self) -> bool {
        true
    }
}

fn updates(value: &Value<'_>) -> Items<ChannelUpdate> {
    let writers = messages::Writers::read(&value.list("contacts").items);
    let mut events = Items::from(Vec::new());
    collect(&mut events, &value.list("statuses"), statuses::read);
    collect(&mut events, &value.list("messages"), |message| messages::read(message, &writers));
    collect(&mut events, &value.list("errors"), |fields| {
        error(fields).map(ChannelEvent::NumberError)
    });
    let number = value.number();
    let update = |event| ChannelUpdate { number: number.clone(), event };
    Items { items: events.items.into_iter().map(update).collect(), skipped: events.skipped }
}

fn collect(
    events: &mut Items<ChannelEvent>,
    list: &Items<Fields>,
    read: impl Fn(&Fields) -> Option<ChannelEvent>,
) {
    let before = events.items.len();
    events.items.extend(list.items.iter().filter_map(read));
    events.skipped += list.skipped + list.items.len() - (events.items.len() - before);
}

/// An error, if the fields say anything of one.
fn error(fields: &Fields) -> Option<ChannelError> {
    let all_digits =
        |text: &String| text.len() <= WORD && text.bytes().all(|byte| byte.is_ascii_digit());
    let code = fields.digits("code").filter(all_digits);
    let title = fields.words("title", TITLE);
    let details = fields
        .object("error_data")
        .words("details", REMARK)
        .or_else(|| fields.words("message", REMARK));
    let says_something = code.is_some() || title.is_some() || details.is_some();
    says_something.then_some(ChannelError { code, title, details })
}

/// A word of WhatsApp's own: a status or a kind of message.
fn word(fields: &Fields, name: &str) -> Option<String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    fields.text(name).filter(|text| text.len() <= WORD && text.bytes().all(plain))
}

#[cfg(test)]
mod tests;

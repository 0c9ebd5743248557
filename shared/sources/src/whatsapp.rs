//! WhatsApp's webhook (Cloud API): statuses of our messages, messages of shoppers, and echoes of
//! messages that the business wrote on its phone.
//!
//! Source: Meta's WhatsApp documentation, "Webhooks", and its samples. One body may hold a thousand
//! updates, of several phone numbers and accounts.

mod auth;
mod content;
mod envelope;
mod ids;
mod messages;
mod settings;
mod statuses;

use domain::core::timestamp::Timestamp;
use domain::messaging::channel::{ChannelError, ChannelEvent, ChannelUpdate};
use domain::tracking::report::SourceName;

use crate::text::Fields;
use crate::{
    Authenticator, DedupKey, IgnoreReason, InvalidSetting, Items, Parsed, Reading, Request, Setup,
    Source, TenantHint, Unreadable,
};
use envelope::Value;

pub use settings::Numbers;

/// Largest body, in bytes. Meta sends up to 3 MB.
const BODY_LIMIT: usize = 3_670_016;
/// Longest status or message type, in characters.
const IDENTIFIER: usize = 64;
/// Longest title or name, in characters.
const TITLE: usize = 256;
/// Longest id within a message, caption or explanation, in characters.
const REMARK: usize = 1024;

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

    fn parse(&self, request: &Request<'_>, _at: Timestamp) -> Result<Parsed, Unreadable> {
        let Some(values) = envelope::open(request.body)? else {
            return Ok(Reading::Ignored(IgnoreReason::OtherObject).into());
        };
        let mut all = Items { items: Vec::new(), skipped: values.skipped };
        let mut numbers = Vec::with_capacity(values.items.len());
        for value in &values.items {
            let number = value.number();
            let updates = updates(value, number.as_deref());
            numbers.push(number);
            all.items.extend(updates.items);
            all.skipped += updates.skipped;
        }
        let reading = if all.items.is_empty() && all.skipped == 0 {
            Reading::Ignored(IgnoreReason::NoUpdates)
        } else {
            Reading::Updates(all)
        };
        Ok(Parsed { dedup_key: DedupKey::Body, tenant: tenant(numbers), reading })
    }

    /// Meta retries for seven days.
    fn retries_on_error(&self) -> bool {
        true
    }
}

/// A value without a number leaves the tenant of the body open.
fn tenant(numbers: Vec<Option<String>>) -> TenantHint {
    TenantHint(numbers.into_iter().collect::<Option<_>>().unwrap_or_default())
}

fn updates(value: &Value<'_>, number: Option<&str>) -> Items<ChannelUpdate> {
    let contacts = messages::Contacts::read(&value.list("contacts").items);
    let mut events = Items::from(Vec::new());
    if value.is_echo {
        let echo = |message: &Fields| messages::read_echo(message, &contacts);
        collect(&mut events, &value.list("message_echoes"), echo);
    } else {
        collect(&mut events, &value.list("statuses"), statuses::read);
        collect(&mut events, &value.list("messages"), |it| messages::read(it, &contacts));
    }
    collect(&mut events, &value.list("errors"), |fields| {
        error(fields).map(ChannelEvent::NumberError)
    });
    let update = |event| ChannelUpdate { number: number.map(str::to_owned), event };
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

/// `None` if no field of the error is valid.
fn error(fields: &Fields) -> Option<ChannelError> {
    let all_digits =
        |text: &String| text.len() <= IDENTIFIER && text.bytes().all(|byte| byte.is_ascii_digit());
    let code = fields.digits("code").filter(all_digits);
    let title = fields.words("title", TITLE);
    let details = fields
        .object("error_data")
        .words("details", REMARK)
        .or_else(|| fields.words("message", REMARK));
    let has_content = code.is_some() || title.is_some() || details.is_some();
    has_content.then_some(ChannelError { code, title, details })
}

/// An identifier of WhatsApp's: a status or a message type.
fn identifier(fields: &Fields, name: &str) -> Option<String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    fields.text(name).filter(|text| text.len() <= IDENTIFIER && text.bytes().all(plain))
}

#[cfg(test)]
mod tests;

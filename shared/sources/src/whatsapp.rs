//! WhatsApp's webhook (Cloud API): statuses of our messages, messages of shoppers, echoes of messages
//! that the business wrote on its phone, calls, shoppers' preferences, and what Meta says about
//! business accounts, phone numbers and templates.
//!
//! Source: Meta's WhatsApp documentation, "Webhooks", and its samples. One body may hold a thousand
//! updates, of several phone numbers and accounts.

mod account;
mod auth;
mod calls;
mod content;
mod envelope;
mod ids;
mod messages;
mod numbers;
mod preferences;
mod settings;
mod statuses;
mod template;

use domain::core::timestamp::Timestamp;
use domain::messaging::channel::{ChannelError, ChannelEvent, ChannelUpdate};
use domain::messaging::provider_state::{Aspect, Statement, Subject};
use domain::tracking::report::SourceName;

use crate::text::Fields;
use crate::{
    Authenticator, DedupKey, IgnoreReason, InvalidSetting, Items, Parsed, Reading, Request, Setup,
    Source, TenantHint, Unreadable,
};
use envelope::{Field, Value};

pub use settings::{CloudApi, Numbers};

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
        let mut owners = Vec::with_capacity(values.items.len());
        for value in &values.items {
            let number = value.number();
            let account = value.account().filter(|_| number.is_none());
            let events = events(value);
            all.skipped += events.skipped;
            all.items.extend(events.items.into_iter().map(|event| ChannelUpdate {
                number: number.clone(),
                business_account: account.clone(),
                event,
            }));
            owners.push(number.or(account));
        }
        let reading = if all.items.is_empty() && all.skipped == 0 {
            Reading::Ignored(IgnoreReason::NoUpdates)
        } else {
            Reading::Updates(all)
        };
        Ok(Parsed { dedup_key: DedupKey::Body, tenant: tenant(owners), reading })
    }

    /// Meta retries for seven days.
    fn retries_on_error(&self) -> bool {
        true
    }
}

/// A value without a number or account leaves the tenant of the body open.
fn tenant(owners: Vec<Option<String>>) -> TenantHint {
    TenantHint(owners.into_iter().collect::<Option<_>>().unwrap_or_default())
}

fn events(value: &Value<'_>) -> Items<ChannelEvent> {
    let contacts = || messages::Contacts::read(&value.list("contacts").items);
    let mut events = Items::from(Vec::new());
    match &value.field {
        Field::Messages => {
            let contacts = contacts();
            collect(&mut events, &value.list("statuses"), statuses::read);
            collect(&mut events, &value.list("messages"), |it| messages::read(it, &contacts));
            let error = |fields: &Fields| error(fields).map(ChannelEvent::NumberError);
            collect(&mut events, &value.list("errors"), error);
        }
        Field::Echoes => {
            let contacts = contacts();
            let echo = |message: &Fields| messages::read_echo(message, &contacts);
            collect(&mut events, &value.list("message_echoes"), echo);
            let error = |fields: &Fields| error(fields).map(ChannelEvent::NumberError);
            collect(&mut events, &value.list("errors"), error);
        }
        Field::Calls => {
            let contacts = contacts();
            let own = value.object("metadata").digits("display_phone_number");
            let call = |call: &Fields| calls::read(call, &contacts, own.as_deref());
            collect(&mut events, &value.list("calls"), call);
            collect(&mut events, &value.list("statuses"), |it| calls::read_status(it, &contacts));
        }
        Field::Preferences => {
            let contacts = contacts();
            let preference = |it: &Fields| preferences::read(it, &contacts);
            collect(&mut events, &value.list("user_preferences"), preference);
        }
        Field::Other(name) => events.items.push(ChannelEvent::OtherField(name.clone())),
        field => match statements(field, value) {
            Some(all) => {
                let boxed = all.into_iter().map(|it| ChannelEvent::Statement(Box::new(it)));
                events.items.extend(boxed);
            }
            None => events.skipped += 1,
        },
    }
    events
}

/// `None` if nothing can be read of a value about an account, a number or a template.
fn statements(field: &Field, value: &Value<'_>) -> Option<Vec<Statement>> {
    let (fields, at) = (value.whole(), value.at);
    let account = || value.account().map(Subject::BusinessAccount);
    let told = match field {
        Field::AccountUpdate => account::read_update(&fields, &account()?, at),
        Field::AccountAlert => account::read_alert(&fields, &account()?, at),
        Field::AccountReview => account::read_review(&fields, &account()?, at),
        Field::NumberQuality => numbers::read_quality(&fields, at),
        Field::NumberName => numbers::read_name(&fields, at),
        _ => template::read(&fields, at),
    };
    told.filter(|told| !told.is_empty())
}

/// A statement without further parts.
fn statement(about: &Subject, aspect: Aspect, at: Option<Timestamp>, value: String) -> Statement {
    Statement { about: about.clone(), aspect, at, value, reason: None, subject: None, until: None }
}

/// One of Meta's words for a state, in upper case.
fn word(fields: &Fields, name: &str) -> Option<String> {
    identifier(fields, name).map(|word| word.to_ascii_uppercase())
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
    fields.text(name).filter(|text| text.len() <= IDENTIFIER && is_identifier(text))
}

fn is_identifier(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    text.bytes().all(plain)
}

#[cfg(test)]
mod tests;

//! The envelope of WhatsApp's updates. It is parsed in place, because a body may have 3 MB.

use std::collections::BTreeMap;

use domain::core::raw_json::RawJson;
use domain::core::request_body::read_object;
use domain::core::timestamp::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::statuses::seconds;
use super::{IDENTIFIER, is_identifier};
use crate::text::Fields;
use crate::{Items, Unreadable};

/// Maximum number of digits of the id of a phone number or business account. Meta's have 15 to 17.
const ID: usize = 64;

type Object<'a> = BTreeMap<String, &'a RawValue>;

/// What a change is about, by the name of its `field`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Field {
    Messages,
    /// Messages that the business wrote on its phone.
    Echoes,
    Calls,
    Preferences,
    AccountUpdate,
    AccountAlert,
    AccountReview,
    NumberQuality,
    NumberName,
    Template,
    /// One that is not read.
    Other(String),
}

impl Field {
    fn of(name: &str) -> Self {
        match name {
            "messages" => Self::Messages,
            "smb_message_echoes" | "message_echoes" => Self::Echoes,
            "calls" => Self::Calls,
            "user_preferences" => Self::Preferences,
            "account_update" => Self::AccountUpdate,
            "account_alerts" => Self::AccountAlert,
            "account_review_update" => Self::AccountReview,
            "phone_number_quality_update" => Self::NumberQuality,
            "phone_number_name_update" => Self::NumberName,
            "message_template_status_update"
            | "message_template_quality_update"
            | "template_category_update" => Self::Template,
            name if name.len() <= IDENTIFIER && is_identifier(name) => Self::Other(name.to_owned()),
            _ => Self::Other("unknown".to_owned()),
        }
    }

    /// True for messages: they are never attributed by the business account alone, whose numbers
    /// may be of several tenants.
    fn needs_number(&self) -> bool {
        matches!(self, Self::Messages | Self::Echoes)
    }
}

/// The `value` of a change, about one phone number or business account.
pub(super) struct Value<'a> {
    fields: Object<'a>,
    pub(super) field: Field,
    /// The id of the business account.
    account: Option<String>,
    /// When Meta sent it. Changes about messages have their times in the messages.
    pub(super) at: Option<Timestamp>,
}

/// The values of all changes. `None` if the body is not about WhatsApp.
pub(super) fn open(body: &[u8]) -> Result<Option<Items<Value<'_>>>, Unreadable> {
    let body: Object<'_> = read_object(body)?;
    let object = text(&body, "object").ok_or(Unreadable::Missing("object"))?;
    if object != "whatsapp_business_account" {
        return Ok(None);
    }
    let entries = body
        .get("entry")
        .and_then(|list| each::<Object<'_>>(list))
        .ok_or(Unreadable::Missing("entry"))?;
    let mut values = Items { items: Vec::new(), skipped: entries.skipped };
    for entry in entries.items {
        add_changes(&mut values, &entry);
    }
    Ok(Some(values))
}

fn add_changes<'a>(values: &mut Items<Value<'a>>, entry: &Object<'a>) {
    let changes = entry.get("changes").and_then(|list| each::<Object<'_>>(list));
    let changes = changes.unwrap_or(Items { items: Vec::new(), skipped: 1 });
    values.skipped += changes.skipped;
    let account = id(entry.get("id"));
    let at = entry.get("time").and_then(|time| seconds(&plain(time)?));
    for change in changes.items {
        let field = text(&change, "field").map(|name| Field::of(&name));
        let value = change.get("value").and_then(|value| read(value));
        let fields = match &field {
            Some(Field::Other(_)) => Some(value.unwrap_or_default()),
            _ => value,
        };
        match field.zip(fields) {
            Some((field, fields)) => {
                values.items.push(Value { fields, field, account: account.clone(), at });
            }
            None => values.skipped += 1,
        }
    }
}

fn id(json: Option<&&RawValue>) -> Option<String> {
    plain(json?).filter(|id| is_id(id))
}

/// True for digits, as the ids of phone numbers and business accounts.
pub(super) fn is_id(id: &str) -> bool {
    (1..=ID).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit())
}

/// A string, or the digits of a number.
fn plain(json: &RawValue) -> Option<String> {
    read::<RawJson>(json)?.to_text().filter(|text| !text.is_empty())
}

impl Value<'_> {
    /// The phone number id.
    pub(super) fn number(&self) -> Option<String> {
        self.object("metadata").digits("phone_number_id").filter(|id| is_id(id))
    }

    /// The id of the business account, where it decides the tenant.
    pub(super) fn account(&self) -> Option<String> {
        self.account.clone().filter(|_| !self.field.needs_number())
    }

    /// Empty if it is absent or no object.
    pub(super) fn object(&self, name: &str) -> Fields {
        self.fields.get(name).and_then(|object| read(object)).unwrap_or_default()
    }

    /// All fields, of a value without long lists.
    pub(super) fn whole(&self) -> Fields {
        self.fields.iter().filter_map(|(name, json)| Some((name.clone(), read(json)?))).collect()
    }

    /// The objects of a list. A value that is no list counts as one skipped item.
    pub(super) fn list(&self, name: &str) -> Items<Fields> {
        let list = self.fields.get(name).filter(|list| list.get() != "null");
        list.map_or(Vec::new().into(), |list| {
            each(list).unwrap_or(Items { items: Vec::new(), skipped: 1 })
        })
    }
}

/// The valid items of a list. `None` if it is no list.
fn each<'a, T: Deserialize<'a>>(list: &'a RawValue) -> Option<Items<T>> {
    // Usually all items are valid, and one pass is enough.
    if let Some(items) = read::<Vec<T>>(list) {
        return Some(items.into());
    }
    let all: Vec<&RawValue> = read(list)?;
    let items: Vec<T> = all.iter().filter_map(|item| read(item)).collect();
    Some(Items { skipped: all.len() - items.len(), items })
}

fn text(object: &Object<'_>, name: &str) -> Option<String> {
    read::<String>(object.get(name)?).filter(|text| !text.trim().is_empty())
}

fn read<'a, T: Deserialize<'a>>(json: &'a RawValue) -> Option<T> {
    serde_json::from_str(json.get()).ok()
}

//! The envelope of WhatsApp's updates. It is parsed in place, because a body may have 3 MB.

use std::collections::BTreeMap;

use domain::core::request_body::read_object;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::text::Fields;
use crate::{Items, Unreadable};

/// Maximum number of digits of a phone number id. Meta's have 15 to 17.
const NUMBER: usize = 64;

type Object<'a> = BTreeMap<String, &'a RawValue>;

/// Changes about messages that the business wrote on its phone.
const ECHO_FIELDS: [&str; 2] = ["smb_message_echoes", "message_echoes"];

/// The `value` of a change, about one phone number.
pub(super) struct Value<'a> {
    fields: Object<'a>,
    /// True if the value holds the business's own messages.
    pub(super) is_echo: bool,
}

/// The values of all changes about messages. `None` if the body is not about WhatsApp.
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
    for change in changes.items {
        let field = text(&change, "field");
        let is_echo = field.as_deref().is_some_and(|field| ECHO_FIELDS.contains(&field));
        if field.as_deref().is_some_and(|field| field != "messages" && !is_echo) {
            continue;
        }
        match change.get("value").and_then(|value| read(value)).filter(|_| field.is_some()) {
            Some(fields) => values.items.push(Value { fields, is_echo }),
            None => values.skipped += 1,
        }
    }
}

impl Value<'_> {
    /// The phone number id.
    pub(super) fn number(&self) -> Option<String> {
        let metadata: Fields = read(self.fields.get("metadata")?)?;
        let valid =
            |id: &String| id.len() <= NUMBER && id.bytes().all(|byte| byte.is_ascii_digit());
        metadata.digits("phone_number_id").filter(valid)
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

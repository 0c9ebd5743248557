//! Property tests: no body makes the parser panic or exceed its limits.

use proptest::prelude::*;

use super::*;
use crate::testing::non_text;

const KEYS: [&str; 46] = [
    "id",
    "status",
    "timestamp",
    "errors",
    "code",
    "title",
    "message",
    "error_data",
    "from",
    "from_user_id",
    "context",
    "type",
    "text",
    "body",
    "button",
    "interactive",
    "nfm_reply",
    "response_json",
    "reaction",
    "emoji",
    "location",
    "latitude",
    "image",
    "caption",
    "edit",
    "revoke",
    "original_message_id",
    "system",
    "user_id",
    "wa_id",
    "order",
    "product_items",
    "quantity",
    "contacts",
    "phones",
    "group_id",
    "event",
    "ban_info",
    "waba_ban_state",
    "restriction_info",
    "display_phone_number",
    "message_template_name",
    "message_template_language",
    "value",
    "direction",
    "duration",
];

const FIELDS: [&str; 9] = [
    "account_update",
    "account_alerts",
    "account_review_update",
    "phone_number_quality_update",
    "phone_number_name_update",
    "message_template_status_update",
    "user_preferences",
    "calls",
    "history",
];

fn scalar() -> impl Strategy<Value = RawJson> {
    let samples = vec![
        OURS,
        "read",
        "1750030073",
        "16505551234",
        "+1",
        "US.1",
        "nfm_reply",
        "edit",
        "order",
        "system",
        "contacts",
        " ",
        "\u{0}",
        "12.97",
    ];
    prop_oneof![
        4 => non_text(),
        1 => any::<String>().prop_map(RawJson::from),
        1 => prop::sample::select(samples).prop_map(RawJson::from),
        1 => prop::sample::select(KEYS.to_vec()).prop_map(RawJson::from),
    ]
}

fn tree() -> impl Strategy<Value = RawJson> {
    let key = || prop::sample::select(KEYS.to_vec());
    scalar().prop_recursive(3, 16, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(RawJson::from),
            prop::collection::hash_map(key(), inner, 0..4).prop_map(|object| json!(object)),
        ]
    })
}

/// Usually a list of valid items with arbitrary further fields.
fn list(good: fn() -> RawJson) -> impl Strategy<Value = RawJson> {
    let item = prop_oneof![
        3 => prop::collection::hash_map(prop::sample::select(KEYS.to_vec()), tree(), 0..5)
            .prop_map(move |more| with(good(), json!(more))),
        1 => tree(),
    ];
    prop_oneof![5 => prop::collection::vec(item, 0..4).prop_map(RawJson::from), 1 => tree()]
}

fn any_value() -> impl Strategy<Value = RawJson> {
    let metadata = prop_oneof![3 => Just(json!({"phone_number_id": NUMBER})), 1 => tree()];
    let contact = || json!({"wa_id": "16505551234", "profile": {"name": "Asha"}});
    let whole = (metadata, list(status), list(message), list(contact), list(|| json!({"code": 1}))).prop_map(
        |(metadata, statuses, messages, contacts, errors)| {
            json!({
                "metadata": metadata, "statuses": statuses, "messages": messages, "contacts": contacts,
                "errors": errors,
            })
        },
    );
    prop_oneof![8 => whole, 1 => tree()]
}

fn any_body() -> impl Strategy<Value = RawJson> {
    let whole = prop::collection::vec(any_value(), 0..3).prop_map(|values| body(&values));
    let odd_entry =
        tree().prop_map(|entry| json!({"object": "whatsapp_business_account", "entry": [entry]}));
    let values = prop::collection::hash_map(prop::sample::select(KEYS.to_vec()), tree(), 0..5);
    let lists = ("calls|user_preferences", list(message))
        .prop_map(|(name, items)| json!({(name.as_str()): items, "contacts": []}));
    let value = prop_oneof![values.prop_map(|fields| json!(fields)), lists];
    let other = (prop::sample::select(FIELDS.to_vec()), value).prop_map(|(field, value)| {
        let mut body = body(&[value]);
        body["entry"][0]["changes"][0]["field"] = json!(field);
        body
    });
    prop_oneof![8 => whole, 4 => other, 1 => odd_entry, 1 => tree()]
}

/// All strings of a value with their field names.
fn strings<'a>(name: &'a str, value: &'a RawJson, found: &mut Vec<(&'a str, &'a str)>) {
    match value {
        RawJson::String(text) => found.push((name, text)),
        RawJson::Array(items) => items.iter().for_each(|item| strings(name, item, found)),
        RawJson::Object(fields) => {
            fields.iter().for_each(|(name, value)| strings(name, value, found))
        }
        _ => {}
    }
}

fn is_sound(update: &ChannelUpdate) -> bool {
    let json = serde_json::to_value(update).unwrap();
    let mut found = Vec::new();
    strings("", &json, &mut found);
    let many_lines = |name| matches!(name, "text" | "caption" | "description");
    found.iter().all(|(name, text)| {
        let clean = |c: char| !c.is_control() || c == '\n' && many_lines(*name);
        (1..=8192).contains(&text.chars().count()) && text.chars().all(clean)
    })
}

proptest! {
    #[test]
    fn any_bytes(body in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(&body);
    }

    #[test]
    fn any_envelope(body in any_body()) {
        let body = body.to_string();
        let reading = read(body.as_bytes());
        prop_assert_eq!(&reading, &read(body.as_bytes()));
        if let Ok(Reading::Updates(updates)) = reading {
            prop_assert!(updates.items.iter().all(is_sound), "{}", body);
        }
    }

    #[test]
    fn any_item_leaves_others_unchanged(odd in tree(), at in 0_usize..20) {
        let mut items = vec![status(); 19];
        items.insert(at.min(19), odd);
        let (events, _) = events(&[value(json!({"statuses": items}))]);
        let (sound, _) = super::events(&[value(json!({"statuses": [status()]}))]);
        prop_assert!(events.iter().filter(|event| **event == sound[0]).count() >= 19);
    }

    #[test]
    fn any_broken_body(body in any_body(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut body = body.to_string().into_bytes();
        let at = at.index(body.len());
        body[at] = byte;
        let _ = read(&body);
    }
}

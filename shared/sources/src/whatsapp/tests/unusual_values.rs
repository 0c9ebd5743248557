//! Unusual and unreadable bodies.

use super::*;
use crate::testing::assert_rejects_non_objects;

#[test]
fn rejects_bodies_that_are_not_objects() {
    assert_rejects_non_objects("object", read);
    for levels in [32, 200_000] {
        let entry = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        let body = format!(r#"{{"object":"whatsapp_business_account","entry":{entry}}}"#);
        assert!(matches!(read(body.as_bytes()), Err(Unreadable::Body(_))), "{levels} levels");
    }
}

#[test]
fn rejects_envelopes_without_object_or_entries() {
    for (body, missing) in [
        (json!({}), "object"),
        (json!({"entry": []}), "object"),
        (json!({"object": null, "entry": []}), "object"),
        (json!({"object": " ", "entry": []}), "object"),
        (json!({"object": {}, "entry": []}), "object"),
        (json!({"object": "whatsapp_business_account"}), "entry"),
        (json!({"object": "whatsapp_business_account", "entry": null}), "entry"),
        (json!({"object": "whatsapp_business_account", "entry": {"changes": []}}), "entry"),
        (json!({"object": "whatsapp_business_account", "entry": "x"}), "entry"),
    ] {
        assert_eq!(read(body.to_string().as_bytes()), Err(Unreadable::Missing(missing)), "{body}");
    }
}

#[test]
fn ignores_other_objects_and_empty_fields() {
    let entry = |changes: RawJson| json!({"object": "whatsapp_business_account", "entry": [{"changes": changes}]});
    for (body, reason) in [
        (json!({"object": "page", "entry": [{"messaging": []}]}), IgnoreReason::OtherObject),
        (json!({"object": "page"}), IgnoreReason::OtherObject),
        (
            with(body(&[value(json!({"statuses": [status()]}))]), json!({"object": "instagram"})),
            IgnoreReason::OtherObject,
        ),
        (json!({"object": "whatsapp_business_account", "entry": []}), IgnoreReason::NoUpdates),
        (entry(json!([])), IgnoreReason::NoUpdates),
        (entry(json!([{"field": "calls", "value": {"statuses": []}}])), IgnoreReason::NoUpdates),
        (body(&[value(json!({}))]), IgnoreReason::NoUpdates),
        (
            body(&[value(json!({"statuses": [], "messages": null, "contacts": [null]}))]),
            IgnoreReason::NoUpdates,
        ),
    ] {
        assert_eq!(read(body.to_string().as_bytes()), Ok(Reading::Ignored(reason)), "{body}");
    }
}

#[test]
fn invalid_parts_do_not_affect_others() {
    let good = json!({"field": "messages", "value": value(json!({"statuses": [status()]}))});
    let entry =
        |parts: Vec<RawJson>| json!({"object": "whatsapp_business_account", "entry": parts});
    for odd in [
        json!(null),
        json!(1),
        json!("x"),
        json!([]),
        json!({}),
        json!({"changes": null}),
        json!({"changes": {}}),
    ] {
        let updates = updates_of(&entry(vec![
            odd.clone(),
            json!({"changes": [good]}),
            json!({"changes": []}),
        ]));
        assert_eq!((updates.items.len(), updates.skipped), (1, 1), "{odd}");
    }
    for odd in [
        json!(null),
        json!("x"),
        json!([good]),
        json!({}),
        json!({"field": null, "value": good["value"]}),
        json!({"field": "messages"}),
        json!({"field": "messages", "value": null}),
        json!({"field": "messages", "value": [1]}),
        json!({"field": "messages", "value": value(json!({"statuses": {}}))}),
        json!({"field": "messages", "value": value(json!({"messages": "x"}))}),
        json!({"field": "messages", "value": value(json!({"errors": 1}))}),
    ] {
        let updates = updates_of(&entry(vec![json!({"changes": [good, odd, good]})]));
        assert_eq!((updates.items.len(), updates.skipped), (2, 1), "{odd}");
    }
}

#[test]
fn skips_one_invalid_item_of_twenty() {
    let bad = [
        json!(null),
        json!(7),
        json!("x"),
        json!([]),
        json!([status()]),
        json!({}),
        json!({"id": "wamid.a"}),
    ];
    for (list, good) in [("statuses", status()), ("messages", message())] {
        for bad in &bad {
            let mut items = vec![good.clone(); 20];
            items[13] = bad.clone();
            let (events, skipped) = events(&[value(json!({list: items}))]);
            assert_eq!((events.len(), skipped), (19, 1), "{list} {bad}");
        }
    }
    let (events, skipped) = events(&[value(json!({"statuses": bad}))]);
    assert_eq!((events.len(), skipped), (0, bad.len()));
}

#[test]
fn invalid_escape_skips_only_its_item() {
    let values =
        value(json!({"statuses": [status(), status()], "messages": [message(), message()]}));
    let body = body(&[values]).to_string();
    for (sound, broken, expected) in [
        (r#""status":"delivered""#, r#""status":"\ud800""#, (3, 1)),
        (r#""recipient_id":"#, r#""\ud800":"#, (3, 1)),
        (r#""from":"16505551234""#, r#""from":"\udfff""#, (3, 1)),
        (r#""from":"16505551234""#, r#""\ud800":"16505551234""#, (3, 1)),
        (r#""body":"Where is my order?""#, r#""body":"\ud800""#, (4, 0)),
        (r#""recipient_id":"16505551234""#, r#""recipient_id":"\ud800""#, (4, 0)),
        (r#""messaging_product":"whatsapp""#, r#""messaging_product":"\ud800""#, (4, 0)),
    ] {
        let changed = body.replacen(sound, broken, 1);
        assert_ne!(changed, body, "{sound}");
        let Reading::Updates(updates) = read(changed.as_bytes()).unwrap() else {
            unreachable!("{changed}")
        };
        assert_eq!((updates.items.len(), updates.skipped), expected, "{changed}");
    }
}

#[test]
fn invalid_key_skips_only_its_change() {
    let one = value(json!({"statuses": [status()]}));
    let body = body(&[one.clone(), one.clone(), one]).to_string();
    for name in ["\"field\":", "\"messaging_product\":"] {
        let Reading::Updates(updates) =
            read(body.replacen(name, "\"\\ud800\":", 1).as_bytes()).unwrap()
        else {
            unreachable!("{name}")
        };
        assert_eq!((updates.items.len(), updates.skipped), (2, 1), "{name}");
    }
}

#[test]
fn last_of_repeated_keys_counts() {
    let twice = |name: &str, body: &str| {
        body.replacen(&format!("\"{name}\":"), &format!("\"{name}\":0,\"{name}\":"), 1)
    };
    let sound = body(&[value(json!({"statuses": [status()]}))]).to_string();
    for name in [
        "object",
        "entry",
        "changes",
        "field",
        "value",
        "metadata",
        "phone_number_id",
        "statuses",
        "status",
    ] {
        let body = twice(name, &sound);
        assert_ne!(body, sound, "{name}");
        assert_eq!(read(body.as_bytes()), read(sound.as_bytes()), "{name}");
    }
}

#[test]
fn reads_a_thousand_updates() {
    let statuses: Vec<_> =
        (0..1000).map(|n| with(status(), json!({"id": format!("wamid.{n}")}))).collect();
    let (events, skipped) = events(&[value(json!({"statuses": statuses}))]);
    let ids: std::collections::BTreeSet<_> =
        events.iter().map(|event| format!("{event:?}")).collect();
    assert_eq!((ids.len(), skipped), (1000, 0));
}

#[test]
fn parses_huge_bodies() {
    let long = "x".repeat(600_000);
    let text = json!({"body": long, "unheard_of": long});
    let huge = with(
        message(),
        json!({"text": text, "from_user_id": long, "context": {"id": long}, long.clone(): 1}),
    );
    let values = [value(
        json!({"messages": [huge], "contacts": vec![0; 100_000], "unheard_of": vec![0; 100_000]}),
    )];
    assert!(body(&values).to_string().len() > 3_000_000);
    let (mut events, skipped) = events(&values);
    let ChannelEvent::InboundMessage(inbound) = events.remove(0) else { unreachable!() };
    assert!(matches!(&inbound.content, Content::Text { text } if text.len() == 4096));
    assert_eq!((inbound.from.as_str(), inbound.in_reply_to, skipped), ("16505551234", None, 0));
}

//! Content of messages.

use super::*;

/// The content of a message of this type, as JSON.
fn content(kind: &str, object: RawJson) -> RawJson {
    let inbound = message_with(json!({"type": kind, kind: object}), json!([])).unwrap();
    serde_json::to_value(inbound.content).unwrap()
}

fn other(kind: &str) -> RawJson {
    json!({"type": "other", "kind": kind})
}

#[test]
fn text_keeps_line_breaks() {
    let content_of = |body: RawJson| content("text", json!({"body": body}));
    let text = |text: &str| json!({"type": "text", "text": text});
    assert_eq!(
        content_of(json!(" Hello\r\nthere\u{0}\t✅\u{1b}[2J\n")),
        text("Hello\nthere ✅[2J")
    );
    assert_eq!(content_of(json!(42)), text("42"));
    assert_eq!(content_of(json!("é".repeat(5000))), text(&"é".repeat(4096)));
    assert_eq!(content_of(json!("<script>alert(1)</script>")), text("<script>alert(1)</script>"));
    for none in [json!(null), json!(""), json!("\u{0}\n"), json!({}), json!([1])] {
        assert_eq!(content_of(none.clone()), other("text"), "{none}");
    }
}

#[test]
fn reads_buttons() {
    let button = content("button", json!({"text": "Unsubscribe", "payload": "stop\u{0}-1"}));
    assert_eq!(button, json!({"type": "button", "text": "Unsubscribe", "payload": "stop-1"}));
    let long = content("button", json!({"text": "t".repeat(2000), "payload": "p".repeat(2000)}));
    assert_eq!(
        long,
        json!({"type": "button", "text": "t".repeat(256), "payload": "p".repeat(1024)})
    );
    let only = content("button", json!({"text": {}, "payload": 7}));
    assert_eq!(only, json!({"type": "button", "text": null, "payload": "7"}));
}

#[test]
fn reads_choices_of_buttons_lists_and_forms() {
    let choice = |kind: &str, id: RawJson, title: RawJson, description: RawJson| json!({"type": "choice", "kind": kind, "id": id, "title": title, "description": description});
    let chosen =
        |kind: &str, reply: RawJson| content("interactive", json!({"type": kind, kind: reply}));
    let reply = json!({"id": "cancel-order", "title": "Cancel"});
    let expected = choice("button_reply", json!("cancel-order"), json!("Cancel"), RawJson::Null);
    assert_eq!(chosen("button_reply", reply), expected);
    let reply = json!({"id": 7, "title": "Express", "description": "Next day"});
    assert_eq!(
        chosen("list_reply", reply),
        choice("list_reply", json!("7"), json!("Express"), json!("Next day"))
    );
    let reply =
        json!({"name": "flow", "body": "Sent", "response_json": r#"{"floor":3,"x":[1.50]}"#});
    let expected =
        choice("nfm_reply", json!("flow"), json!("Sent"), json!(r#"{"floor":3,"x":[1.50]}"#));
    assert_eq!(chosen("nfm_reply", reply), expected);
    for (kind, reply) in [
        ("button_reply", json!({})),
        ("list_reply", json!(null)),
        ("nfm_reply", json!("x")),
        ("call_permission_reply", json!({"response": "accept"})),
        ("a b", json!({"id": 1})),
        ("", json!({"id": 1})),
    ] {
        assert_eq!(chosen(kind, reply.clone()), other("interactive"), "{kind} {reply}");
    }
}

#[test]
fn leaves_out_form_answers_that_are_too_long() {
    let answers = |length: usize| {
        let json = format!("{{\"a\":\"{}\"}}", "é".repeat(length - 8));
        let reply = json!({"name": "flow", "response_json": json});
        let content = content("interactive", json!({"type": "nfm_reply", "nfm_reply": reply}));
        (content["description"] == json, content["description"].is_null())
    };
    assert_eq!(answers(8192), (true, false));
    assert_eq!(answers(8193), (false, true));
}

#[test]
fn reaction_without_emoji_is_removed() {
    let reacted = |emoji: RawJson| content("reaction", json!({"message_id": OURS, "emoji": emoji}));
    let reaction =
        |to: RawJson, emoji: RawJson| json!({"type": "reaction", "to": to, "emoji": emoji});
    assert_eq!(reacted(json!("👩🏽‍🚀")), reaction(json!(OURS), json!("👩🏽‍🚀")));
    for none in [json!(null), json!(""), json!(" ")] {
        assert_eq!(reacted(none.clone()), reaction(json!(OURS), RawJson::Null), "{none}");
    }
    assert_eq!(
        content("reaction", json!({"message_id": OURS})),
        reaction(json!(OURS), RawJson::Null)
    );
    assert_eq!(content("reaction", json!({"emoji": "👍"})), reaction(RawJson::Null, json!("👍")));
    for unreadable in [json!({}), json!(["👍"]), json!(true), json!("\u{0}")] {
        assert_eq!(reacted(unreadable.clone()), other("reaction"), "{unreadable}");
    }
}

#[test]
fn location_keeps_all_digits() {
    let place = |latitude: &str, longitude: &str| {
        let location = format!(r#"{{"latitude":{latitude},"longitude":{longitude},"name":"Hub"}}"#);
        let message = message().to_string().replacen(
            "\"text\":{",
            &format!("\"location\":{location},\"x\":{{"),
            1,
        );
        let body = body(&[value(json!({"messages": [0]}))]).to_string();
        let message = message.replace(r#""type":"text""#, r#""type":"location""#);
        let body = body.replace(r#""messages":[0]"#, &format!(r#""messages":[{message}]"#));
        let Reading::Updates(mut updates) = read(body.as_bytes()).unwrap() else {
            unreachable!("{body}")
        };
        let ChannelEvent::InboundMessage(inbound) = updates.items.remove(0).event else {
            unreachable!("{body}")
        };
        let Content::Location { latitude, longitude, .. } = inbound.content else {
            unreachable!("{body}")
        };
        [latitude, longitude].map(|digits| digits.map(|digits| digits.as_str().to_owned()))
    };
    for digits in
        ["12.9716", "-77.59460", "0", "1e400", "0.1234567890123456789012345678901234567890"]
    {
        assert_eq!(place(digits, &format!("\" {digits}\"")), [text(digits), text(digits)]);
    }
    for none in [
        "null",
        r#""""#,
        r#""north""#,
        r#""NaN""#,
        r#""012""#,
        r#""1 2""#,
        r#""1,2""#,
        "{}",
        "[1]",
        "true",
    ] {
        assert_eq!(place(none, "1"), [None, text("1")], "{none}");
    }
    assert_eq!(place(&"1".repeat(65), "1"), [None, text("1")]);
}

#[test]
fn reads_name_and_address_of_a_location() {
    let place = json!({"latitude": 1, "name": "n".repeat(300), "address": "a".repeat(2000), "url": "https://x"});
    let (name, address) = ("n".repeat(256), "a".repeat(1024));
    let expected = json!({"type": "location", "latitude": 1, "longitude": null, "name": name, "address": address});
    assert_eq!(content("location", place), expected);
}

#[test]
fn reads_media_without_urls() {
    for kind in ["image", "audio", "video", "document", "sticker"] {
        let media = json!({
            "caption": "damaged\nbox", "mime_type": "image/jpeg", "sha256": "SfIn=", "id": 1_003_383_421_387_256_u64,
            "filename": "bill\n.pdf", "url": "https://lookaside.example.invalid/",
        });
        let expected = json!({
            "type": "media", "kind": kind, "id": "1003383421387256", "mime_type": "image/jpeg", "sha256": "SfIn=",
            "filename": "bill .pdf", "caption": "damaged\nbox",
        });
        assert_eq!(content(kind, media), expected);
        assert_eq!(
            content(kind, json!({"url": "https://lookaside.example.invalid/"})),
            other(kind)
        );
    }
}

#[test]
fn reads_carts_with_their_items() {
    let item = json!({"product_retailer_id": "SKU-1", "quantity": 2, "item_price": 499.50, "currency": "INR"});
    let order = json!({"catalog_id": "c1", "text": "soon\nplease", "product_items": [item, {}, 1, {"quantity": "3"}]});
    let expected = json!({"type": "order", "catalog_id": "c1", "text": "soon\nplease", "items": [
        item, {"product_retailer_id": null, "quantity": 3, "item_price": null, "currency": null},
    ]});
    assert_eq!(content("order", order), expected);
    let many = content("order", json!({"product_items": vec![item; 300]}));
    assert_eq!(many["items"].as_array().unwrap().len(), 200);
}

#[test]
fn reads_shared_contacts_with_their_numbers() {
    let phones = json!([
        {"phone": "+91 98000 07020", "wa_id": "919800007020", "type": "MOBILE"},
        {"wa_id": "IN.1349"}, {"phone": "112"}, {}, null,
    ]);
    let contact =
        json!({"name": {"formatted_name": "Asha Rao"}, "origin": "other", "phones": phones});
    let shown = json!({"name": "Asha Rao", "origin": "other", "phones": [
        {"phone": "+91 98000 07020", "contact": "919800007020"},
        {"phone": null, "contact": "IN.1349"}, {"phone": "112", "contact": null},
    ]});
    let first_name = json!({"name": {"first_name": "Asha"}, "phones": {}});
    assert_eq!(
        content("contacts", json!([contact, {}, first_name])),
        json!({"type": "contacts", "contacts": [
            shown, {"name": "Asha", "origin": null, "phones": []},
        ]})
    );
    let many = content("contacts", json!(vec![contact; 60]));
    assert_eq!(many["contacts"].as_array().unwrap().len(), 50);
}

#[test]
fn only_a_number_shared_on_request_is_the_shoppers_own() {
    let phone = json!({"phone": "+91 98000-07020", "wa_id": "919800007020"});
    let no_wa_id = json!({"phone": "+91 98000-07020"});
    let national = json!({"phone": "98000 07020"});
    let card = |origin: &str, phones: &[&RawJson]| json!({"origin": origin, "phones": phones});
    let asked = |phones: &[&RawJson]| card("contact_request", phones);
    let number = Some("919800007020");
    for (cards, expected) in [
        (json!([asked(&[&phone])]), number),
        (json!([asked(&[&no_wa_id])]), number),
        (json!([asked(&[&national])]), None),
        (json!([card("other", &[&phone])]), None),
        (json!([{"phones": [phone]}]), None),
        (json!([asked(&[&phone, &no_wa_id])]), None),
        (json!([asked(&[&phone]), asked(&[&phone])]), None),
    ] {
        let fields = json!({"type": "contacts", "contacts": cards, "from": "",
            "from_user_id": "IN.1349"});
        let message = message_with(fields, json!([])).unwrap();
        assert_eq!((message.from.as_str(), message.other_id.as_deref()), ("IN.1349", expected));
    }
    let fields = json!({"type": "contacts", "contacts": [{"phones": [phone]}], "from": "",
        "from_user_id": "IN.1349", "origin": "contact_request"});
    assert_eq!(message_with(fields, json!([])).unwrap().other_id.as_deref(), number);
}

#[test]
fn an_edit_has_the_new_content_and_the_message_it_replaces() {
    let edit = |message: RawJson| {
        content("edit", json!({"original_message_id": OURS, "message": message}))
    };
    let expected =
        |content: RawJson| json!({"type": "edit", "original_message_id": OURS, "content": content});
    assert_eq!(
        edit(json!({"type": "text", "text": {"body": "House 12, not 21"}})),
        expected(json!({"type": "text", "text": "House 12, not 21"}))
    );
    let image = edit(json!({"type": "image", "image": {"id": "1", "caption": "new"}}));
    assert_eq!(
        (&image["content"]["type"], &image["content"]["caption"]),
        (&json!("media"), &json!("new"))
    );
    let nested =
        json!({"type": "edit", "edit": {"original_message_id": OURS, "message": {"type": "text"}}});
    assert_eq!(edit(nested), expected(other("edit")));
    assert_eq!(edit(json!(null)), expected(other("unknown")));
    assert_eq!(content("edit", json!({"message": {}})), other("edit"));
}

#[test]
fn a_revoke_names_the_message_that_was_taken_back() {
    assert_eq!(
        content("revoke", json!({"original_message_id": OURS})),
        json!({"type": "revoke", "original_message_id": OURS})
    );
    assert_eq!(content("revoke", json!({"original_message_id": "a b"})), other("revoke"));
}

#[test]
fn a_change_of_number_or_user_id_has_both_ids() {
    for (system, kind, previous, new) in [
        (
            json!({"type": "user_changed_user_id", "user_id": "IN.NEW", "previous_user_id": "IN.OLD"}),
            "user_changed_user_id",
            json!("IN.OLD"),
            json!("IN.NEW"),
        ),
        (
            json!({"type": "user_changed_user_id", "user_id": "IN.NEW", "wa_id": "1650"}),
            "user_changed_user_id",
            json!("16505551234"),
            json!("IN.NEW"),
        ),
        (
            json!({"type": "user_changed_number", "wa_id": "1650", "user_id": "IN.NEW"}),
            "user_changed_number",
            json!("16505551234"),
            json!("1650"),
        ),
        (
            json!({"type": "user_changed_number", "new_wa_id": "1650", "customer": "1651"}),
            "user_changed_number",
            json!("1651"),
            json!("1650"),
        ),
        (
            json!({"type": "user_changed_number", "wa_id": "IN.NEW"}),
            "user_changed_number",
            json!("16505551234"),
            json!("IN.NEW"),
        ),
        (
            json!({"type": "customer_identity_changed", "customer": "16505551234"}),
            "customer_identity_changed",
            json!("16505551234"),
            json!(null),
        ),
    ] {
        let expected = json!({"type": "system", "kind": kind, "text": null, "previous_id": previous, "new_id": new});
        assert_eq!(content("system", system.clone()), expected, "{system}");
    }
    let text = content("system", json!({"type": "x", "body": "Changed\n"}));
    assert_eq!(text["text"], "Changed");
    assert_eq!(content("system", json!({"type": "x"})), other("system"));
}

#[test]
fn a_change_of_id_without_a_sender_is_from_the_previous_id() {
    let from = |system: RawJson| {
        let message = json!({"from": null, "type": "system", "system": system});
        message_with(message, json!([])).map(|message| message.from)
    };
    let kind = "user_changed_user_id";
    let both = json!({"type": kind, "user_id": "IN.NEW", "previous_user_id": "IN.OLD"});
    assert_eq!(from(both), text("IN.OLD"));
    assert_eq!(from(json!({"type": kind, "user_id": "IN.NEW"})), text("IN.NEW"));
    assert_eq!(from(json!({"type": kind, "body": "x"})), None);
}

#[test]
fn known_type_without_content_is_other() {
    let known = [
        "text",
        "button",
        "interactive",
        "reaction",
        "location",
        "image",
        "audio",
        "video",
        "document",
        "sticker",
        "order",
        "contacts",
        "edit",
        "revoke",
        "system",
    ];
    for kind in known {
        for object in [
            json!(null),
            json!({}),
            json!([]),
            json!("x"),
            json!(1),
            json!([{"body": "x", "id": "x"}]),
        ] {
            assert_eq!(content(kind, object.clone()), other(kind), "{kind} {object}");
        }
    }
}

#[test]
fn unknown_type_is_other() {
    for kind in ["ephemeral", "unsupported", "unknown", "request_welcome", "from", "Text"] {
        let content = message_with(json!({"type": kind}), json!([])).unwrap().content;
        assert_eq!(serde_json::to_value(content).unwrap(), other(kind));
    }
    for kind in
        [json!(null), json!(""), json!("a b"), json!("x".repeat(65)), json!({}), json!("a\u{0}")]
    {
        let content = message_with(json!({"type": kind}), json!([])).unwrap().content;
        assert_eq!(serde_json::to_value(content).unwrap(), other("unknown"), "{kind}");
    }
}

#![expect(clippy::unwrap_used)]

use super::*;

fn json(text: &str) -> Option<RawJson> {
    Some(serde_json::from_str(text).unwrap())
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn message(content: Content) -> InboundMessage {
    InboundMessage {
        message: ProviderMessageId::parse("wamid.HBgL==").unwrap(),
        from: "16505551234".to_owned(),
        name: text("Canary"),
        group: None,
        other_id: None,
        at: None,
        in_reply_to: None,
        content,
    }
}

fn contents() -> Vec<Content> {
    let kind = |kind: &str| kind.to_owned();
    let to = ProviderMessageId::parse("wamid.x");
    vec![
        Content::Text { text: kind("canary\nsaid") },
        Content::Button { text: text("Yes"), payload: None },
        Content::Choice {
            kind: kind("list_reply"),
            id: text("1"),
            title: text("One"),
            description: None,
        },
        Content::Reaction { to: to.clone(), emoji: text("👍") },
        Content::Reaction { to, emoji: None },
        Content::Location {
            latitude: json("-12.97160"),
            longitude: json("1e400"),
            name: None,
            address: text("x"),
        },
        Content::Location { latitude: None, longitude: None, name: text("Hub"), address: None },
        Content::Media {
            kind: kind("image"),
            id: text("1"),
            mime_type: None,
            sha256: None,
            filename: None,
            caption: text("canary"),
        },
        Content::Order {
            catalog_id: None,
            text: text("canary"),
            items: vec![CartItem {
                product_retailer_id: text("canary"),
                quantity: json("2"),
                item_price: json("499.00"),
                currency: text("INR"),
            }],
        },
        Content::Contacts {
            contacts: vec![SharedContact {
                name: text("Canary"),
                origin: None,
                phones: vec![SharedPhone { phone: text("16505551234"), contact: None }],
            }],
        },
        Content::Edit {
            original_message_id: None,
            content: Box::new(Content::Text { text: kind("canary") }),
        },
        Content::Revoke { original_message_id: None },
        Content::System {
            kind: kind("user_changed_number"),
            text: text("canary"),
            previous_id: text("16505551234"),
            new_id: None,
        },
        Content::Other { kind: kind("sticker_pack") },
    ]
}

#[test]
fn a_provider_message_id_is_visible_ascii() {
    let longest = "x".repeat(256);
    for id in [
        "wamid.HBgLMTY1MDU1NTEyMzQVAgARGBI5QTNDQTVCM0Q0Q0Q2RTY3RTcA",
        "a",
        "+/=",
        "<b>&\"\\",
        "a#b",
        &longest,
    ] {
        assert_eq!(ProviderMessageId::parse(id).unwrap().as_str(), id);
        let json = serde_json::to_string(id).unwrap();
        assert_eq!(serde_json::from_str::<ProviderMessageId>(&json).unwrap().as_str(), id);
    }
    let too_long = "x".repeat(257);
    for id in
        ["", " ", "a b", " a", "a\n", "a\0", "\u{7f}", "é", "\u{202e}", "🎉", "\u{200b}", &too_long]
    {
        assert_eq!(ProviderMessageId::parse(id), None, "{id:?}");
        assert!(
            serde_json::from_str::<ProviderMessageId>(&serde_json::to_string(id).unwrap()).is_err(),
            "{id:?}"
        );
    }
}

#[test]
fn content_has_its_type_and_keeps_digits() {
    let content = Content::Location {
        latitude: json("-12.97160"),
        longitude: None,
        name: None,
        address: None,
    };
    let expected =
        r#"{"type":"location","latitude":-12.97160,"longitude":null,"name":null,"address":null}"#;
    assert_eq!(serde_json::to_string(&content).unwrap(), expected);
}

#[test]
fn debug_output_of_an_echo_has_no_personal_data() {
    let echo = Echo {
        message: ProviderMessageId::parse("wamid.HBgL==").unwrap(),
        from: text("15550783881"),
        to: "16505551234".to_owned(),
        other_id: None,
        name: text("Canary"),
        at: None,
        in_reply_to: None,
        content: Content::Text { text: "canary".to_owned() },
    };
    let shown = format!("{:?}", ChannelEvent::Echo(Box::new(echo)));
    assert_eq!(shown, r#"Echo(Echo { message: ProviderMessageId("wamid.HBgL=="), .. })"#);
}

#[test]
fn debug_output_of_an_inbound_message_has_no_personal_data() {
    for content in contents() {
        let update = ChannelUpdate {
            business_account: None,
            number: None,
            event: ChannelEvent::InboundMessage(Box::new(message(content))),
        };
        let shown = format!("{update:?}");
        assert!(shown.contains("wamid.HBgL=="), "{shown}");
        for secret in ["anary", "16505551234", "-12.97", "Hub"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

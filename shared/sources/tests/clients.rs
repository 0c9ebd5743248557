//! Bodies from the test suites of public clients of WhatsApp: none may be lost.
//!
//! `events/README.md` says where they are from.

#![expect(clippy::panic, clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use domain::core::timestamp::Timestamp;
use domain::messaging::channel::{ChannelEvent, Content};
use sources::{Parsed, Reading, Request};

const CLIENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/whatsapp/clients");

/// What each file has: the kinds of its updates, `none` for a value without any, and `field` for
/// one that is not about messages.
const EXPECTED: [(&str, &str); 32] = [
    ("hiws/audio", "media audio"),
    ("hiws/button", "button"),
    ("hiws/button_reply", "choice button_reply"),
    ("hiws/call_connect", "field"),
    ("hiws/call_terminate", "field"),
    ("hiws/contact", "contacts"),
    ("hiws/document", "media document"),
    ("hiws/flow_reply", "choice nfm_reply"),
    ("hiws/image", "media image"),
    ("hiws/list_reply", "choice list_reply"),
    ("hiws/location", "location"),
    ("hiws/order", "order"),
    ("hiws/sent_status_without_conversation", "status sent"),
    ("hiws/status_update", "status delivered"),
    ("hiws/text", "text"),
    ("hiws/unsupported", "other unsupported"),
    ("hiws/unsupported_unknown", "other unsupported"),
    ("whatsapp-client/button", "button"),
    ("whatsapp-client/button_reply", "choice button_reply"),
    ("whatsapp-client/document", "media document"),
    ("whatsapp-client/empty_contact", "other contacts"),
    ("whatsapp-client/empty_value", "none"),
    ("whatsapp-client/image", "media image"),
    ("whatsapp-client/list_reply", "choice list_reply"),
    ("whatsapp-client/location", "location"),
    ("whatsapp-client/reaction", "reaction"),
    ("whatsapp-client/reply", "text, a reply"),
    ("whatsapp-client/status_delivered", "status delivered"),
    ("whatsapp-client/status_failed", "status failed 131047"),
    ("whatsapp-client/status_sent", "status sent"),
    ("whatsapp-client/text", "text"),
    ("whatsapp-client/unsupported_interactive_type", "other interactive"),
];

#[test]
fn reads_every_body_of_public_clients_as_what_it_is() {
    for (file, expected) in EXPECTED {
        let body = fs::read(format!("{CLIENTS}/{file}.json")).unwrap();
        assert_eq!(kinds(file, &body), expected, "{file}");
    }
}

#[test]
fn expects_something_of_every_body() {
    let listed: BTreeSet<String> = EXPECTED.iter().map(|(file, _)| (*file).to_owned()).collect();
    let mut found = BTreeSet::new();
    for client in fs::read_dir(CLIENTS).unwrap() {
        let client = client.unwrap().path();
        assert!(client.join("LICENSE").is_file(), "{} has no licence", client.display());
        for file in fs::read_dir(&client).unwrap() {
            let file = file.unwrap().path();
            if file.extension().is_some_and(|extension| extension == "json") {
                let name = file.strip_prefix(Path::new(CLIENTS)).unwrap().with_extension("");
                found.insert(name.to_str().unwrap().to_owned());
            }
        }
    }
    assert_eq!(found, listed);
}

fn kinds(file: &str, body: &[u8]) -> String {
    let source = sources::by_name("whatsapp").unwrap();
    let Parsed { reading, .. } = source
        .parse(&Request::stored(None, body), Timestamp::EPOCH)
        .unwrap_or_else(|error| panic!("{file} is unreadable: {error}"));
    if !String::from_utf8_lossy(body).contains(r#""field": "messages""#) {
        return "field".to_owned();
    }
    match reading {
        Reading::Updates(updates) => {
            assert_eq!(updates.skipped, 0, "{file}: an update is skipped");
            let kinds: Vec<_> = updates.items.iter().map(|update| kind(&update.event)).collect();
            kinds.join("; ")
        }
        Reading::Ignored(_) => "none".to_owned(),
        Reading::Reports(_) => panic!("{file}: a report"),
    }
}

fn kind(event: &ChannelEvent) -> String {
    match event {
        ChannelEvent::Status(status) => {
            let code = status.error.as_ref().and_then(|error| error.code.as_deref());
            format!("status {} {}", status.status, code.unwrap_or_default()).trim_end().to_owned()
        }
        ChannelEvent::InboundMessage(message) => {
            let reply =
                matches!(message.content, Content::Text { .. }) && message.in_reply_to.is_some();
            format!("{}{}", content(&message.content), if reply { ", a reply" } else { "" })
        }
        other => panic!("unexpected {other:?}"),
    }
}

fn content(content: &Content) -> String {
    let json = serde_json::to_value(content).unwrap();
    let detail = match content {
        Content::Choice { .. } | Content::Media { .. } | Content::Other { .. } => &json["kind"],
        _ => &serde_json::Value::Null,
    };
    format!("{} {}", json["type"].as_str().unwrap(), detail.as_str().unwrap_or_default())
        .trim_end()
        .to_owned()
}

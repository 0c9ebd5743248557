//! Inbound messages of shoppers, shown as conversations.

use std::collections::BTreeSet;

use serde_json::json;

use super::*;
use crate::support::messages::CONVERSATION;
use crate::support::sample;

async fn conversation(query: &str) -> Value {
    let answer = stack().user("partner", "GET", &format!("{CONVERSATION}?{query}"), None).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
    answer.json
}

fn inbound_messages(number: &str, messages: &[Value]) -> Value {
    let contacts = json!([{"profile": {"name": "canary-name"}, "wa_id": messages[0]["from"]}]);
    envelope(&[change(number, &json!({"contacts": contacts, "messages": messages}))])
}

fn ids(page: &Value) -> Vec<&str> {
    page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["message_id"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn shows_inbound_messages_newest_first() {
    let phone = unique("1");
    let [first, second, third] = [wamid(), wamid(), wamid()];
    let mut answer = text(&second, &phone, 5, "canary-body: where is it?");
    answer["context"] = json!({"from": "15550783881", "id": first});
    let events = [
        inbound_messages(OURS.1, &[answer, text(&third, &phone, 9, "canary-body!")]),
        inbound_messages(OURS.1, &[text(&first, &phone, 1, "canary-body, hello")]),
    ];
    for body in &events {
        assert_eq!(process(body).await, (EventState::Processed, None));
    }
    let page = conversation(&format!("phone=%2B{phone}")).await;
    assert_eq!(ids(&page), [&third, &second, &first]);
    let item = &page["items"][1];
    let expected = json!({
        "message_id": second, "direction": "inbound", "from": phone, "to": null,
        "name": "canary-name", "at": time(5), "received_at": item["received_at"],
        "number": OURS.1, "group_id": null, "in_reply_to": first, "message_status": null,
        "provider_id": second,
        "content": {"type": "text", "text": "canary-body: where is it?"},
    });
    assert_eq!(item, &expected);

    let page = conversation(&format!("phone={phone}&limit=2")).await;
    assert_eq!(ids(&page), [&third, &second]);
    let cursor = page["next_page"].as_str().unwrap();
    let last = conversation(&format!("phone={phone}&limit=2&page={cursor}")).await;
    assert_eq!((ids(&last), &last["next_page"]), (vec![first.as_str()], &json!(null)));
}

/// DynamoDB returns at most 1 MB a page.
#[tokio::test]
async fn shows_more_than_one_megabyte_of_messages() {
    let phone = unique("1");
    let long = "\u{0915}".repeat(4096);
    let sent: Vec<String> = (0..90).map(|_| wamid()).collect();
    let messages: Vec<Value> =
        (0..).zip(&sent).map(|(second, id)| text(id, &phone, second % 60, &long)).collect();
    assert_eq!(process(&inbound_messages(OURS.1, &messages)).await, (EventState::Processed, None));
    let (mut shown, mut cursor) = (BTreeSet::new(), String::new());
    loop {
        let page = conversation(&format!("phone={phone}&limit=100{cursor}")).await;
        shown.extend(ids(&page).into_iter().map(str::to_owned));
        let Some(next) = page["next_page"].as_str() else { break };
        cursor = format!("&page={next}");
    }
    assert_eq!(shown, sent.into_iter().collect());
}

#[tokio::test]
async fn deduplicates_inbound_messages() {
    let (phone, id) = (unique("1"), wamid());
    let message = text(&id, &phone, 1, "canary-body");
    // The same message in two requests: alone, and twice with another.
    let other = text(&wamid(), &phone, 2, "canary-body");
    for messages in [&[message.clone()][..], &[message.clone(), other, message]] {
        assert_eq!(
            process(&inbound_messages(OURS.1, messages)).await,
            (EventState::Processed, None)
        );
    }
    assert_eq!(ids(&conversation(&format!("phone={phone}")).await).len(), 2);
}

#[tokio::test]
async fn identifies_a_shopper_without_a_phone_by_user_id() {
    let (user, id) = (unique("US."), wamid());
    let mut message = text(&id, "", 1, "canary-body");
    message.as_object_mut().unwrap().remove("from");
    message["from_user_id"] = json!(user);
    let contacts =
        json!([{"profile": {"name": "canary-name", "username": "asha"}, "user_id": user}]);
    let body = envelope(&[change(OURS.1, &json!({"contacts": contacts, "messages": [message]}))]);
    assert_eq!(process(&body).await, (EventState::Processed, None));
    let page = conversation(&format!("user_id={user}")).await;
    assert_eq!((ids(&page), &page["items"][0]["from"]), (vec![id.as_str()], &json!(user)));
}

#[tokio::test]
async fn identifies_a_shopper_by_the_longest_user_id() {
    let user = format!("IN.ENT.{:1<128}", unique(""));
    for (key, contact_key) in [("from", "wa_id"), ("from_user_id", "user_id")] {
        let mut message = text(&wamid(), "", 1, "canary-body");
        message[key] = json!(user);
        let contacts = json!([{"profile": {"name": "canary-name"}, contact_key: user}]);
        let value = json!({"contacts": contacts, "messages": [message]});
        assert_eq!(
            process(&envelope(&[change(OURS.1, &value)])).await,
            (EventState::Processed, None)
        );
    }
    let page = conversation(&format!("user_id={user}")).await;
    let names: Vec<_> =
        page["items"].as_array().unwrap().iter().map(|item| &item["name"]).collect();
    assert_eq!(names, ["canary-name", "canary-name"]);
}

#[tokio::test]
async fn shows_a_change_of_user_id_in_both_conversations() {
    let (old, new, id) = (unique("IN.OLD"), unique("IN.NEW"), wamid());
    let system = json!({"type": "user_changed_user_id", "body": "x", "user_id": new, "previous_user_id": old});
    let message = json!({
        "from_user_id": old, "id": id, "timestamp": START.to_string(), "type": "system", "system": system,
    });
    let body = envelope(&[change(OURS.1, &json!({"messages": [message]}))]);
    assert_eq!(process(&body).await, (EventState::Processed, None));
    for user in [&old, &new] {
        let page = conversation(&format!("user_id={user}")).await;
        let expected = json!({
            "type": "system", "kind": "user_changed_user_id", "text": "x",
            "previous_id": old, "new_id": new,
        });
        assert_eq!((ids(&page), &page["items"][0]["content"]), (vec![id.as_str()], &expected));
    }
}

/// Whichever id a message names, and in whatever order the ids become known.
#[tokio::test]
async fn joins_the_conversations_of_all_ids_of_a_shopper() {
    let (phone, user, new) = (unique("1"), unique("IN.OLD"), unique("IN.NEW"));
    let sent: Vec<String> = (0..4).map(|_| wamid()).collect();
    let by_user = |id: &str, user: &str, second: i64| {
        let mut message = text(id, "", second, "canary-body");
        message["from_user_id"] = json!(user);
        message
    };
    let mut both = text(&sent[3], &phone, 4, "canary-body");
    both["from_user_id"] = json!(user);
    let mut changed = by_user(&sent[2], &user, 3);
    changed["type"] = json!("system");
    changed["system"] = json!({"type": "user_changed_user_id", "user_id": new});
    let messages =
        [by_user(&sent[1], &new, 2), text(&sent[0], &phone, 1, "canary-body"), both, changed];
    for message in messages {
        let body = envelope(&[change(OURS.1, &json!({"messages": [message]}))]);
        assert_eq!(process(&body).await, (EventState::Processed, None));
    }
    let expected: Vec<&str> = sent.iter().rev().map(String::as_str).collect();
    for query in [format!("phone={phone}"), format!("user_id={user}"), format!("user_id={new}")] {
        assert_eq!(ids(&conversation(&query).await), expected);
        let page = conversation(&format!("{query}&limit=3")).await;
        assert_eq!(ids(&page), expected[..3]);
        let cursor = page["next_page"].as_str().unwrap();
        let last = conversation(&format!("{query}&limit=3&page={cursor}")).await;
        assert_eq!((ids(&last), &last["next_page"]), (expected[3..].to_vec(), &json!(null)));
    }
}

#[tokio::test]
async fn shows_echoes_with_their_status() {
    let (phone, id) = (unique("1"), wamid());
    let mut echo = text(&id, "15550783881", 1, "canary-body");
    echo["to"] = json!(phone);
    let mut echoes = change(OURS.1, &json!({"message_echoes": [echo]}));
    echoes["field"] = json!("smb_message_echoes");
    assert_eq!(process(&envelope(&[echoes])).await, (EventState::Processed, None));
    let shown = async || {
        let page = conversation(&format!("phone={phone}")).await;
        assert_eq!(ids(&page), [&id]);
        let item = &page["items"][0];
        assert_eq!((&item["from"], &item["to"]), (&json!("15550783881"), &json!(phone)));
        (item["direction"].clone(), item["message_status"].clone())
    };
    assert_eq!(shown().await, (json!("outbound"), json!(null)));
    let read = statuses(OURS.1, &[status(&id, "read", 5)]);
    assert_eq!(process(&read).await, (EventState::Processed, None));
    assert_eq!(shown().await, (json!("outbound"), json!("read")));
}

#[tokio::test]
async fn separates_the_conversations_of_two_accounts() {
    let (phone, ours, theirs) = (unique("1"), wamid(), wamid());
    let message = |id: &str| json!({"messages": [text(id, &phone, 1, "canary-body")]});
    let both = envelope(&[change(OURS.1, &message(&ours)), change(THEIRS.1, &message(&theirs))]);
    assert_eq!(process(&both).await, (EventState::Processed, None));
    for (account, id) in [(OURS.0, &ours), (THEIRS.0, &theirs)] {
        let path = format!("{CONVERSATION}?phone={phone}&account_code={account}");
        assert_eq!(ids(&stack().user("admin", "GET", &path, None).await.json), [id]);
    }
}

/// Answers are checked against openapi.yaml, which describes each type.
#[tokio::test]
async fn shows_every_type_of_message_in_the_samples() {
    let phone = unique("1");
    let mut sent = Vec::new();
    for name in [
        "text",
        "button",
        "button_reply",
        "list_reply",
        "form_reply",
        "reaction",
        "reaction_removed",
        "location",
        "contacts",
        "image",
        "order",
        "edit",
        "revoke",
        "unsupported",
    ] {
        let body = sample(&format!("whatsapp/{name}"));
        let mut message = body["entry"][0]["changes"][0]["value"]["messages"][0].clone();
        (message["id"], message["from"]) = (json!(wamid()), json!(phone));
        message.as_object_mut().unwrap().remove("from_user_id");
        message["timestamp"] = json!((START + i64::try_from(sent.len()).unwrap()).to_string());
        sent.push(message);
    }
    assert_eq!(process(&inbound_messages(OURS.1, &sent)).await, (EventState::Processed, None));
    let page = conversation(&format!("phone={phone}")).await;
    let types: Vec<&str> = page["items"]
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .map(|item| item["content"]["type"].as_str().unwrap())
        .collect();
    let expected = [
        "text", "button", "choice", "choice", "choice", "reaction", "reaction", "location",
        "contacts", "media", "order", "edit", "revoke", "other",
    ];
    assert_eq!(types, expected);
}

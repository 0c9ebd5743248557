//! What they say.

use futures::future::join_all;

use super::*;
use crate::bad_inputs::case::settled;
use crate::bad_inputs::post::Door;
use crate::bad_inputs::surface::put;
use crate::support::Calls;

const VALUE: &str = "/entry/0/changes/0/value";

fn post(body: &Value) -> Post {
    surface().post(body.to_string())
}

/// The good body with this value in one place. Without that place it is still a body of its own.
fn with(tag: &str, pointer: &str, value: Value) -> Post {
    let mut body = good(tag);
    put(&mut body, "/aside", tag.into());
    put(&mut body, pointer, value);
    post(&body)
}

#[tokio::test]
async fn odd_envelopes() {
    let case = |name: &str, pointer: &str, value: Value, outcome: Outcome| {
        let tag = unique("");
        Case::new(name, with(&tag, pointer, value), outcome.moving_nothing()).on(subject(&tag))
    };
    let ignored = |reason| taken(Ignored).because(reason);
    let failed = |field: &str| taken(Failed).because(&format!("missing {field}"));
    let cases = [
        case("object null", "/object", json!(null), failed("object")),
        case("entry null", "/entry", json!(null), failed("entry")),
        case("entry {}", "/entry", json!({}), failed("entry")),
        case("object \"page\"", "/object", json!("page"), ignored("other_object")),
        case("entry []", "/entry", json!([]), ignored("no_updates")),
        case("changes []", "/entry/0/changes", json!([]), ignored("no_updates")),
        case(
            "other field",
            "/entry/0/changes/0/field",
            json!("account_update"),
            ignored("no_updates"),
        ),
        case("value null", VALUE, json!(null), ignored("1 of 1 not understood")),
        case("no metadata", &format!("{VALUE}/metadata"), json!(null), ignored("foreign_number")),
        case(
            "foreign number",
            &format!("{VALUE}/metadata/phone_number_id"),
            json!("1"),
            ignored("foreign_number"),
        ),
    ];
    check(&surface(), &cases).await;
}

#[tokio::test]
async fn odd_statuses() {
    let at = |field: &str| format!("{VALUE}/statuses/0/{field}");
    let case = |name: &str, field: &str, value: Value, outcome: Outcome| {
        let tag = unique("");
        Case::new(name, with(&tag, &at(field), value), outcome).on(subject(&tag))
    };
    let unknown = Case::new("unknown wamid", post(&good(&unique(""))), taken(Processed));
    let cases = [
        case("\"deleted\"", "status", json!("deleted"), taken(Processed).moving_nothing()),
        case("upper case", "status", json!("DELIVERED"), taken(Processed).moving_nothing()),
        case(
            "two words",
            "status",
            json!("de livered"),
            taken(Ignored).because("1 of 1 not understood"),
        ),
        case("timestamp \"abc\"", "timestamp", json!("abc"), taken(Processed)),
        case("timestamp ms", "timestamp", json!("1768882530000"), taken(Processed)),
        case("timestamp 0", "timestamp", json!("0"), taken(Processed)),
        case("timestamp number", "timestamp", json!(1_768_882_530), taken(Processed)),
        case("recipient with +", "recipient_id", json!("+canary-phone"), taken(Processed)),
        case("no recipient", "recipient_id", json!(null), taken(Processed)),
        unknown,
    ];
    check(&surface(), &cases).await;
}

/// Of what order they come in nothing depends: the furthest they say is how it stands.
#[tokio::test]
async fn statuses_in_any_order() {
    let events = stack().events(&Calls::default());
    let stories = [
        ("read first", ["read", "sent"], "read"),
        ("delivered after read", ["read", "delivered"], "read"),
        ("failed after delivered", ["delivered", "failed"], "delivered"),
        ("delivered after failed", ["failed", "delivered"], "delivered"),
        ("sent last", ["delivered", "sent"], "delivered"),
        ("deleted last", ["delivered", "deleted"], "delivered"),
    ];
    let each = async |(name, words, shown): &(&str, [&str; 2], &str)| {
        let tag = unique("");
        let subject = subject(&tag);
        subject.make().await;
        for (second, word) in words.iter().enumerate() {
            let post = post(&envelope(
                &json!({"statuses": [status(&wamid(&tag), word, 1_768_882_530 + second as u64)]}),
            ));
            let answer = Door::Front.send(&post).await;
            assert_eq!(
                settled(&events, &surface(), &post, &answer).await.unwrap().state,
                Processed,
                "{name}"
            );
        }
        assert_eq!(subject.seen().await["latestMessageStatus"], *shown, "{name}");
    };
    join_all(stories.iter().map(each)).await;
}

/// The status of a message that nobody knows yet is kept, and is there when somebody names its order.
#[tokio::test]
async fn a_status_before_its_message() {
    let tag = unique("");
    check(&surface(), &[Case::new("unknown", post(&good(&tag)), taken(Processed))]).await;
    let subject = subject(&tag);
    subject.make().await;
    assert_eq!(subject.seen().await["latestMessageStatus"], "delivered");
}

#[tokio::test]
async fn one_of_twenty_is_bad() {
    let tag = unique("");
    let mut statuses: Vec<Value> =
        (0..20).map(|n| status(&wamid(&format!("{tag}.{n}")), "delivered", 1)).collect();
    statuses[7] = json!({"id": {"wamid": tag}, "status": "delivered"});
    let post = post(&envelope(&json!({ "statuses": statuses })));
    let outcome = taken(Processed).because("1 of 20 not understood");
    check(&surface(), &[Case::new("1 of 20", post, outcome)]).await;

    let subject = subject(&tag);
    let order = &subject.order["orderId"];
    Subject { message: None, ..subject.clone() }.make().await;
    for n in 0..20 {
        let body = json!({"order_id": order, "account_code": ACCOUNT, "message_status": "pending",
                          "message_id": wamid(&format!("{tag}.{n}"))});
        let recorded =
            stack().user("admin", "POST", "/api/orders/message-tracking", Some(&body)).await;
        assert_eq!(recorded.status, 201, "{}", recorded.json);
    }
    let path = format!(
        "/api/orders/{}/messages?limit=100&account_code={ACCOUNT}",
        order.as_str().unwrap()
    );
    let messages = stack().user("admin", "GET", &path, None).await.json;
    let shown = |word: &str| {
        messages["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|message| message["message_status"] == word)
            .count()
    };
    assert_eq!((shown("delivered"), shown("pending")), (19, 1), "{messages}");
}

#[tokio::test]
async fn many_and_much_at_once() {
    let last = |tag: &str, count: usize| {
        let others = (1..count).map(|n| status(&wamid(&format!("{tag}.{n}")), "delivered", 1));
        others.chain([status(&wamid(tag), "delivered", 1)]).collect::<Vec<_>>()
    };
    let case = |name: &str, tag: &str, news: Value, outcome| {
        Case::new(name, post(&envelope(&news)), outcome).on(subject(tag))
    };
    let (mixed, thousand, large, larger) = (unique(""), unique(""), unique(""), unique(""));
    let text = json!({"from": "canary-phone", "id": wamid(&unique("")), "timestamp": "1768882530", "type": "text",
                      "text": {"body": "canary-body"}});
    let written = json!({"statuses": last(&mixed, 2), "messages": [text], "contacts": []});
    let cases = [
        case("statuses + messages", &mixed, written, taken(Processed)),
        case(
            "1000 statuses",
            &thousand,
            json!({"statuses": last(&thousand, 1000)}),
            taken(Processed),
        ),
        Case::new("3 MB", surface().of_size(&large, 3_000_000), taken(Processed))
            .on(subject(&large)),
        Case::new("3.5 MiB + 1", surface().of_size(&larger, 3_670_017), refused(413))
            .on(subject(&larger)),
    ];
    check(&surface(), &cases).await;
}

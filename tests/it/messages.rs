//! What became of the messages that shoppers got.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use serde_json::{Value, json};

use crate::main_way::Parcel;
use crate::support::{Answer, Calls, eventually, http, stack, unique};

const TRACK: &str = "/api/orders/message-tracking";
const CONVERSATION: &str = "/api/messages/whatsapp";

fn with_id(order_id: &str, message_id: &Value, status: &str) -> Value {
    json!({"order_id": order_id, "account_code": "STORE001", "message_status": status, "message_id": message_id})
}

/// Tells which order a provider's message is about.
pub async fn link(order_id: &str, message_id: &str, status: &str) -> Answer {
    stack()
        .user("partner", "POST", TRACK, Some(&with_id(order_id, &json!(message_id), status)))
        .await
}

async fn track(order_id: &str, status: &str) -> Answer {
    let body = json!({"order_id": order_id, "account_code": "STORE001", "message_status": status});
    stack().user("partner", "POST", TRACK, Some(&body)).await
}

async fn track_with_key(key: &str, order_id: &str, status: &str) -> Answer {
    let body = json!({"order_id": order_id, "account_code": "STORE001", "message_status": status});
    with_key(key, &body).await
}

async fn with_key(key: &str, body: &Value) -> Answer {
    let partner = &stack().users["partner"];
    let request =
        http::client().post(stack().url(TRACK)).basic_auth(&partner.name, Some(&partner.password));
    http::send(http::with_json(request.header("idempotency-key", key), Some(body))).await
}

pub async fn messages(order_id: &str, query: &str) -> Value {
    let answer = stack()
        .user("partner", "GET", &format!("/api/orders/{order_id}/messages{query}"), None)
        .await;
    assert_eq!(answer.status, 200, "{}", answer.json);
    answer.json
}

fn statuses(page: &Value) -> Vec<&str> {
    page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["message_status"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_message_is_recorded_and_shown_on_its_order() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    let answer = track(&parcel.order_id, "sent").await;
    assert_eq!(answer.status, 201, "{}", answer.json);
    let data = &answer.json["data"];
    let expected = json!({
        "success": true, "message": "Message tracking record created",
        "data": {"id": data["id"], "order_id": parcel.order_id, "account_code": "STORE001", "message_status": "sent",
                 "sent_at": data["sent_at"]},
    });
    assert_eq!(answer.json, expected);
    assert!(data["id"].is_string() && data["sent_at"].as_str().unwrap().ends_with('Z'));

    let order = stack().order(&parcel.order_id).await;
    assert_eq!((&order["latestMessageStatus"], &order["version"]), (&json!("sent"), &json!(1)));
    // Customers' servers see it with the next change.
    stack().webhook(&parcel.report(18, "IN TRANSIT", "11:43:52")).await;
    let received = stack().received_at_least(&parcel.order_id, 3).await;
    let update =
        received.iter().find(|request| request.path.ends_with("status-update")).unwrap().json();
    assert_eq!(update["orders"][0]["latest_message_status"], "sent");
}

#[tokio::test]
async fn each_message_is_new_unless_its_key_repeats() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    track(&parcel.order_id, "pending").await;
    track(&parcel.order_id, "pending").await;
    let first = track_with_key("canary-key-1", &parcel.order_id, "sent").await;
    track(&parcel.order_id, "read").await;
    let again = track_with_key("canary-key-1", &parcel.order_id, "sent").await;
    assert_eq!((again.status, &again.json), (201, &first.json));
    assert_eq!(
        track_with_key("canary-key-1", &parcel.order_id, "failed").await.error(),
        (409, "conflict", None)
    );
    assert_eq!(
        track_with_key("canary-key 1", &parcel.order_id, "sent").await.error(),
        (400, "malformed", None)
    );

    let all = messages(&parcel.order_id, "").await;
    assert_eq!(statuses(&all), ["read", "sent", "pending", "pending"]);
    assert_eq!(
        stack().order(&parcel.order_id).await["latestMessageStatus"],
        "read",
        "a repeat is no news"
    );
}

#[tokio::test]
async fn messages_come_in_pages() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    for status in ["a", "b", "c", "d", "e"] {
        assert_eq!(track(&parcel.order_id, status).await.status, 201);
    }
    let mut seen = Vec::new();
    let mut query = "?limit=2".to_owned();
    loop {
        let page = messages(&parcel.order_id, &query).await;
        seen.extend(statuses(&page).into_iter().map(str::to_owned));
        let Some(next) = page["next_page"].as_str() else { break };
        query = format!("?limit=2&page={next}");
    }
    assert_eq!(seen, ["e", "d", "c", "b", "a"]);
    for (query, field) in [("?limit=0", "limit"), ("?limit=101", "limit"), ("?page=!", "page")] {
        let path = format!("/api/orders/{}/messages{query}", parcel.order_id);
        assert_eq!(
            stack().user("partner", "GET", &path, None).await.error(),
            (422, "invalid", Some(field))
        );
    }
}

#[tokio::test]
async fn what_cannot_be_recorded() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    assert_eq!(track("nowhere-at-all", "sent").await.error(), (404, "not_found", None));
    assert_eq!(
        track(&parcel.order_id, "on its way").await.error(),
        (422, "invalid", Some("message_status"))
    );
    for field in ["order_id", "account_code", "message_status"] {
        let mut body = json!({"order_id": parcel.order_id, "account_code": "STORE001", "message_status": "sent"});
        body.as_object_mut().unwrap().remove(field);
        let answer = stack().user("partner", "POST", TRACK, Some(&body)).await;
        assert_eq!(answer.error(), (422, "invalid", Some(field)));
    }
    let foreign =
        json!({"order_id": parcel.order_id, "account_code": "STORE002", "message_status": "sent"});
    assert_eq!(
        stack().user("partner", "POST", TRACK, Some(&foreign)).await.error(),
        (403, "forbidden", Some("account_code"))
    );
    assert_eq!(
        stack().user("admin", "POST", TRACK, Some(&foreign)).await.error(),
        (404, "not_found", None)
    );
    assert_eq!(stack().vendor("POST", TRACK, Some(&foreign)).await.error().0, 403);
    eventually("nothing recorded", async || {
        statuses(&messages(&parcel.order_id, "").await).is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn messages_and_reports_of_one_order_at_once() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    let report = parcel.report(18, "IN TRANSIT", "11:43:52");
    let (webhook, answers) = futures::join!(
        stack().webhook(&report),
        futures::future::join_all((0..4).map(|_| track(&parcel.order_id, "sent"))),
    );
    assert_eq!(webhook.status, 200);
    let recorded = answers.iter().filter(|answer| answer.status == 201).count();
    assert!(answers.iter().all(|answer| matches!(answer.status, 201 | 503)));
    let order = stack().order_with_entries(&parcel.order_id, 1).await;
    assert_eq!((&order["status"], &order["version"]), (&json!("in_transit"), &json!(2)));
    assert_eq!(statuses(&messages(&parcel.order_id, "").await).len(), recorded);
}

#[tokio::test]
async fn a_message_that_is_linked_shows_so() {
    let (parcel, wamid) = (Parcel::new(), unique("wamid."));
    stack().create_order(&parcel.order()).await;
    assert_eq!(track(&parcel.order_id, "queued").await.status, 201);
    let answer = link(&parcel.order_id, &wamid, "sent").await;
    assert_eq!(answer.status, 201, "{}", answer.json);
    let names: Vec<&String> = answer.json["data"].as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        ["account_code", "id", "message_status", "order_id", "sent_at"],
        "as without a message_id"
    );

    let page = messages(&parcel.order_id, "").await;
    let (linked, plain) = (&page["items"][0], &page["items"][1]);
    let data = &answer.json["data"];
    let expected = json!({
        "id": data["id"], "order_id": parcel.order_id, "account_code": "STORE001", "message_status": "sent",
        "sent_at": data["sent_at"], "message_id": wamid, "error": null,
        "statuses": [{"status": "sent", "at": data["sent_at"]}],
    });
    assert_eq!(linked, &expected);
    assert_eq!((&plain["message_status"], &plain["message_id"]), (&json!("queued"), &json!(null)));
    assert_eq!((&plain["error"], &plain["statuses"]), (&json!(null), &json!([])));
}

#[tokio::test]
async fn a_providers_message_is_recorded_once() {
    let (parcel, other, wamid) = (Parcel::new(), Parcel::new(), unique("wamid."));
    stack().create_order(&parcel.order()).await;
    stack().create_order(&other.order()).await;
    let first = link(&parcel.order_id, &wamid, "sent").await;
    assert_eq!(first.status, 201, "{}", first.json);
    let again = link(&parcel.order_id, &wamid, "sent").await;
    assert_eq!((again.status, &again.json), (201, &first.json));
    let conflict = |field| (409, "conflict", field);
    assert_eq!(
        link(&parcel.order_id, &wamid, "read").await.error(),
        conflict(Some("message_status"))
    );
    assert_eq!(link(&other.order_id, &wamid, "sent").await.error(), conflict(Some("message_id")));

    // With a key, the key decides what is a repeat.
    let (key, one, two) = (unique("canary-key-"), unique("wamid."), unique("wamid."));
    let keyed = async |id: &str, status: &str| {
        with_key(&key, &with_id(&parcel.order_id, &json!(id), status)).await
    };
    assert_eq!(keyed(&wamid, "sent").await.error(), conflict(Some("message_id")));
    let first = keyed(&one, "sent").await;
    assert_eq!(first.status, 201, "{}", first.json);
    let again = keyed(&one, "sent").await;
    assert_eq!((again.status, &again.json), (201, &first.json));
    assert_eq!(keyed(&one, "read").await.error(), conflict(None));
    assert_eq!(keyed(&two, "sent").await.error(), conflict(None));
    assert_eq!(track_with_key(&key, &parcel.order_id, "sent").await.error(), conflict(None));
    assert_eq!(statuses(&messages(&parcel.order_id, "").await), ["sent", "sent"]);
    assert_eq!(statuses(&messages(&other.order_id, "").await), [""; 0]);
}

#[tokio::test]
async fn a_providers_message_is_recorded_once_whoever_comes_at_the_same_time() {
    let (parcel, other, wamid) = (Parcel::new(), Parcel::new(), unique("wamid."));
    stack().create_order(&parcel.order()).await;
    stack().create_order(&other.order()).await;
    let order = |n: u32| if n.is_multiple_of(2) { &parcel.order_id } else { &other.order_id };
    let answers = futures::future::join_all((0..8).map(|n| link(order(n), &wamid, "sent"))).await;
    for answer in &answers {
        assert!(
            matches!(answer.error(), (201, _, _) | (409, _, Some("message_id")) | (503, _, _)),
            "{}",
            answer.json
        );
    }
    let ids: std::collections::BTreeSet<&str> =
        answers.iter().filter_map(|answer| answer.json["data"]["id"].as_str()).collect();
    assert_eq!(ids.len(), 1, "{ids:?}");
    let shown = [messages(&parcel.order_id, "").await, messages(&other.order_id, "").await];
    assert_eq!(shown.iter().map(|page| statuses(page).len()).sum::<usize>(), 1);
}

/// What makes a repeated request the same message is kept for a month only.
#[tokio::test]
async fn a_providers_message_is_recorded_once_for_good() {
    let (parcel, wamid) = (Parcel::new(), unique("wamid."));
    stack().create_order(&parcel.order()).await;
    let first = link(&parcel.order_id, &wamid, "sent").await;
    let forget =
        stack().dynamodb(&Calls::default()).delete_item().table_name(&stack().tables["messages"]);
    let forget =
        forget.key("pk", AttributeValue::S(format!("order:8:STORE001:{}", parcel.order_id)));
    let row = format!("id:{}", first.json["data"]["id"].as_str().unwrap());
    let forgotten = forget
        .key("sk", AttributeValue::S(row))
        .return_values(ReturnValue::AllOld)
        .send()
        .await
        .unwrap();
    assert!(forgotten.attributes.unwrap().contains_key("ttl"));

    let again = link(&parcel.order_id, &wamid, "sent").await;
    assert_eq!((again.status, &again.json), (201, &first.json));
    assert_eq!(
        link(&parcel.order_id, &wamid, "read").await.error(),
        (409, "conflict", Some("message_status"))
    );
    assert_eq!(statuses(&messages(&parcel.order_id, "").await), ["sent"]);
}

#[tokio::test]
async fn what_is_no_message_id() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    for id in [
        json!(""),
        json!("a b"),
        json!("wamid\u{e4}"),
        json!("a\nb"),
        json!("x".repeat(257)),
        json!(7),
        json!(["a"]),
    ] {
        let body = with_id(&parcel.order_id, &id, "sent");
        let answer = stack().user("partner", "POST", TRACK, Some(&body)).await;
        assert_eq!(answer.error(), (422, "invalid", Some("message_id")), "{id}");
    }
    assert_eq!(
        link("nowhere-at-all", &unique("wamid."), "sent").await.error(),
        (404, "not_found", None)
    );
    let longest = format!("{:x<256}", unique("wamid."));
    assert_eq!(link(&parcel.order_id, &longest, "sent").await.status, 201);
}

#[tokio::test]
async fn a_conversation_that_never_was_is_an_empty_page() {
    for query in ["?phone=15550199999", "?phone=%2B1%20555-0199-999", "?user_id=US.1&limit=1"] {
        let answer = stack().user("partner", "GET", &format!("{CONVERSATION}{query}"), None).await;
        assert_eq!((answer.status, &answer.json), (200, &json!({"items": []})), "{query}");
    }
}

#[tokio::test]
async fn what_is_asked_of_a_conversation() {
    for (query, field) in [
        ("", "phone"),
        ("?phone=", "phone"),
        ("?phone=1234", "phone"),
        ("?phone=canary-phone", "phone"),
        ("?phone=123456789012345678901", "phone"),
        ("?user_id=", "user_id"),
        ("?user_id=a%20b", "user_id"),
        ("?phone=15550199999&user_id=US.1", "user_id"),
        ("?phone=15550199999&limit=0", "limit"),
        ("?phone=15550199999&limit=101", "limit"),
        ("?phone=15550199999&page=!", "page"),
        ("?phone=15550199999&account_code=%20", "account_code"),
    ] {
        let answer = stack().user("partner", "GET", &format!("{CONVERSATION}{query}"), None).await;
        assert_eq!(answer.error(), (422, "invalid", Some(field)), "{query}");
    }
    let path = format!("{CONVERSATION}?phone=15550199999&account_code=STORE002");
    assert_eq!(
        stack().user("partner", "GET", &path, None).await.error(),
        (403, "forbidden", Some("account_code"))
    );
    assert_eq!(stack().vendor("GET", &path, None).await.error(), (403, "forbidden", None));
    assert_eq!(stack().user("viewer", "GET", &path, None).await.error(), (403, "forbidden", None));
    assert_eq!(stack().user("admin", "GET", &path, None).await.json, json!({"items": []}));
    let unnamed =
        stack().user("admin", "GET", &format!("{CONVERSATION}?phone=15550199999"), None).await;
    assert_eq!(unnamed.error(), (422, "invalid", Some("account_code")));
    let nobody = http::send(http::client().get(stack().url(&path))).await;
    assert_eq!(nobody.error(), (401, "unauthorized", None));
}

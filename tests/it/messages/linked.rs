//! Messages linked to a provider's message id.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use futures::future::join_all;
use serde_json::json;

use crate::support::messages::{
    link, linked_body, messages, post, post_with_key, statuses, track, tracking_body,
};
use crate::support::{Calls, Parcel, stack, unique};

#[tokio::test]
async fn shows_the_provider_id_of_a_linked_message() {
    let (parcel, wamid) = (Parcel::new(), unique("wamid."));
    stack().create_order(&parcel.order()).await;
    assert_eq!(track(&parcel.order_id, "queued").await.status, 201);
    let answer = link(&parcel.order_id, &wamid, "sent").await;
    assert_eq!(answer.status, 201, "{}", answer.json);
    let names: Vec<&String> = answer.json["data"].as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        ["account_code", "id", "message_status", "order_id", "sent_at"],
        "the same fields as without a message_id"
    );

    let page = messages(&parcel.order_id, "").await;
    let (linked, plain) = (&page["items"][0], &page["items"][1]);
    let data = &answer.json["data"];
    let expected = json!({
        "id": data["id"], "order_id": parcel.order_id, "account_code": "STORE001",
        "message_status": "sent", "sent_at": data["sent_at"], "message_id": wamid,
        "channel": null, "template": null, "error": null,
        "statuses": [{"status": "sent", "at": data["sent_at"]}],
        "phone_number_id": null, "to": null, "language": null, "rule": null, "doubtful": false,
    });
    assert_eq!(linked, &expected);
    assert_eq!((&plain["message_status"], &plain["message_id"]), (&json!("queued"), &json!(null)));
    assert_eq!((&plain["error"], &plain["statuses"]), (&json!(null), &json!([])));
}

#[tokio::test]
async fn records_a_provider_message_once() {
    let (parcel, other, wamid) = (Parcel::new(), Parcel::new(), unique("wamid."));
    stack().create_order(&parcel.order()).await;
    stack().create_order(&other.order()).await;
    let first = link(&parcel.order_id, &wamid, "sent").await;
    assert_eq!(first.status, 201, "{}", first.json);
    let again = link(&parcel.order_id, &wamid, "sent").await;
    assert_eq!((again.status, &again.json), (201, &first.json));
    let conflict = |field| (409, "conflict", field);
    assert_eq!(link(&other.order_id, &wamid, "sent").await.error(), conflict(Some("message_id")));

    // With an idempotency key, the key decides.
    let (key, one, two) = (unique("canary-key-"), unique("wamid."), unique("wamid."));
    let keyed = async |id: &str, status: &str| {
        post_with_key(&key, &linked_body(&parcel.order_id, &json!(id), status)).await
    };
    let first = keyed(&one, "sent").await;
    assert_eq!(first.status, 201, "{}", first.json);
    let again = keyed(&one, "sent").await;
    assert_eq!((again.status, &again.json), (201, &first.json));
    assert_eq!(keyed(&one, "read").await.error(), conflict(None));
    assert_eq!(keyed(&two, "sent").await.error(), conflict(None));
    let unlinked = tracking_body(&parcel.order_id, "sent");
    assert_eq!(post_with_key(&key, &unlinked).await.error(), conflict(None));
    assert_eq!(statuses(&messages(&parcel.order_id, "").await), ["sent", "sent"]);
    assert_eq!(statuses(&messages(&other.order_id, "").await), [""; 0]);
}

#[tokio::test]
async fn moves_the_status_of_a_known_message_by_rank() {
    let (parcel, wamid) = (Parcel::new(), unique("wamid."));
    stack().create_order(&parcel.order()).await;
    let first = link(&parcel.order_id, &wamid, "queued").await;
    for (status, shown) in [
        ("sent", "sent"),
        ("read", "read"),
        ("delivered", "read"),
        ("failed", "read"),
        ("sent", "read"),
        ("deleted", "read"),
    ] {
        let answer = link(&parcel.order_id, &wamid, status).await;
        assert_eq!((answer.status, &answer.json["data"]["message_status"]), (201, &json!(shown)));
        assert_eq!(answer.json["data"]["id"], first.json["data"]["id"], "{status}");
        let order = stack().order(&parcel.order_id).await;
        assert_eq!((&order["latestMessageStatus"], &order["version"]), (&json!(shown), &json!(1)));
    }
    assert_eq!(statuses(&messages(&parcel.order_id, "").await), ["read"]);
    let again = link(&parcel.order_id, &wamid, "queued").await;
    assert_eq!(again.json, first.json, "the repeated request gets the first answer");
}

#[tokio::test]
async fn moves_a_message_once_per_idempotency_key() {
    let (parcel, wamid) = (Parcel::new(), unique("wamid."));
    stack().create_order(&parcel.order()).await;
    let (made_by, moved_by) = (unique("canary-key-"), unique("canary-key-"));
    let send = async |key: &str, status: &str| {
        post_with_key(key, &linked_body(&parcel.order_id, &json!(wamid), status)).await
    };
    let first = send(&made_by, "queued").await;
    let moved = send(&moved_by, "sent").await;
    assert_eq!((moved.status, &moved.json["data"]["message_status"]), (201, &json!("sent")));
    assert_eq!(moved.json["data"]["id"], first.json["data"]["id"]);
    assert_eq!(link(&parcel.order_id, &wamid, "read").await.status, 201);

    let again = send(&moved_by, "sent").await;
    assert_eq!((again.status, &again.json), (201, &moved.json), "the first answer");
    assert_eq!(send(&moved_by, "failed").await.error(), (409, "conflict", None));
    assert_eq!(send(&made_by, "queued").await.json, first.json);
    let unlinked = post_with_key(&moved_by, &tracking_body(&parcel.order_id, "sent")).await;
    assert_eq!(unlinked.error(), (409, "conflict", None));
    assert_eq!(statuses(&messages(&parcel.order_id, "").await), ["read"]);

    // A move without an effect is noted too.
    let late = unique("canary-key-");
    assert_eq!(send(&late, "sent").await.json["data"]["message_status"], "read");
    assert_eq!(send(&late, "delivered").await.error(), (409, "conflict", None));
}

#[tokio::test]
async fn moves_a_message_once_after_concurrent_requests_of_one_key() {
    let (parcel, wamid, key) = (Parcel::new(), unique("wamid."), unique("canary-key-"));
    stack().create_order(&parcel.order()).await;
    link(&parcel.order_id, &wamid, "queued").await;
    let body = linked_body(&parcel.order_id, &json!(wamid), "sent");
    let answers = join_all((0..4).map(|_| post_with_key(&key, &body))).await;
    for answer in &answers {
        assert!(matches!(answer.status, 201 | 503), "{}", answer.json);
    }
    let shown = messages(&parcel.order_id, "").await;
    assert_eq!(statuses(&shown), ["sent"]);
    assert_eq!(shown["items"][0]["statuses"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn records_a_provider_message_once_after_concurrent_requests() {
    let (parcel, other, wamid) = (Parcel::new(), Parcel::new(), unique("wamid."));
    stack().create_order(&parcel.order()).await;
    stack().create_order(&other.order()).await;
    let order = |n: u32| if n.is_multiple_of(2) { &parcel.order_id } else { &other.order_id };
    let answers = join_all((0..8).map(|n| link(order(n), &wamid, "sent"))).await;
    for answer in &answers {
        assert!(
            matches!(answer.error(), (201, _, _) | (409, _, Some("message_id")) | (503, _, _)),
            "{}",
            answer.json
        );
    }
    let ids: BTreeSet<&str> =
        answers.iter().filter_map(|answer| answer.json["data"]["id"].as_str()).collect();
    assert_eq!(ids.len(), 1, "{ids:?}");
    let shown = [messages(&parcel.order_id, "").await, messages(&other.order_id, "").await];
    assert_eq!(shown.iter().map(|page| statuses(page).len()).sum::<usize>(), 1);
}

/// The row that detects a repeated request expires after a month.
#[tokio::test]
async fn records_a_provider_message_once_after_dedup_rows_expired() {
    let (parcel, wamid) = (Parcel::new(), unique("wamid."));
    stack().create_order(&parcel.order()).await;
    let first = link(&parcel.order_id, &wamid, "sent").await;
    let dynamodb = stack().dynamodb(&Calls::default());
    let delete = dynamodb.delete_item().table_name(&stack().tables["messages"]);
    let partition = format!("order:8:STORE001:{}", parcel.order_id);
    let row = format!("id:{}", first.json["data"]["id"].as_str().unwrap());
    let delete = delete.key("pk", AttributeValue::S(partition)).key("sk", AttributeValue::S(row));
    let deleted = delete.return_values(ReturnValue::AllOld).send().await.unwrap();
    assert!(deleted.attributes.unwrap().contains_key("ttl"));

    let again = link(&parcel.order_id, &wamid, "sent").await;
    assert_eq!((again.status, &again.json), (201, &first.json));
    assert_eq!(link(&parcel.order_id, &wamid, "read").await.status, 201);
    assert_eq!(statuses(&messages(&parcel.order_id, "").await), ["read"]);
}

#[tokio::test]
async fn rejects_malformed_message_ids() {
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
        let answer = post(&linked_body(&parcel.order_id, &id, "sent")).await;
        assert_eq!(answer.error(), (422, "invalid", Some("message_id")), "{id}");
    }
    assert_eq!(
        link("nowhere-at-all", &unique("wamid."), "sent").await.error(),
        (404, "not_found", None)
    );
    let longest = format!("{:x<256}", unique("wamid."));
    assert_eq!(link(&parcel.order_id, &longest, "sent").await.status, 201);
}

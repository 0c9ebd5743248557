//! Statuses of messages in any order of arrival.

use futures::future::join_all;
use futures::join;
use serde_json::json;

use super::*;
use crate::support::Parcel;
use crate::support::messages::link;

/// Creates an order and links a message as `sent`, at a later time than every update below.
async fn linked_message() -> (Parcel, String) {
    let (parcel, wamid) = (Parcel::new(), wamid());
    stack().create_order(&parcel.order()).await;
    assert_eq!(link(&parcel.order_id, &wamid, "sent").await.status, 201);
    (parcel, wamid)
}

async fn latest_status(parcel: &Parcel) -> serde_json::Value {
    let order = stack().order(&parcel.order_id).await;
    assert_eq!(order["version"], 1, "a message does not change the version");
    order["latestMessageStatus"].clone()
}

#[tokio::test]
async fn shows_each_status_of_a_linked_message() {
    let (parcel, wamid) = linked_message().await;
    for (seconds, reported) in [(0, "sent"), (3, "delivered"), (9, "read")] {
        assert_eq!(
            process(&statuses(OURS.1, &[status(&wamid, reported, seconds)])).await,
            (EventState::Processed, None)
        );
        message_in_status(&parcel.order_id, reported).await;
        assert_eq!(latest_status(&parcel).await, reported);
    }
    let item = message_in_status(&parcel.order_id, "read").await;
    let expected = json!([{"status": "sent", "at": time(0)}, {"status": "delivered", "at": time(3)},
                          {"status": "read", "at": time(9)}]);
    assert_eq!(
        (&item["statuses"], &item["error"], &item["message_id"]),
        (&expected, &json!(null), &json!(wamid))
    );

    // The next status update of the order contains it.
    stack().webhook(&parcel.report(18, "IN TRANSIT", "11:43:52")).await;
    let received = stack().received_at_least(&parcel.order_id, 3).await;
    let update =
        received.iter().find(|request| request.path.ends_with("status-update")).unwrap().json();
    assert_eq!(update["orders"][0]["latest_message_status"], "read");
}

#[tokio::test]
async fn applies_statuses_that_arrive_before_their_message_is_linked() {
    let (parcel, wamid) = (Parcel::new(), wamid());
    stack().create_order(&parcel.order()).await;
    let updates = statuses(OURS.1, &[status(&wamid, "delivered", 3), status(&wamid, "sent", 0)]);
    assert_eq!(process(&updates).await, (EventState::Processed, None));
    assert_eq!(latest_status(&parcel).await, json!(null));

    let answer = link(&parcel.order_id, &wamid, "queued").await;
    assert_eq!((answer.status, &answer.json["data"]["message_status"]), (201, &json!("queued")));
    assert_eq!(latest_status(&parcel).await, "delivered");
    let item = message_in_status(&parcel.order_id, "delivered").await;
    let expected =
        json!([{"status": "sent", "at": time(0)}, {"status": "delivered", "at": time(3)}]);
    assert_eq!(item["statuses"], expected);
}

#[tokio::test]
async fn ends_in_the_furthest_status() {
    let error = json!({"code": "131026", "title": "Undeliverable", "details": "canary-body"});
    let none = json!(null);
    let updates = |reported: &[&str], id: &str| -> Vec<Value> {
        let update = |(seconds, reported): (i64, &&str)| match *reported {
            "failed" => failed(id, seconds, 131_026),
            reported => status(id, reported, seconds),
        };
        (1..).zip(reported).map(update).collect()
    };
    for (reported, expected, expected_error) in [
        (&["read", "delivered", "sent"][..], "read", &none),
        (&["delivered", "failed"], "delivered", &error),
        (&["failed"], "failed", &error),
        (&["failed", "delivered"], "delivered", &error),
        (&["delivered", "read", "played"], "played", &none),
        (&["deleted"], "sent", &none),
        (&["delivered", "warning"], "delivered", &none),
    ] {
        for in_one_event in [false, true] {
            let (parcel, wamid) = linked_message().await;
            let updates = updates(reported, &wamid);
            for event in updates.chunks(if in_one_event { updates.len() } else { 1 }) {
                let outcome = process(&statuses(OURS.1, event)).await;
                assert_eq!(outcome, (EventState::Processed, None));
            }
            let item = message_in_status(&parcel.order_id, expected).await;
            assert_eq!(&item["error"], expected_error, "{reported:?}");
            assert_eq!(latest_status(&parcel).await, expected, "{reported:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ends_in_the_same_status_after_any_order_of_arrival() {
    let (sent, delivered, read) = (("sent", 1), ("delivered", 2), ("read", 3));
    let orders = [
        [sent, delivered, read],
        [sent, read, delivered],
        [delivered, sent, read],
        [delivered, read, sent],
        [read, sent, delivered],
        [read, delivered, sent],
    ];
    let each = async |order: &[(&str, i64); 3]| {
        let (parcel, wamid) = linked_message().await;
        let bodies = order.map(|(reported, at)| statuses(OURS.1, &[status(&wamid, reported, at)]));
        for answer in join_all(bodies.iter().chain(&bodies).map(send)).await {
            assert_eq!(settled_event(&answer).await.state, EventState::Processed);
        }
        let item = message_in_status(&parcel.order_id, "read").await;
        let expected = json!([
            {"status": "sent", "at": time(1)}, {"status": "delivered", "at": time(2)},
            {"status": "read", "at": time(3)},
        ]);
        assert_eq!(item["statuses"], expected, "{order:?}");
        assert_eq!(latest_status(&parcel).await, "read", "{order:?}");
    };
    for order in &orders {
        each(order).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ends_in_the_same_status_after_a_concurrent_link() {
    for _ in 0..5 {
        let (parcel, wamid) = (Parcel::new(), wamid());
        stack().create_order(&parcel.order()).await;
        let updates = [("read", 3), ("sent", 1), ("delivered", 2)]
            .map(|(reported, at)| statuses(OURS.1, &[status(&wamid, reported, at)]));
        let link_message = async || link(&parcel.order_id, &wamid, "queued").await.status == 201;
        let (answers, ()) = join!(
            join_all(updates.iter().map(send)),
            eventually("a link", async || link_message().await.then_some(())),
        );
        for answer in answers {
            assert_eq!(settled_event(&answer).await.state, EventState::Processed);
        }
        let item = message_in_status(&parcel.order_id, "read").await;
        assert_eq!(item["statuses"].as_array().unwrap().len(), 3);
        assert_eq!(latest_status(&parcel).await, "read");
    }
}

#[tokio::test]
async fn shows_the_status_of_the_newest_message_on_its_order() {
    let (parcel, first) = linked_message().await;
    let second = wamid();
    assert_eq!(link(&parcel.order_id, &second, "sent").await.status, 201);
    process(&statuses(OURS.1, &[status(&first, "read", 1), status(&second, "delivered", 2)])).await;
    let page = messages(&parcel.order_id, "").await;
    let items: Vec<_> =
        page["items"].as_array().unwrap().iter().map(|item| &item["message_status"]).collect();
    assert_eq!(items, ["delivered", "read"]);
    assert_eq!(latest_status(&parcel).await, "delivered");
}

#[tokio::test]
async fn applies_nineteen_statuses_when_one_of_twenty_is_malformed() {
    let ids: Vec<String> = (0..19).map(|_| wamid()).collect();
    let mut updates: Vec<_> = ids.iter().map(|id| status(id, "delivered", 1)).collect();
    updates.insert(7, json!({"id": wamid(), "status": {"canary-body": 1}}));
    let reason = Some("1 of 20 not understood".to_owned());
    assert_eq!(process(&statuses(OURS.1, &updates)).await, (EventState::Processed, reason));
    assert!(
        tracked_statuses(OURS.0, &ids)
            .await
            .iter()
            .all(|status| *status == Some(ProviderStatus::Delivered))
    );
}

#[tokio::test]
async fn separates_two_accounts_in_one_request() {
    // Both accounts get a status of the same message id.
    let (ids, foreign_ids) = ([wamid()], [wamid()]);
    let both = envelope(&[
        change(OURS.1, &json!({"statuses": [status(&ids[0], "read", 1)]})),
        change(THEIRS.1, &json!({"statuses": [status(&ids[0], "sent", 1)]})),
        change(FOREIGN_NUMBER, &json!({"statuses": [status(&foreign_ids[0], "sent", 1)]})),
    ]);
    let reason = Some("1 for numbers of nobody".to_owned());
    assert_eq!(process(&both).await, (EventState::Processed, reason));
    assert_eq!(tracked_statuses(OURS.0, &ids).await, [Some(ProviderStatus::Read)]);
    assert_eq!(tracked_statuses(THEIRS.0, &ids).await, [Some(ProviderStatus::Sent)]);
    for account in [OURS.0, THEIRS.0] {
        assert_eq!(tracked_statuses(account, &foreign_ids).await, [None]);
    }
}

#[tokio::test]
async fn ignores_foreign_numbers_number_errors_and_malformed_statuses() {
    let ignored = |reason: &str| (EventState::Ignored, Some(reason.to_owned()));
    assert_eq!(
        process(&statuses(FOREIGN_NUMBER, &[status(&wamid(), "sent", 1)])).await,
        ignored("foreign_number")
    );
    let error = json!({"code": 130_429, "title": unique("canary-body "), "message": "canary-body"});
    let errors = json!({"errors": [error]});
    assert_eq!(process(&envelope(&[change(OURS.1, &errors)])).await, ignored("number_error"));
    let malformed = statuses(OURS.1, &[json!(unique("malformed")), json!(null)]);
    assert_eq!(process(&malformed).await, ignored("2 of 2 not understood"));
}

#[tokio::test]
async fn a_payment_is_no_status_of_its_message() {
    let id = wamid();
    let sent = statuses(OURS.1, &[status(&id, "sent", 1)]);
    assert_eq!(process(&sent).await, (EventState::Processed, None));
    let mut payment = failed(&id, 2, 131_026);
    payment["type"] = json!("payment");
    let expected = (EventState::Ignored, Some("1 about payments".to_owned()));
    assert_eq!(process(&statuses(OURS.1, &[payment])).await, expected);
    let [row] = &load_trackings(OURS.0, &[id]).await[..] else { unreachable!() };
    let tracking = &row.tracked.tracking;
    assert_eq!((tracking.status(), tracking.error()), (Some(ProviderStatus::Sent), None));
}

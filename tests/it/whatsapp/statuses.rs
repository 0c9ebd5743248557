//! How messages fare, whatever comes first.

use futures::future::join_all;
use futures::join;
use serde_json::json;

use super::*;
use crate::support::Parcel;
use crate::support::messages::link;

/// An order, and a message of it that is linked as `sent` a while after everything else in these tests.
async fn linked() -> (Parcel, String) {
    let (parcel, wamid) = (Parcel::new(), wamid());
    stack().create_order(&parcel.order()).await;
    assert_eq!(link(&parcel.order_id, &wamid, "sent").await.status, 201);
    (parcel, wamid)
}

async fn latest(parcel: &Parcel) -> serde_json::Value {
    let order = stack().order(&parcel.order_id).await;
    assert_eq!(order["version"], 1, "a message moves no version");
    order["latestMessageStatus"].clone()
}

#[tokio::test]
async fn a_linked_message_follows_its_statuses() {
    let (parcel, wamid) = linked().await;
    for (n, word) in [(0, "sent"), (3, "delivered"), (9, "read")] {
        assert_eq!(
            applied(&statuses(OURS.1, &[status(&wamid, word, n)])).await,
            (EventState::Processed, None)
        );
        shown(&parcel.order_id, word).await;
        assert_eq!(latest(&parcel).await, word);
    }
    let item = shown(&parcel.order_id, "read").await;
    let expected = json!([{"status": "sent", "at": time(0)}, {"status": "delivered", "at": time(3)},
                          {"status": "read", "at": time(9)}]);
    assert_eq!(
        (&item["statuses"], &item["error"], &item["message_id"]),
        (&expected, &json!(null), &json!(wamid))
    );

    // Customers' servers see it with the next change.
    stack().webhook(&parcel.report(18, "IN TRANSIT", "11:43:52")).await;
    let received = stack().received_at_least(&parcel.order_id, 3).await;
    let update =
        received.iter().find(|request| request.path.ends_with("status-update")).unwrap().json();
    assert_eq!(update["orders"][0]["latest_message_status"], "read");
}

#[tokio::test]
async fn a_status_may_come_before_anybody_says_which_order_it_is_about() {
    let (parcel, wamid) = (Parcel::new(), wamid());
    stack().create_order(&parcel.order()).await;
    let news = statuses(OURS.1, &[status(&wamid, "delivered", 3), status(&wamid, "sent", 0)]);
    assert_eq!(applied(&news).await, (EventState::Processed, None));
    assert_eq!(latest(&parcel).await, json!(null));

    let answer = link(&parcel.order_id, &wamid, "queued").await;
    assert_eq!((answer.status, &answer.json["data"]["message_status"]), (201, &json!("queued")));
    assert_eq!(latest(&parcel).await, "delivered");
    let item = shown(&parcel.order_id, "delivered").await;
    let expected =
        json!([{"status": "sent", "at": time(0)}, {"status": "delivered", "at": time(3)}]);
    assert_eq!(item["statuses"], expected);
}

#[tokio::test]
async fn a_message_ends_as_the_rules_say() {
    let error = json!({"code": "131026", "title": "Undeliverable", "details": "canary-body"});
    let none = json!(null);
    let news = |words: &[&str]| {
        let words: Vec<(i64, String)> =
            (1..).zip(words.iter().map(|word| (*word).to_owned())).collect();
        move |id: &str| -> Vec<serde_json::Value> {
            let said = |(n, word): &(i64, String)| {
                if word == "failed" { failed(id, *n, 131_026) } else { status(id, word, *n) }
            };
            words.iter().map(said).collect()
        }
    };
    for (words, end, blamed) in [
        (&["read", "delivered", "sent"][..], "read", &none),
        (&["delivered", "failed"], "delivered", &error),
        (&["failed"], "failed", &error),
        (&["failed", "delivered"], "delivered", &error),
        (&["delivered", "read", "played"], "played", &none),
        (&["deleted"], "sent", &none),
        (&["delivered", "warning"], "delivered", &none),
    ] {
        // One event for each, and all in one event.
        for at_once in [false, true] {
            let (parcel, wamid) = linked().await;
            let news = news(words)(&wamid);
            for some in news.chunks(if at_once { news.len() } else { 1 }) {
                assert_eq!(applied(&statuses(OURS.1, some)).await, (EventState::Processed, None));
            }
            let item = shown(&parcel.order_id, end).await;
            assert_eq!(&item["error"], blamed, "{words:?}");
            assert_eq!(latest(&parcel).await, end, "{words:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_webhooks_in_any_order_and_twice_end_the_same() {
    let (one, two, three) = (("sent", 1), ("delivered", 2), ("read", 3));
    let orders = [
        [one, two, three],
        [one, three, two],
        [two, one, three],
        [two, three, one],
        [three, one, two],
        [three, two, one],
    ];
    let each = async |order: &[(&str, i64); 3]| {
        let (parcel, wamid) = linked().await;
        let bodies = order.map(|(word, at)| statuses(OURS.1, &[status(&wamid, word, at)]));
        for answer in join_all(bodies.iter().chain(&bodies).map(webhook)).await {
            assert_eq!(settled(&answer).await.state, EventState::Processed);
        }
        let item = shown(&parcel.order_id, "read").await;
        let expected = json!([{"status": "sent", "at": time(1)}, {"status": "delivered", "at": time(2)},
                              {"status": "read", "at": time(3)}]);
        assert_eq!(item["statuses"], expected, "{order:?}");
        assert_eq!(latest(&parcel).await, "read", "{order:?}");
    };
    for order in &orders {
        each(order).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_and_its_statuses_at_once_end_the_same() {
    for _ in 0..5 {
        let (parcel, wamid) = (Parcel::new(), wamid());
        stack().create_order(&parcel.order()).await;
        let news = [("read", 3), ("sent", 1), ("delivered", 2)]
            .map(|(word, at)| statuses(OURS.1, &[status(&wamid, word, at)]));
        let (answers, ()) = join!(
            join_all(news.iter().map(webhook)),
            eventually("a link", async || (link(&parcel.order_id, &wamid, "queued").await.status
                == 201)
                .then_some(())),
        );
        for answer in answers {
            assert_eq!(settled(&answer).await.state, EventState::Processed);
        }
        let item = shown(&parcel.order_id, "read").await;
        assert_eq!(item["statuses"].as_array().unwrap().len(), 3);
        assert_eq!(latest(&parcel).await, "read");
    }
}

#[tokio::test]
async fn only_the_newest_message_speaks_for_its_order() {
    let (parcel, first) = linked().await;
    let second = wamid();
    assert_eq!(link(&parcel.order_id, &second, "sent").await.status, 201);
    applied(&statuses(OURS.1, &[status(&first, "read", 1), status(&second, "delivered", 2)])).await;
    let page = messages(&parcel.order_id, "").await;
    let items: Vec<_> =
        page["items"].as_array().unwrap().iter().map(|item| &item["message_status"]).collect();
    assert_eq!(items, ["delivered", "read"]);
    assert_eq!(latest(&parcel).await, "delivered");
}

#[tokio::test]
async fn a_bad_one_of_twenty_hurts_no_other() {
    let ids: Vec<String> = (0..19).map(|_| wamid()).collect();
    let mut news: Vec<_> = ids.iter().map(|id| status(id, "delivered", 1)).collect();
    news.insert(7, json!({"id": wamid(), "status": {"canary-body": 1}}));
    let reason = Some("1 of 20 not understood".to_owned());
    assert_eq!(applied(&statuses(OURS.1, &news)).await, (EventState::Processed, reason));
    assert!(
        fares(OURS.0, &ids).await.iter().all(|fares| *fares == Some(ProviderStatus::Delivered))
    );
}

#[tokio::test]
async fn two_numbers_of_two_accounts_in_one_request() {
    // The same id under both: nothing crosses accounts.
    let (ids, nobodys) = ([wamid()], [wamid()]);
    let both = envelope(&[
        change(OURS.1, &json!({"statuses": [status(&ids[0], "read", 1)]})),
        change(THEIRS.1, &json!({"statuses": [status(&ids[0], "sent", 1)]})),
        change(NOBODYS, &json!({"statuses": [status(&nobodys[0], "sent", 1)]})),
    ]);
    let reason = Some("1 for numbers of nobody".to_owned());
    assert_eq!(applied(&both).await, (EventState::Processed, reason));
    assert_eq!(fares(OURS.0, &ids).await, [Some(ProviderStatus::Read)]);
    assert_eq!(fares(THEIRS.0, &ids).await, [Some(ProviderStatus::Sent)]);
    for account in [OURS.0, THEIRS.0] {
        assert_eq!(fares(account, &nobodys).await, [None]);
    }
}

#[tokio::test]
async fn what_is_about_nobody_or_no_message_is_ignored() {
    let ignored = |reason: &str| (EventState::Ignored, Some(reason.to_owned()));
    assert_eq!(
        applied(&statuses(NOBODYS, &[status(&wamid(), "sent", 1)])).await,
        ignored("foreign_number")
    );
    let trouble = json!({"errors": [{"code": 130_429, "title": unique("canary-body "), "message": "canary-body"}]});
    assert_eq!(applied(&envelope(&[change(OURS.1, &trouble)])).await, ignored("number_error"));
    let odd = statuses(OURS.1, &[json!(unique("odd")), json!(null)]);
    assert_eq!(applied(&odd).await, ignored("2 of 2 not understood"));
}

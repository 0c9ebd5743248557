//! Changes come to the sockets that see them, and what was missed comes at once.

use std::time::{Duration, Instant};

use domain::core::timestamp::Timestamp;
use serde_json::{Value, json};

use super::{key, new_order};
use crate::support::sockets::{Socket, Ticket};
use crate::support::{Calls, OURS, Parcel, eventually, messages, stack, unique};
use crate::whatsapp;

async fn of_order(parcel: &Parcel) -> Ticket {
    Ticket::of_user("partner", json!({"order_id": parcel.order_id})).await
}

async fn report(parcel: &Parcel, id: u32, label: &str, time: &str) {
    let answer = stack().webhook(&parcel.report(id, label, time)).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
}

/// Moves new orders until the socket of their account is told of one: a worker may remember for ten
/// seconds that the account has no sockets.
async fn first_update_of_account(socket: &mut Socket) -> (String, Value) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while Instant::now() < deadline {
        let parcel = new_order().await;
        report(&parcel, 18, "IN TRANSIT", "09:00:00").await;
        while let Some(frame) = socket.next_within(Duration::from_secs(2)).await {
            if frame["orderId"] == json!(parcel.order_id) {
                return (parcel.order_id, frame);
            }
        }
    }
    panic!("the account's socket is told of no order");
}

fn versions(frames: &[Value]) -> Vec<u64> {
    frames.iter().map(|frame| frame["version"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn a_status_change_comes_to_the_sockets_of_its_order_and_account() {
    let parcel = new_order().await;
    let mut of_account =
        Ticket::of_user("viewer", json!({"account_code": OURS})).await.open().await;
    let mut of_order = of_order(&parcel).await.open().await;
    assert_eq!(of_account.register(None).await, [] as [Value; 0]);
    let known = of_order.register(None).await;
    assert_eq!(versions(&known), [1], "the current state: {known:?}");
    let began = Instant::now();
    report(&parcel, 18, "IN TRANSIT", "09:00:00").await;
    let update = of_order.next().await;
    let took = began.elapsed();
    println!("an update came after {took:?}");
    let expected = json!({
        "type": "order_update", "orderId": parcel.order_id, "status": "in_transit",
        "previousStatus": "pending", "version": 2, "message": "In Transit",
        "timestamp": "2023-05-23T03:30:00.000Z",
    });
    assert_eq!(update, expected);
    let (order, seen) = first_update_of_account(&mut of_account).await;
    let mut expected = expected;
    expected["orderId"] = json!(order);
    assert_eq!(seen, expected);
    let text = update.to_string();
    assert!(!text.contains("canary"), "no personal data: {text}");
}

#[tokio::test]
async fn a_client_gets_what_it_missed() {
    let parcel = new_order().await;
    report(&parcel, 6, "SHIPPED", "09:00:00").await;
    stack().order_with_entries(&parcel.order_id, 1).await;
    report(&parcel, 18, "IN TRANSIT", "10:00:00").await;
    stack().order_with_entries(&parcel.order_id, 2).await;
    report(&parcel, 17, "OUT FOR DELIVERY", "11:00:00").await;
    let order = stack().order_with_entries(&parcel.order_id, 3).await;
    let version = order["version"].as_u64().unwrap();

    let mut socket = of_order(&parcel).await.open().await;
    let since = |version: u64| Some(json!({&parcel.order_id: version, "ORD-of-nobody": 1}));
    let missed = socket.register(since(1)).await;
    assert_eq!(versions(&missed), (2..=version).collect::<Vec<_>>());
    assert_eq!(missed.last().unwrap()["status"], "out_for_delivery");
    assert_eq!(socket.register(since(version)).await, [] as [Value; 0]);
    assert_eq!(versions(&socket.register(since(version + 7)).await), [version]);

    let mut of_account = Ticket::of_user("partner", json!({})).await.open().await;
    let mut missed = of_account.register(since(version - 1)).await;
    // Pushes of other orders, and late ones of this order, may come in between.
    missed.retain(|update| update["orderId"] == json!(parcel.order_id));
    let mut versions = versions(&missed);
    versions.dedup();
    assert_eq!(versions, [version]);
}

/// The old socket is gone, and a change is made before there is a new one.
#[tokio::test]
async fn a_client_that_reconnects_catches_up() {
    let parcel = new_order().await;
    let mut socket = of_order(&parcel).await.open().await;
    socket.register(None).await;
    socket.close().await;
    report(&parcel, 18, "IN TRANSIT", "09:00:00").await;
    stack().order_with_entries(&parcel.order_id, 1).await;
    let mut socket = of_order(&parcel).await.open().await;
    let missed = socket.register(Some(json!({&parcel.order_id: 1}))).await;
    assert_eq!(versions(&missed), [2]);
    report(&parcel, 17, "OUT FOR DELIVERY", "10:00:00").await;
    let mut update = socket.next().await;
    // The push of the missed update may come late, to this socket.
    while update["version"] == 2 {
        update = socket.next().await;
    }
    assert_eq!(update["version"], 3);
}

#[tokio::test]
async fn the_status_of_a_message_comes_to_the_sockets_of_its_order() {
    let parcel = new_order().await;
    let message = unique("wamid.");
    let tracked = messages::link(&parcel.order_id, &message, "sent").await;
    assert_eq!(tracked.status, 201, "{}", tracked.json);
    let mut socket = of_order(&parcel).await.open().await;
    socket.register(None).await;

    whatsapp::post_status(&message, "delivered").await;
    let update = socket.next().await;
    assert_eq!(update["type"], "message_status_update", "{update}");
    let known = messages::messages(&parcel.order_id, "").await["items"][0]["id"].clone();
    let shown = [&update["messageId"], &update["orderId"], &update["status"]];
    assert_eq!(shown, [&known, &json!(parcel.order_id), &json!("delivered")]);
    assert!(!update.to_string().contains(&message), "the provider's id has the phone number");
}

#[tokio::test]
async fn a_ping_is_answered_before_and_after_registering() {
    let mut socket = of_order(&new_order().await).await.open().await;
    assert_eq!(socket.ask(&json!({"type": "ping"})).await, json!({"type": "pong"}));
    socket.register(None).await;
    assert_eq!(socket.ask(&json!({"type": "ping"})).await, json!({"type": "pong"}));
}

#[tokio::test]
async fn a_socket_that_did_not_register_gets_nothing() {
    let parcel = new_order().await;
    let mut registered = of_order(&parcel).await.open().await;
    let mut silent = of_order(&parcel).await.open().await;
    registered.register(None).await;
    report(&parcel, 18, "IN TRANSIT", "09:00:00").await;
    assert_eq!(registered.next().await["version"], 2);
    assert_eq!(silent.frames_before_pong().await, [] as [Value; 0]);
}

/// Its rows are there, though API Gateway knows no such socket.
#[tokio::test]
async fn a_dead_socket_is_forgotten_when_it_cannot_be_posted_to() {
    let parcel = new_order().await;
    let connections = stack().connections(&Calls::default());
    let dead = unique("dead-");
    let scope = (&key(&parcel.order_id)).into();
    let now = aws::clock::now();
    let grant = json!({"scope": {"account": OURS, "order": parcel.order_id}, "holder": "caller"});
    connections.open(&dead, &serde_json::from_value(grant).unwrap(), now).await.unwrap();
    connections.register(&dead, &scope, now).await.unwrap();
    let mut alive = of_order(&parcel).await.open().await;
    alive.register(None).await;
    assert_eq!(connections.registered(&scope, now).await.unwrap().len(), 2);

    report(&parcel, 18, "IN TRANSIT", "09:00:00").await;
    assert_eq!(alive.next().await["version"], 2);
    eventually("the dead socket to be forgotten", async || {
        let registered = connections.registered(&scope, now).await.unwrap();
        let is_known = connections.find(&dead, now).await.unwrap().is_some();
        (registered.len() == 1 && !registered.contains(&dead) && !is_known).then_some(())
    })
    .await;
    alive.close().await;
    eventually("a closed socket to be forgotten", async || {
        connections.registered(&scope, now).await.unwrap().is_empty().then_some(())
    })
    .await;
}

/// A change that was decided before somebody began to watch is decided again.
#[tokio::test]
async fn watching_an_order_makes_its_writers_read_it_again() {
    let parcel = new_order().await;
    let (orders, key) = (stack().orders(&Calls::default()), key(&parcel.order_id));
    let (before, entries) = orders.load_with_timeline(&key).await.unwrap().unwrap();
    let until = Timestamp::parse("2096-01-01T00:00:00Z").unwrap();
    orders.watch(&key, until).await.unwrap();
    let after = orders.load(&key).await.unwrap().unwrap();
    assert_eq!((before.watched_until, after.watched_until), (None, Some(until)));
    assert_eq!(before.state, after.state, "no `rev` moves");
    for (order, is_written) in [(&before, false), (&after, true)] {
        let erased = order.without_customer(aws::clock::now());
        let written = orders.erase_customer(order, &erased, &entries, &[]).await.unwrap();
        assert_eq!(written.is_some(), is_written);
    }
    let kept = orders.load(&key).await.unwrap().unwrap();
    assert_eq!(kept.watched_until, Some(until));
}

#[tokio::test]
async fn watching_makes_no_order() {
    let (orders, nobody) = (stack().orders(&Calls::default()), key(&unique("ORD-of-nobody-")));
    orders.watch(&nobody, aws::clock::now()).await.unwrap();
    assert_eq!(orders.load(&nobody).await.unwrap(), None);
}

//! Handshakes and frames that are refused.

use std::time::Duration;

use aws::tables::tickets::Tickets;
use futures::future::join_all;
use serde_json::{Value, json};

use super::new_order;
use crate::support::sockets::{Ticket, open};
use crate::support::{Calls, OURS, seconds_from_now, stack, unique};

fn tickets() -> Tickets {
    Tickets::new(stack().dynamodb(&Calls::default()), stack().tables["state"].clone())
}

async fn of_account() -> Ticket {
    Ticket::of_user("partner", json!({"account_code": OURS})).await
}

async fn status(url: &str) -> u16 {
    open(url, None).await.err().expect("a refusal")
}

#[tokio::test]
async fn refuses_a_handshake_without_a_valid_ticket() {
    let ticket = of_account().await;
    let Ticket { url, ticket } = ticket;
    let other = format!("ticket-{}", "a".repeat(32));
    for query in [
        String::new(),
        "?ticket=".to_owned(),
        format!("?ticket={other}"),
        format!("?Ticket={ticket}"),
        format!("?token={ticket}"),
        format!("?ticket={ticket}&ticket={ticket}"),
        format!("?ticket=%20{ticket}"),
        format!("?ticket={}", ticket.to_uppercase()),
        "?ticket=eyJhbGciOiJub25lIn0.eyJhY2NvdW50IjoiU1RPUkUwMDEifQ.".to_owned(),
    ] {
        assert_eq!(status(&format!("{url}{query}")).await, 403, "{query}");
    }
    assert!(open(&format!("{url}?ticket={ticket}"), None).await.is_ok(), "it is still good");
}

#[tokio::test]
async fn a_ticket_opens_one_socket() {
    let ticket = of_account().await;
    let opened = join_all((0..5).map(|_| ticket.try_open(None))).await;
    assert_eq!(opened.iter().filter(|socket| socket.is_ok()).count(), 1);
    assert_eq!(ticket.try_open(None).await.err(), Some(403));
}

#[tokio::test]
async fn an_expired_ticket_opens_nothing() {
    let Ticket { url, .. } = of_account().await;
    let grant = json!({"scope": {"account": OURS}, "holder": "caller"});
    let grant = serde_json::from_value(grant).unwrap();
    for (age, is_valid) in [(55, true), (61, false)] {
        let ticket = domain::live::Ticket::new(aws::entropy::secret().unwrap());
        tickets().put(&ticket, &grant, seconds_from_now(-age)).await.unwrap();
        let opened = open(&format!("{url}?ticket={}", ticket.as_str()), None).await;
        assert_eq!(opened.is_ok(), is_valid, "{age} seconds old");
    }
}

#[tokio::test]
async fn a_ticket_is_stored_by_its_hash() {
    let Ticket { ticket, .. } = of_account().await;
    let table = &stack().tables["state"];
    let rows = stack().dynamodb(&Calls::default()).scan().table_name(table);
    let mut rows = rows.into_paginator().items().send();
    let mut found = 0;
    while let Some(row) = rows.next().await {
        let row = format!("{:?}", row.unwrap());
        found += usize::from(row.contains("ticket:"));
        assert!(!row.contains(&ticket), "{row}");
    }
    assert!(found > 0);
}

#[tokio::test]
async fn answers_bad_frames_and_goes_on() {
    let parcel = new_order().await;
    let mut socket =
        Ticket::of_user("partner", json!({"order_id": parcel.order_id})).await.open().await;
    let many: serde_json::Map<String, Value> =
        (0..101).map(|it| (format!("O-{it}"), json!(1))).collect();
    let deep = format!("{}{}", "[".repeat(40), "]".repeat(40));
    for frame in [
        "?",
        "{",
        "[]",
        "null",
        "{}",
        r#"{"type":"subscribe"}"#,
        r#"{"type":"register","since":[]}"#,
        r#"{"type":"register","since":{"a/b":1}}"#,
        r#"{"type":"$connect"}"#,
        r#"{"type":"$disconnect"}"#,
        &json!({"type": "register", "since": many}).to_string(),
        &format!(r#"{{"type":"register","since":{deep}}}"#),
    ] {
        socket.send_text(frame).await;
        let answer = socket.next().await;
        assert_eq!(answer["type"], "error", "{frame}: {answer}");
    }
    socket.send_bytes(&[0xff, 0xfe, 0]).await;
    assert_eq!(socket.next().await["type"], "error");
    assert_eq!(socket.register(None).await.len(), 1);
}

/// As after more than two hours: API Gateway has closed the socket by then.
#[tokio::test]
async fn a_socket_whose_row_is_gone_is_told_to_connect_again() {
    let account = unique("GONE");
    let ticket = Ticket::of_user("admin", json!({"account_code": account})).await;
    let mut socket = ticket.open().await;
    for id in stack().open_sockets(&account).await {
        stack().connections(&Calls::default()).close(&id).await.unwrap();
    }
    let answer = socket.ask(&json!({"type": "register"})).await;
    assert_eq!((&answer["type"], &answer["code"]), (&json!("error"), &json!("not_connected")));
    assert_eq!(socket.ask(&json!({"type": "ping"})).await["type"], "pong");
}

#[tokio::test]
async fn many_sockets_of_an_order_get_its_update() {
    let parcel = new_order().await;
    let scope = json!({"order_id": parcel.order_id});
    let mut sockets = Vec::new();
    for _ in 0..20 {
        let mut socket = Ticket::of_user("partner", scope.clone()).await.open().await;
        socket.register(None).await;
        sockets.push(socket);
    }
    stack().webhook(&parcel.in_transit()).await;
    for socket in &mut sockets {
        let update = socket.next_within(Duration::from_secs(30)).await.unwrap();
        assert_eq!(update["version"], 2, "{}", unique(""));
    }
}

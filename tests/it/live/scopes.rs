//! A socket shows its own account or order, and nothing else.

use serde_json::{Value, json};

use super::new_order;
use crate::support::sockets::{Socket, Ticket};
use crate::support::{OURS, Parcel, Stack, THEIRS, callers, stack, unique};

async fn of(user: &str, scope: Value) -> Socket {
    let mut socket = Ticket::of_user(user, scope).await.open().await;
    socket.register(None).await;
    socket
}

/// An order of another account under the same id.
async fn twin_of(parcel: &Parcel) -> Parcel {
    let twin = Parcel { order_id: parcel.order_id.clone(), awb: unique("18") };
    stack().create_order_in(THEIRS, &twin.order()).await;
    twin
}

#[tokio::test]
async fn shows_nothing_of_another_account_or_order() {
    let (parcel, other) = (new_order().await, new_order().await);
    let twin = twin_of(&parcel).await;
    let mut theirs = of("admin", json!({"account_code": THEIRS})).await;
    let scope = json!({"account_code": THEIRS, "order_id": parcel.order_id});
    let mut their_order = of("admin", scope).await;
    let mut other_order = of("partner", json!({"order_id": other.order_id})).await;
    let mut own_order = of("partner", json!({"order_id": parcel.order_id})).await;

    stack().webhook(&parcel.in_transit_by_awb()).await;
    let update = own_order.next().await;
    assert_eq!(update["version"], 2, "{update}");
    for socket in [&mut their_order, &mut other_order] {
        assert_eq!(socket.frames_before_pong().await, [] as [Value; 0]);
    }
    let seen = theirs.frames_before_pong().await;
    assert!(seen.iter().all(|frame| frame["orderId"] != json!(twin.order_id)), "{seen:?}");
}

/// A frame names orders only, and those of the ticket's account.
#[tokio::test]
async fn a_frame_widens_no_scope() {
    let (parcel, other) = (new_order().await, new_order().await);
    let foreign = Parcel::new();
    stack().create_order_in(THEIRS, &foreign.order()).await;
    let since = json!({&parcel.order_id: 0, &other.order_id: 0, &foreign.order_id: 0});
    let seen = async |scope: Value| {
        let mut socket = Ticket::of_user("partner", scope).await.open().await;
        let frames = socket.register(Some(since.clone())).await;
        let mut orders: Vec<String> =
            frames.iter().map(|frame| frame["orderId"].as_str().unwrap().to_owned()).collect();
        orders.sort();
        orders
    };
    assert_eq!(seen(json!({"order_id": parcel.order_id})).await, [&*parcel.order_id]);
    let mut ours = [parcel.order_id.clone(), other.order_id.clone()];
    ours.sort();
    assert_eq!(seen(json!({})).await, ours);
    let mut socket = Ticket::of_user("partner", json!({})).await.open().await;
    for field in ["account_code", "accountCode", "order_id", "token"] {
        let answer = socket.ask(&json!({"type": "register", field: THEIRS})).await;
        assert_eq!((&answer["type"], &answer["code"]), (&json!("error"), &json!("invalid")));
    }
}

#[tokio::test]
async fn a_caller_gets_no_ticket_for_another_account_or_an_unknown_order() {
    callers().await;
    let ask = async |scope: Value| {
        let answer = stack().user("partner", "POST", Stack::TICKET, Some(&scope));
        let answer = answer.await;
        let (status, code, field) = answer.error();
        (status, code.to_owned(), field.map(str::to_owned))
    };
    let error = |status, code: &str, field: &str| (status, code.to_owned(), Some(field.to_owned()));
    let foreign = Parcel::new();
    stack().create_order_in(THEIRS, &foreign.order()).await;
    assert_eq!(ask(json!({"account_code": THEIRS})).await, error(403, "forbidden", "account_code"));
    for order in [&foreign.order_id, &unique("ORD-of-nobody-")] {
        let scope = json!({"account_code": OURS, "order_id": order});
        assert_eq!(ask(scope).await, error(404, "not_found", "order_id"));
    }
    let scope = json!({"account_code": OURS});
    let answer = stack().vendor("POST", Stack::TICKET, Some(&scope)).await;
    assert_eq!(answer.error().0, 403, "a vendor's secret opens no sockets");
}

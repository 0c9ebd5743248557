//! Live updates: tickets, sockets and channels of Pusher, and what they show.

mod links;
mod pusher;
mod refused;
mod scopes;
mod updates;

use domain::core::id::OrderKey;
use serde_json::json;

use crate::support::{OURS, Parcel, stack};

/// An order of the demo account.
async fn new_order() -> Parcel {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    parcel
}

fn key(order_id: &str) -> OrderKey {
    serde_json::from_value(json!({"account": OURS, "order": order_id})).unwrap()
}

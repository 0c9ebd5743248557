//! The rows beside an order: polled parcels, the phone number, the keys of the indexes.

use std::collections::BTreeSet;

use domain::orders::phone::PhoneKey;
use domain::polling::Polling;

use super::orders::{Orders, StoredOrder, tenant};
use crate::world::State;

/// Partition and sort key of a row, and what it says besides.
type Row = (String, String, String);

pub(super) fn judge(state: &State, orders: &Orders) -> Vec<String> {
    let expected: BTreeSet<Row> = orders.values().flat_map(rows).collect();
    let stored: BTreeSet<Row> = state.dynamodb.rows("OrdersTable").filter_map(stored_row).collect();
    let missing = expected.difference(&stored).map(|row| format!("the row {row:?} is missing"));
    let left = stored.difference(&expected).map(|row| format!("the row {row:?} is left over"));
    missing.chain(left).collect()
}

fn stored_row(row: &doubles::dynamodb::Item) -> Option<Row> {
    let text = |name: &str| row.get(name).and_then(|value| value["S"].as_str());
    let (pk, sk) = (text("pk")?, text("sk")?);
    // The shard is a hash of the order, which tests of `domain` fix.
    let says = if pk.starts_with("active:") {
        return Some(("active".to_owned(), sk.to_owned(), polling(row.contains_key("ended_at"))));
    } else if pk.starts_with("phone:") {
        String::new()
    } else if pk.starts_with("order:") && sk == "state" {
        format!("{} {}", text("found_in").unwrap_or_default(), text("listed_at")?)
    } else {
        return None;
    };
    Some((pk.to_owned(), sk.to_owned(), says))
}

fn polling(has_ended: bool) -> String {
    if has_ended { "ended" } else { "moving" }.to_owned()
}

fn rows(stored: &StoredOrder) -> Vec<Row> {
    let (order, key) = (stored.order(), &stored.key);
    let tenant = tenant(&key.account);
    let listed_at = format!("{}/{}", order.state.created_at, key.order);
    let found_in = order.state.tracking.status.search_key().map(|key| format!("{tenant}:{key}"));
    let found_in = found_in.unwrap_or_default();
    let own = format!("order:{tenant}:{}", key.order);
    let mut rows = vec![(own, "state".to_owned(), format!("{found_in} {listed_at}"))];
    let phone = order.profile.customer.phone.as_deref().and_then(PhoneKey::parse);
    rows.extend(phone.map(|phone| {
        (format!("phone:{tenant}:{}", phone.as_str()), listed_at.clone(), String::new())
    }));
    rows.extend(order.polled_parcels().map(|(parcel, polled)| {
        let sk = format!("{tenant}:{}/{}", key.order, parcel.awb.canonical());
        ("active".to_owned(), sk, polling(polled == Polling::Ended))
    }));
    rows
}

//! What the carrier says of parcels, and what of it the timelines have already.

use std::fmt::Write;

use sources::shipway::pull::{ParcelAnswer, TrackingQuery, read};

use crate::orders::Order;

/// What happened to each parcel, newest first, as the carrier words it.
const HISTORY: [(&str, &str, &str); 8] = [
    ("2026-11-20 09:14:02", "In Transit", "Exampletown (Bihar)"),
    ("2026-11-19 21:40:51", "Bag Received at Facility", "Sampleville (Haryana)"),
    ("2026-11-19 17:05:33", "Bag Added To Trip", "Sampleville (Haryana)"),
    ("2026-11-19 12:31:10", "Bag Sealed", "Sampleville (Haryana)"),
    ("2026-11-19 08:20:44", "Shipment Received at Facility", "Sampleville (Haryana)"),
    ("2026-11-18 19:02:27", "Shipment Picked Up from Client Location", "Sampleville (Haryana)"),
    ("2026-11-18 11:45:00", "Out for Pickup", "Sampleville (Haryana)"),
    ("2026-11-17 16:09:58", "Manifest Uploaded", "Sampleville (Haryana)"),
];

/// What else it says of each of them.
const DETAILS: &str = concat!(
    r#""courier_id":1,"courier_name":"Delhivery","pickup_date":"2026-11-18 19:02:27","#,
    r#""delivered_date":"1970-01-01 05:30:00","weight":"0.5","packages":1,"current_status":"In Transit","#,
    r#""delivered_to":"Exampletown","destination":"Exampletown","consignee_name":"Test Person","origin":"Sampleville""#,
);

/// The answer to a question for these parcels.
pub(crate) fn answer(orders: &[Order]) -> String {
    list(orders, |_| &HISTORY)
}

/// Of each order the id of the newest claim that its timeline has: the carrier's newest, or one before it where the
/// carrier has news.
pub(crate) fn known(orders: &[Order]) -> Vec<String> {
    let names: Vec<_> = orders.iter().filter_map(Order::names).collect();
    let asked: Vec<_> = names
        .iter()
        .map(|(account, order_id, awb)| TrackingQuery { account, order_id, awb })
        .collect();
    // The newest scan alone makes a claim: the others would only take time to read.
    let body = list(orders, |order| if order.has_news() { &HISTORY[1..2] } else { &HISTORY[..1] });
    let found = read(&asked, body.as_bytes()).unwrap_or_default();
    found.into_iter().map(id).collect()
}

fn id(found: ParcelAnswer) -> String {
    match found {
        ParcelAnswer::Known(report) => report.id.as_str().to_owned(),
        ParcelAnswer::Unknown => String::new(),
    }
}

fn list<'a>(
    orders: &[Order],
    history: impl Fn(&Order) -> &'a [(&'a str, &'a str, &'a str)],
) -> String {
    let items: Vec<String> = orders.iter().map(|order| item(order, history(order))).collect();
    format!("[{}]", items.join(","))
}

fn item(order: &Order, history: &[(&str, &str, &str)]) -> String {
    let (awb, id) = (order.awb(), order.id());
    let mut item = format!(r#"{{"awb":{awb},"tracking_details":{{"shipment_status":"INT","#);
    // Writing to a text does not fail.
    let _ = write!(item, r#""shipment_details":[{{"order_id":"{id}",{DETAILS}}}],"#);
    let _ = write!(
        item,
        r#""track_url":"https://example.invalid/track/{awb}","shipment_track_activities":["#
    );
    for (place, (date, activity, location)) in history.iter().enumerate() {
        let comma = if place == 0 { "" } else { "," };
        let _ = write!(
            item,
            r#"{comma}{{"date":"{date}","activity":"{activity}","location":"{location}"}}"#
        );
    }
    item + "]}}"
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use domain::core::timestamp::Timestamp;

    use super::*;
    use crate::orders::Orders;

    #[test]
    fn what_the_timelines_have_is_what_the_carrier_says_but_where_it_has_news() {
        let orders = Orders::new(64, Timestamp::EPOCH);
        let orders: Vec<Order> =
            (0..64).map(|n| orders.by_awb(&format!("190{n:011}")).unwrap()).collect();
        let names: Vec<_> = orders.iter().map(|order| order.names().unwrap()).collect();
        let asked: Vec<_> = names
            .iter()
            .map(|(account, order_id, awb)| TrackingQuery { account, order_id, awb })
            .collect();
        let answer = read(&asked, answer(&orders).as_bytes()).unwrap();
        let known = known(&orders);
        assert_eq!(known.len(), 64);
        for ((order, known), found) in orders.iter().zip(known).zip(answer) {
            assert!(matches!(found, ParcelAnswer::Known(_)));
            assert_eq!(id(found) != known, order.has_news(), "{}", order.number);
        }
    }
}

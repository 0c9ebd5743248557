//! The carrier's answers, and the ids of the reports that the orders already have.

use std::fmt::Write;

use sources::shipway::tracking_api::{ParcelAnswer, TrackingQuery, read};

use crate::sync::orders::Order;

/// The scans of each parcel, newest first.
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

/// Further fields of each parcel, so that an answer has a realistic size.
const DETAILS: &str = concat!(
    r#""courier_id":1,"courier_name":"Delhivery","pickup_date":"2026-11-18 19:02:27","#,
    r#""delivered_date":"1970-01-01 05:30:00","weight":"0.5","packages":1,"#,
    r#""current_status":"In Transit","delivered_to":"Exampletown","#,
    r#""destination":"Exampletown","consignee_name":"Test Person","origin":"Sampleville""#,
);

/// The carrier's answer for these parcels.
pub(crate) fn answer(orders: &[Order]) -> String {
    answer_with(orders, |_| &HISTORY)
}

/// The id of each order's newest report: of the newest scan, or of the scan before it if the order
/// has changed.
pub(crate) fn known_report_ids(orders: &[Order]) -> Vec<String> {
    let ids: Vec<_> = orders.iter().filter_map(Order::ids).collect();
    let queries: Vec<_> = ids
        .iter()
        .map(|(account, order_id, awb)| TrackingQuery { account, order_id, awb })
        .collect();
    // Only the newest scan becomes a report: parsing further ones would only take time.
    let body =
        answer_with(
            orders,
            |order| if order.has_changed() { &HISTORY[1..2] } else { &HISTORY[..1] },
        );
    let answers = read(&queries, body.as_bytes()).unwrap_or_default();
    answers.into_iter().map(report_id).collect()
}

fn report_id(answer: ParcelAnswer) -> String {
    match answer {
        ParcelAnswer::Known(report) => report.id.as_str().to_owned(),
        ParcelAnswer::Unknown => String::new(),
    }
}

fn answer_with<'a>(
    orders: &[Order],
    history: impl Fn(&Order) -> &'a [(&'a str, &'a str, &'a str)],
) -> String {
    let items: Vec<String> = orders.iter().map(|order| item(order, history(order))).collect();
    format!("[{}]", items.join(","))
}

fn item(order: &Order, history: &[(&str, &str, &str)]) -> String {
    let (awb, id) = (order.awb(), order.id());
    let mut item = format!(r#"{{"awb":{awb},"tracking_details":{{"shipment_status":"INT","#);
    // Writing to a string cannot fail.
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
    use crate::sync::orders::Orders;

    #[test]
    fn known_report_ids_differ_only_for_changed_orders() {
        let orders = Orders::new(64, Timestamp::EPOCH);
        let orders: Vec<Order> =
            (0..64).map(|n| orders.by_awb(&format!("190{n:011}")).unwrap()).collect();
        let ids: Vec<_> = orders.iter().map(|order| order.ids().unwrap()).collect();
        let queries: Vec<_> = ids
            .iter()
            .map(|(account, order_id, awb)| TrackingQuery { account, order_id, awb })
            .collect();
        let answers = read(&queries, answer(&orders).as_bytes()).unwrap();
        let known = known_report_ids(&orders);
        assert_eq!(known.len(), 64);
        for ((order, known), answer) in orders.iter().zip(known).zip(answers) {
            assert!(matches!(answer, ParcelAnswer::Known(_)));
            assert_eq!(report_id(answer) != known, order.has_changed(), "{}", order.number);
        }
    }
}

//! AWBs and order ids that two orders have, one after the other, or that are spelled otherwise.

use futures::future::{join, join_all};

use super::*;

#[tokio::test]
async fn an_order_gets_the_awb_of_one_that_was_cancelled_before_pickup() {
    let first = Story::with_parcel().await;
    first.says("cancelled", 1).await;
    first.is("cancelled: A cancelled").await;
    let second = first.beside();
    second.create(json!({"awb": second.awb("A")})).await;
    // The parcel that had this number before.
    let old = seconds_from_now(-40 * 24 * 60 * 60);
    send(&second.report_at("A delivered", old)).await;
    let order = second.is("pending: A pending").await;
    assert_eq!(entries(&order), ["delivered replaced_parcel"]);
    second.reported("A in_transit", 5).await;
    second.is("in_transit: A in_transit").await;
    second.told(&["in_transit"]).await;
    first.is("cancelled: A cancelled").await;
    first.told(&["cancelled"]).await;
}

#[tokio::test]
async fn a_learnt_parcel_moves_to_the_order_that_names_it() {
    let first = Story::with_parcel().await;
    first.reported("A processing", 1).await;
    first.reported("B in_transit", 2).await;
    first.reported("B out_for_delivery", 3).await;
    first.is("out_for_delivery: A processing replaced, B out_for_delivery learnt").await;
    let second = first.beside();
    second.create(json!({"awb": second.awb("B")})).await;
    second.is("out_for_delivery: B out_for_delivery").await;
    second.has_reports(&["out_for_delivery", "in_transit"]).await;
    let order = first.is("processing: A processing").await;
    assert_eq!(entries(&order)[0], "Moved to another order");
    // Its reports go there from now on, whichever order they name.
    first.reported("B delivered", 9).await;
    second.is("delivered: B delivered").await;
    first.is("processing: A processing").await;
    first.told(&["processing", "in_transit", "out_for_delivery", "processing"]).await;
    second.told(&["out_for_delivery", "delivered"]).await;
}

#[tokio::test]
async fn a_mistyped_awb_goes_to_the_order_whose_it_is() {
    let first = Story::with_parcel().await;
    first.reported("A in_transit", 1).await;
    first.is("in_transit: A in_transit").await;
    let second = first.beside();
    let taken = json!({"orderId": second.order_id, "awb": second.awb("A")});
    let refused = stack().vendor("POST", ORDERS, Some(&taken)).await;
    assert_eq!(refused.error(), (409, "conflict", Some("awb")));
    first.name("B").await;
    first.is("processing: A in_transit replaced, B processing").await;
    second.create(json!({"awb": second.awb("A")})).await;
    second.is("in_transit: A in_transit").await;
    first.is("pending: B pending").await;
    second.reported("A delivered", 4).await;
    second.is("delivered: A delivered").await;
    second.told(&["in_transit", "delivered"]).await;
}

#[tokio::test]
async fn leading_zeros_make_no_other_parcel() {
    let story = Story::new();
    story.create(json!({"awb": format!("00{}", story.awb("A"))})).await;
    let mut report = story.report("A in_transit", 1);
    report["order_id"] = json!(unique("not-ours-"));
    report["awb"] = json!(format!("0{}", story.awb("A")));
    send(&report).await;
    story.is("in_transit: A in_transit").await;
    // Many carriers' numbers lose their zeros in a spreadsheet.
    story.name("A").await;
    let order = story.is("in_transit: A in_transit").await;
    assert_eq!((&order["awb"], &order["version"]), (&json!(story.awb("A")), &json!(2)));
    let other = json!({"orderId": unique("ORD-"), "awb": format!("000{}", story.awb("A"))});
    let refused = stack().vendor("POST", ORDERS, Some(&other)).await;
    assert_eq!(refused.error(), (409, "conflict", Some("awb")));
    story.reported("A delivered", 2).await;
    story.is("delivered: A delivered").await;
    story.told(&["in_transit", "delivered"]).await;
}

#[tokio::test]
async fn an_order_with_the_exact_id_takes_its_reports() {
    let spelled = Story::with_parcel().await;
    let exact = Story { order_id: format!("{}_740007001", spelled.order_id), ..spelled.beside() };
    send(&exact.report("B in_transit", 3)).await;
    spelled.is("in_transit: A pending replaced, B in_transit learnt").await;
    exact.create(json!({})).await;
    exact.is("in_transit: B in_transit learnt").await;
    spelled.is("pending: A pending").await;
    send(&exact.report("B delivered", 5)).await;
    exact.is("delivered: B delivered learnt").await;
    spelled.is("pending: A pending").await;
    exact.told(&["in_transit", "delivered"]).await;
}

#[tokio::test]
async fn a_parcel_moves_back_with_what_was_reported_meanwhile() {
    let first = Story::with_parcel().await;
    first.reported("A processing", 1).await;
    first.reported("B in_transit", 2).await;
    let second = first.beside();
    second.create(json!({"awb": second.awb("B")})).await;
    second.is("in_transit: B in_transit").await;
    second.reported("B out_for_delivery", 3).await;
    // The shop has mixed up the two.
    second.name("C").await;
    second.is("processing: B out_for_delivery replaced, C processing").await;
    first.name("B").await;
    first.is("out_for_delivery: A processing replaced, B out_for_delivery").await;
    first.has_reports(&["out_for_delivery", "in_transit", "processing replaced_parcel"]).await;
    second.is("pending: C pending").await;
    second.reported("B delivered", 9).await;
    first.is("delivered: A processing replaced, B delivered").await;
    second.is("pending: C pending").await;
}

#[tokio::test]
async fn a_parcel_moves_with_its_checkpoints() {
    let first = Story::with_parcel().await;
    let mut report = first.report("B delivered", 2);
    let scan = json!({"date": "2026-07-06 14:00:05", "activity": "Delivered", "location": "Hub"});
    report["scans"] = json!([scan]);
    send(&report).await;
    let checkpoints = first.is("delivered: A pending replaced, B delivered learnt").await
        ["shipments"][1]["checkpoints"]
        .clone();
    assert_eq!(checkpoints[0]["location"], "Hub");
    let second = first.beside();
    second.create(json!({"awb": second.awb("B")})).await;
    let moved = async || {
        let order = second.is("delivered: B delivered").await;
        let shown = &order["shipments"][0]["checkpoints"];
        if *shown == checkpoints { Ok(()) } else { Err(shown.to_string()) }
    };
    eventually_ok("the checkpoints of a moved parcel", moved).await;
}

#[tokio::test]
async fn a_withdrawn_report_stays_withdrawn_where_its_parcel_moves_to() {
    let first = Story::with_parcel().await;
    first.reported("B in_transit", 2).await;
    first.reported("B delivered", 3).await;
    let order = first.is("delivered: A pending replaced, B delivered learnt").await;
    let delivered = order["timeline"][0]["reportId"].as_str().unwrap();
    first.withdraw(delivered).await;
    first.is("in_transit: A pending replaced, B in_transit learnt").await;
    let second = first.beside();
    second.create(json!({"awb": second.awb("B")})).await;
    second.is("in_transit: B in_transit").await;
    first.is("pending: A pending").await;
    let mut repeated = first.report("B delivered", 3);
    repeated["courier_name"] = json!("Example Air");
    let event = send(&repeated).await;
    assert_eq!((&event["status"], &event["reason"]), (&json!("processed"), &json!("withdrawn")));
    second.is("in_transit: B in_transit").await;
    second.reported("B delivered", 4).await;
    second.is("delivered: B delivered").await;
}

#[tokio::test]
async fn one_of_two_orders_gets_a_learnt_parcel() {
    let first = Story::with_parcel().await;
    first.reported("B in_transit", 2).await;
    let others = [first.beside(), first.beside()];
    let body = |other: &Story| json!({"orderId": other.order_id, "awb": other.awb("B")});
    let bodies = others.each_ref().map(body);
    let create = |body| stack().vendor("POST", ORDERS, Some(body));
    let answers = join(create(&bodies[0]), create(&bodies[1])).await;
    let statuses = [answers.0.status, answers.1.status];
    let winner = statuses.iter().position(|status| *status == 201).unwrap();
    assert_eq!(statuses[1 - winner], 409, "{answers:?}");
    others[winner].is("in_transit: B in_transit").await;
    first.is("pending: A pending").await;
}

/// Each of the two orders has a change of its own, though the report is the same.
#[tokio::test]
async fn a_report_that_waited_is_told_again_where_its_parcel_moves_to() {
    let first = Story::new();
    first.reported("B in_transit", 2).await;
    first.create(json!({})).await;
    first.is("in_transit: B in_transit learnt").await;
    first.told(&["in_transit"]).await;
    let second = first.beside();
    second.create(json!({"awb": second.awb("B")})).await;
    second.is("in_transit: B in_transit").await;
    second.told(&["in_transit"]).await;
}

#[tokio::test]
async fn an_order_that_was_cancelled_gets_no_reports_of_the_next_parcel_with_its_awb() {
    let first = Story::with_parcel().await;
    first.reported("A cancelled", 1).await;
    first.is("cancelled: A cancelled").await;
    let second = first.beside();
    second.create(json!({"awb": second.awb("A")})).await;
    second.is("pending: A pending").await;
    // Whichever order it names.
    first.reported("A in_transit", 5).await;
    second.is("in_transit: A in_transit").await;
    let order = first.is("cancelled: A cancelled").await;
    assert_eq!(entries(&order), ["AWB used again by another order", "cancelled"]);
    first.name("B").await;
    let body = json!({"awb": first.awb("A")});
    let refused = stack().vendor("PATCH", &first.path(), Some(&body)).await;
    assert_eq!(refused.error(), (409, "conflict", Some("awb")));
}

#[tokio::test]
async fn an_order_with_the_exact_id_does_not_take_the_parcel_that_the_shop_gave_to_another() {
    let spelled = Story::with_parcel().await;
    let exact = Story { order_id: format!("{}_740007001", spelled.order_id), ..spelled.beside() };
    send(&exact.report("A in_transit", 3)).await;
    spelled.is("in_transit: A in_transit").await;
    exact.create(json!({"awb": exact.awb("B")})).await;
    send(&exact.report("A out_for_delivery", 4)).await;
    spelled.is("out_for_delivery: A out_for_delivery").await;
    exact.is("pending: B pending").await;
    spelled.told(&["in_transit", "out_for_delivery"]).await;
}

#[tokio::test]
async fn one_of_several_orders_gets_an_awb_that_they_add_at_once() {
    let first = Story::new();
    let orders: Vec<Story> = (0..4).map(|_| first.beside()).collect();
    for order in &orders {
        order.create(json!({})).await;
    }
    let added = join_all(orders.iter().map(async |order| {
        let path = format!("{}/shipments", order.path());
        stack().vendor("POST", &path, Some(&json!({"awb": order.awb("A")}))).await.status
    }));
    let mut statuses = added.await;
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409]);
    send(&first.report("A in_transit", 1)).await;
    let mut moving = 0;
    for order in &orders {
        let status = stack().order(&order.order_id).await["status"].clone();
        moving += usize::from(status == "in_transit");
    }
    assert_eq!(moving, 1);
}

/// Only the way back has no room.
#[tokio::test]
async fn a_report_that_announces_one_parcel_too_many_applies() {
    let story = Story::with_parcel().await;
    for name in 'B'..='T' {
        story.add(&name.to_string()).await;
    }
    eventually("20 parcels", async || {
        let order = stack().order(&story.order_id).await;
        (order["shipments"].as_array().unwrap().len() == 20).then_some(())
    })
    .await;
    let mut report = story.report("A in_transit", 1);
    report["return_awb_code"] = json!(story.awb("U"));
    assert_eq!(send(&report).await["status"], "processed");
    assert_eq!(stack().order(&story.order_id).await["shipments"][0]["status"], "in_transit");
}

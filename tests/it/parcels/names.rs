//! AWBs and order ids that two orders have, one after the other, or that are spelled otherwise.

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
    let order = second.is("out_for_delivery: B out_for_delivery").await;
    assert_eq!(entries(&order), ["out_for_delivery", "in_transit"]);
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

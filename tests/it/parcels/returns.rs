//! Parcels on their way back to the shop.

use super::*;

/// A report of the return leg.
fn back(mut report: Value) -> Value {
    report["is_return"] = json!(1);
    report
}

#[tokio::test]
async fn the_way_back_goes_on_under_an_announced_awb() {
    let story = Story::with_parcel().await;
    let mut report = story.report("A return_initiated", 1);
    report["return_awb_code"] = json!(story.awb("R"));
    send(&report).await;
    story.is("return_initiated: A return_initiated, R pending return learnt").await;
    // The second AWB finds the order without its id.
    let mut report = story.report("R returned", 40);
    report["order_id"] = json!(unique("not-ours-"));
    send(&report).await;
    story.is("returned: A return_initiated, R returned return learnt").await;
    story.told(&["return_initiated", "returned"]).await;
}

#[tokio::test]
async fn the_way_back_goes_on_under_an_awb_that_nobody_announced() {
    let story = Story::with_parcel().await;
    story.reported("A return_initiated", 1).await;
    story.reported("R return_in_transit", 20).await;
    story.is("return_in_transit: A return_initiated, R return_in_transit return learnt").await;
    story.reported("R returned", 40).await;
    story.is("returned: A return_initiated, R returned return learnt").await;
    story.told(&["return_initiated", "return_in_transit", "returned"]).await;
}

#[tokio::test]
async fn a_return_that_is_called_off_restores_the_delivery() {
    let story = Story::with_parcel().await;
    story.reported("A delivered", 1).await;
    story.reported("A return_initiated", 5).await;
    story.is("return_initiated: A return_initiated").await;
    send(&back(story.report("A cancelled", 6))).await;
    let order = story.is("delivered: A delivered").await;
    assert_eq!(order["currentShipmentStatus"], "DELIVERED");
    assert_eq!(entries(&order), ["cancelled", "return_initiated", "delivered"]);
    story.told(&["delivered", "return_initiated", "delivered"]).await;
}

#[tokio::test]
async fn a_return_parcel_that_is_called_off_does_not_count() {
    let story = Story::with_parcel().await;
    story.reported("A delivered", 1).await;
    story.patch(json!({"returnAwb": story.awb("R")})).await;
    story.is("delivered: A delivered, R pending return").await;
    send(&back(story.report("R processing", 5))).await;
    story.is("return_initiated: A delivered, R return_initiated return").await;
    send(&back(story.report("R cancelled", 6))).await;
    story.is("delivered: A delivered, R cancelled return").await;
    story.told(&["delivered", "return_initiated", "delivered"]).await;
}

/// A customer's return is an order of its own at the carrier, which names the forward one.
#[tokio::test]
async fn a_return_names_the_carriers_id_of_its_forward_order() {
    let (story, forward) = (Story::new(), unique("7"));
    story.create(json!({"awb": story.awb("A"), "refs": {"shiprocket": forward}})).await;
    story.reported("A delivered", 1).await;
    let mut report = back(story.report("R in_transit", 30));
    (report["order_id"], report["sr_order_id"]) = (json!(forward), json!(unique("8")));
    send(&report).await;
    story.is("return_in_transit: A delivered, R return_in_transit return learnt").await;
    send(&back(story.report("R delivered", 50))).await;
    story.is("returned: A delivered, R returned return learnt").await;
    story.told(&["delivered", "return_in_transit", "returned"]).await;
}

/// Whether the PATCH comes before or after the webhook.
#[tokio::test]
async fn the_shop_names_the_way_back_late() {
    let story = Story::with_parcel().await;
    story.reported("A delivered", 1).await;
    send(&back(story.report("R in_transit", 30))).await;
    story.is("return_in_transit: A delivered, R return_in_transit return learnt").await;
    story.patch(json!({"returnAwb": story.awb("R")})).await;
    let order = story.is("return_in_transit: A delivered, R return_in_transit return").await;
    assert_eq!((&order["returnAwb"], &order["version"]), (&json!(story.awb("R")), &json!(3)));
    send(&back(story.report("R delivered", 50))).await;
    story.is("returned: A delivered, R returned return").await;
    story.told(&["delivered", "return_in_transit", "returned"]).await;
}

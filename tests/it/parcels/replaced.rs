//! Parcels that another one takes the place of.

use super::*;

#[tokio::test]
async fn late_scans_of_a_replaced_parcel_and_of_its_replacement() {
    let story = Story::with_parcel().await;
    story.reported("A in_transit", 1).await;
    story.name("B").await;
    story.is("processing: A in_transit replaced, B processing").await;
    story.reported("B delivered", 10).await;
    story.is("delivered: A in_transit replaced, B delivered").await;
    // Both happened before.
    story.reported("A out_for_delivery", 5).await;
    story.reported("B in_transit", 8).await;
    let order = story.is("delivered: A out_for_delivery replaced, B delivered").await;
    assert_eq!(
        entries(&order),
        [
            "AWB set",
            "delivered",
            "in_transit",
            "out_for_delivery replaced_parcel",
            "in_transit replaced_parcel"
        ]
    );
    story.told(&["in_transit", "processing", "delivered"]).await;
}

/// Whether the PATCH comes before or after the webhooks.
#[tokio::test]
async fn a_replacement_counts_from_its_first_scan() {
    let story = Story::with_parcel().await;
    story.reported("A in_transit", 1).await;
    story.reported("B picked_up", 4).await;
    story.is("picked_up: A in_transit, B picked_up learnt").await;
    story.reported("B out_for_delivery", 8).await;
    story.is("in_transit: A in_transit, B out_for_delivery learnt").await;
    story.name("B").await;
    story.is("out_for_delivery: A in_transit replaced, B out_for_delivery").await;
    story.told(&["in_transit", "picked_up", "in_transit", "out_for_delivery"]).await;
}

#[tokio::test]
async fn a_replaced_parcel_that_is_delivered_counts_again() {
    let story = Story::with_parcel().await;
    story.reported("A in_transit", 1).await;
    story.name("B").await;
    story.reported("B lost", 5).await;
    story.is("in_transit: A in_transit, B lost").await;
    story.reported("B in_transit", 7).await;
    story.is("in_transit: A in_transit replaced, B in_transit").await;
    story.reported("A delivered", 9).await;
    story.is("in_transit: A delivered, B in_transit").await;
    story.reported("B delivered", 10).await;
    story.is("delivered: A delivered, B delivered").await;
    story.told(&["in_transit", "processing", "in_transit", "delivered"]).await;
}

#[tokio::test]
async fn the_same_awb_again_after_none_changes_nothing() {
    let story = Story::with_parcel().await;
    story.reported("A in_transit", 1).await;
    let before = story.is("in_transit: A in_transit").await;
    story.patch(json!({"awb": null})).await;
    let without = story.is("in_transit: A in_transit").await;
    assert_eq!((&without["awb"], &without["version"]), (&json!(null), &before["version"]));
    story.name("A").await;
    let order = story.is("in_transit: A in_transit").await;
    assert_eq!((&order["awb"], &order["version"]), (&before["awb"], &before["version"]));
    story.reported("A delivered", 9).await;
    story.told(&["in_transit", "delivered"]).await;
}

#[tokio::test]
async fn another_awb_after_none_replaces_the_first() {
    let story = Story::with_parcel().await;
    story.reported("A in_transit", 1).await;
    story.patch(json!({"awb": null})).await;
    story.reported("A out_for_delivery", 3).await;
    story.is("out_for_delivery: A out_for_delivery").await;
    story.name("B").await;
    story.is("processing: A out_for_delivery replaced, B processing").await;
    story.name("A").await;
    story.is("out_for_delivery: A out_for_delivery, B processing replaced").await;
    story.told(&["in_transit", "out_for_delivery", "processing", "out_for_delivery"]).await;
}

#[tokio::test]
async fn the_carrier_reassigns_a_parcel_without_a_word_from_the_shop() {
    let story = Story::with_parcel().await;
    story.reported("A processing", 1).await;
    story.reported("B out_for_delivery", 5).await;
    story.is("out_for_delivery: A processing replaced, B out_for_delivery learnt").await;
    story.name("B").await;
    let order = story.is("out_for_delivery: A processing replaced, B out_for_delivery").await;
    assert_eq!(entries(&order)[1..], ["out_for_delivery", "processing replaced_parcel"]);
    story.told(&["processing", "out_for_delivery"]).await;
}

#[tokio::test]
async fn a_split_order_is_where_its_last_parcel_is() {
    let story = Story::with_parcel().await;
    story.add("B").await;
    story.is("pending: A pending, B processing").await;
    story.reported("A delivered", 5).await;
    story.is("picked_up: A delivered, B processing").await;
    story.reported("B in_transit", 6).await;
    story.is("in_transit: A delivered, B in_transit").await;
    story.reported("B delivered", 9).await;
    story.is("delivered: A delivered, B delivered").await;
    story.told(&["picked_up", "in_transit", "delivered"]).await;
}

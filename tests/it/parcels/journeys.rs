//! Parcels that come back after an end.

use super::*;

#[tokio::test]
async fn a_lost_parcel_is_found() {
    let story = Story::with_parcel().await;
    story.reported("A in_transit", 1).await;
    story.reported("A lost", 2).await;
    story.is("lost: A lost").await;
    story.reported("A out_for_delivery", 5).await;
    story.is("out_for_delivery: A out_for_delivery").await;
    story.reported("A delivered", 6).await;
    // A late scan from before the loss.
    story.reported("A picked_up", 0).await;
    let order = story.is("delivered: A delivered").await;
    assert_eq!(
        entries(&order),
        ["delivered", "out_for_delivery", "lost", "in_transit", "picked_up"]
    );
    story.told(&["in_transit", "lost", "out_for_delivery", "delivered"]).await;
}

#[tokio::test]
async fn a_parcel_that_the_carrier_cancelled_moves_again() {
    let story = Story::with_parcel().await;
    story.reported("A cancelled", 1).await;
    story.is("cancelled: A cancelled").await;
    // No movement.
    story.reported("A processing", 2).await;
    story.is("cancelled: A cancelled").await;
    story.reported("A picked_up", 3).await;
    let order = story.is("picked_up: A picked_up").await;
    assert_eq!(entries(&order), ["picked_up", "processing after_terminal", "cancelled"]);
    story.told(&["cancelled", "picked_up"]).await;
}

/// Whether the shop's word comes before or after the carrier's.
#[tokio::test]
async fn an_order_that_the_shop_cancelled_stays_cancelled() {
    for shop_first in [true, false] {
        let story = Story::with_parcel().await;
        if shop_first {
            story.says("cancelled", 2).await;
        }
        story.reported("A in_transit", 3).await;
        if !shop_first {
            story.is("in_transit: A in_transit").await;
            story.says("cancelled", 2).await;
        }
        let order = story.is("cancelled: A cancelled").await;
        assert_eq!(entries(&order), ["in_transit after_terminal", "cancelled"]);
        story.reported("A delivered", 9).await;
        story.is("delivered: A delivered").await;
        match shop_first {
            true => story.told(&["cancelled", "delivered"]).await,
            false => story.told(&["in_transit", "cancelled", "delivered"]).await,
        }
    }
}

#[tokio::test]
async fn an_order_that_both_cancelled_does_not_move_again() {
    let story = Story::with_parcel().await;
    story.reported("A cancelled", 1).await;
    story.says("cancelled", 2).await;
    story.reported("A in_transit", 3).await;
    let order = story.is("cancelled: A cancelled").await;
    assert_eq!(entries(&order), ["in_transit after_terminal", "cancelled same", "cancelled"]);
    story.told(&["cancelled"]).await;
}

#[tokio::test]
async fn a_withdrawn_report_takes_back_what_it_taught() {
    let story = Story::with_parcel().await;
    story.reported("A processing", 1).await;
    story.reported("B in_transit", 5).await;
    let order = story.is("in_transit: A processing replaced, B in_transit learnt").await;
    story.withdraw(order["timeline"][0]["reportId"].as_str().unwrap()).await;
    let order = story.is("processing: A processing").await;
    assert_eq!(entries(&order), ["Report withdrawn", "in_transit withdrawn", "processing"]);
    story.told(&["processing", "in_transit", "processing"]).await;
    // The AWB is free.
    let other = story.beside();
    other.create(json!({"awb": other.awb("B")})).await;
    other.is("pending: B pending").await;
}

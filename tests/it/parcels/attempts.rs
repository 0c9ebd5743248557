//! Failed delivery attempts.

use super::*;

#[tokio::test]
async fn each_attempt_is_told() {
    let story = Story::with_parcel().await;
    story.reported("A out_for_delivery", 1).await;
    story.reported("A undelivered", 2).await;
    story.is("undelivered: A undelivered x1").await;
    // The same attempt again.
    story.reported("A undelivered", 4).await;
    let order = story.is("undelivered: A undelivered x1").await;
    assert_eq!(entries(&order), ["undelivered same", "undelivered", "out_for_delivery"]);
    story.reported("A undelivered", 9).await;
    let order = story.is("undelivered: A undelivered x2").await;
    assert_eq!(order["deliveryAttempts"], 2);
    // A late scan: the second report was another attempt.
    story.reported("A out_for_delivery", 3).await;
    story.is("undelivered: A undelivered x2").await;
    story.reported("A delivered", 30).await;
    story.is("delivered: A delivered x2").await;
    let told = ["out_for_delivery", "undelivered x1", "undelivered x2", "delivered x2"];
    story.told(&told).await;
}

#[tokio::test]
async fn the_carriers_own_count_decides() {
    let story = Story::with_parcel().await;
    for (hour, count) in [(1, 1), (2, 2), (30, 2)] {
        let mut report = story.report("A undelivered", hour);
        report["delivery_attempt_count"] = json!(count);
        send(&report).await;
    }
    story.is("undelivered: A undelivered x2").await;
    story.told(&["undelivered x1", "undelivered x2"]).await;
}

//! The same request again: at once, and after weeks.

use std::time::Duration;

use aws::tables::inbound::EventState;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::core::id::EventId;
use domain::core::timestamp::Timestamp;
use futures::future::join_all;

use super::case::{Subject, settled};
use super::post::{Door, Post};
use super::surface::Surface;
use crate::support::{Calls, stack, unique};

const COPIES: usize = 16;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// All are answered 200, with one event's id, and one counts.
pub async fn copies_at_once_count_once(surface: &Surface) {
    let (subject, post) = prepared(surface).await;
    let answers = join_all((0..COPIES).map(|_| Door::Front.send(&post))).await;
    let ids: Vec<_> =
        answers.iter().map(|answer| (answer.status, &answer.json["event_id"])).collect();
    assert!(ids.iter().all(|id| *id == (200, ids[0].1)), "{ids:?}");
    let row =
        settled(&stack().events(&Calls::default()), surface, &post, &answers[0]).await.unwrap();
    assert_eq!(row.state, EventState::Processed);
    counted_once(&subject).await;
}

/// Providers send again for days; what they sent is known for 90.
pub async fn a_replay_after_31_days_counts_no_more(surface: &Surface) {
    let (subject, post) = prepared(surface).await;
    let events = stack().events(&Calls::default());
    let first = Door::Front.send(&post).await;
    let row = settled(&events, surface, &post, &first).await.unwrap();
    counted_once(&subject).await;

    let then = before(row.received_at, 31 * DAY);
    assert!(
        age(&row.id, 31 * DAY, then).await > aws::clock::now().seconds(),
        "the row would be gone by now"
    );
    let again = Door::Front.send(&post).await;
    assert_eq!((again.status, &again.json["event_id"]), (200, &first.json["event_id"]));
    let row = events.load(&row.id).await.unwrap().unwrap();
    assert_eq!((row.state, row.received_at), (EventState::Processed, then));
    counted_once(&subject).await;
}

async fn prepared(surface: &Surface) -> (Subject, Post) {
    let tag = unique("");
    let subject = surface.subject(&tag);
    subject.make().await;
    (subject, surface.good(&tag))
}

async fn counted_once(subject: &Subject) {
    let order = subject.seen().await;
    let (shown, version, entries) = match &subject.message {
        Some(_) => (&order["latestMessageStatus"], 1, 0),
        None => (&order["status"], 2, 1),
    };
    let timeline = order["timeline"].as_array().unwrap();
    assert_eq!((shown.as_str(), timeline.len()), (Some(subject.moved), entries), "{order}");
    assert_eq!(order["version"], version);
}

fn before(time: Timestamp, how_long: Duration) -> Timestamp {
    Timestamp::from_millis(time.millis() - i64::try_from(how_long.as_millis()).unwrap()).unwrap()
}

/// Makes a row so much older. Tells when it ends, in seconds since 1970.
async fn age(id: &EventId, by: Duration, then: Timestamp) -> i64 {
    let seconds = AttributeValue::N(format!("-{}", by.as_secs()));
    let update =
        stack().dynamodb(&Calls::default()).update_item().table_name(&stack().tables["inbound"]);
    let update = update
        .key("pk", AttributeValue::S(id.as_str().to_owned()))
        .key("sk", AttributeValue::S("event".to_owned()))
        .update_expression("SET received_at = :then ADD #ttl :seconds")
        .expression_attribute_names("#ttl", "ttl")
        .expression_attribute_values(":then", AttributeValue::S(then.to_string()))
        .expression_attribute_values(":seconds", seconds)
        .return_values("ALL_NEW".into());
    let row = update.send().await.unwrap().attributes.unwrap();
    row["ttl"].as_n().unwrap().parse().unwrap()
}

//! `GET /api/queues`: how many messages each queue has.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::{Calls, eventually, stack, unique};

async fn queues() -> Vec<Value> {
    let answer = stack().user("admin", "GET", "/api/queues", None).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
    answer.json["items"].as_array().unwrap().clone()
}

fn named<'a>(queues: &'a [Value], name: &str) -> &'a Value {
    queues.iter().find(|queue| queue["name"] == name).unwrap()
}

#[tokio::test]
async fn counts_the_messages_of_each_queue() {
    let all = queues().await;
    let names: BTreeSet<_> = all.iter().map(|queue| queue["name"].as_str().unwrap()).collect();
    // An update for sockets is in its queue for a minute at most.
    let known = stack().queues.keys().map(String::as_str).filter(|name| *name != "live");
    let known: BTreeSet<_> = known.collect();
    assert_eq!(names, known);

    // Of this queue no test takes messages.
    let before = named(&all, "failed_invocations_dlq")["waiting"].as_u64().unwrap();
    let sqs = stack().sqs(&Calls::default());
    let url = &stack().queues["failed_invocations_dlq"];
    let body = unique("counted-");
    sqs.send_message().queue_url(url).message_body(&body).send().await.unwrap();
    eventually("one message more", async || {
        let waiting = named(&queues().await, "failed_invocations_dlq")["waiting"].as_u64()?;
        (waiting > before).then_some(())
    })
    .await;
}

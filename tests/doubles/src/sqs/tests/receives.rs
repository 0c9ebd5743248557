use super::*;

#[test]
fn hides_a_received_message_for_the_visibility_timeout() {
    let mut queue = Fixture::new();
    queue.send("a", NOW);
    let first = queue.receive_one(NOW);
    assert_eq!((first.receive_count, first.sent_at), (1, NOW));
    assert!(queue.receive(NOW + 60 * SECOND - 1).is_empty());
    assert_eq!(queue.sqs.in_flight("q", NOW + 1), 1);
    assert_eq!(queue.sqs.next_visible_at("q"), Some(NOW + 60 * SECOND));
    let again = queue.receive_one(NOW + 60 * SECOND);
    assert_eq!((again.receive_count, again.first_received_at), (2, NOW));
    assert_eq!(again.message_id, first.message_id);
    assert_ne!(again.receipt, first.receipt);
}

#[test]
fn deletes_with_the_latest_receipt() {
    let mut queue = Fixture::new();
    queue.send("a", NOW);
    let old = queue.receive_one(NOW);
    let latest = queue.receive_one(NOW + 60 * SECOND);
    queue.sqs.delete("q", &old.receipt, NOW + 61 * SECOND);
    assert_eq!(queue.count("q"), 1);
    queue.sqs.delete("q", &latest.receipt, NOW + 61 * SECOND);
    assert_eq!(queue.sqs.next_visible_at("q"), None);
}

#[test]
fn deletes_with_an_old_receipt_that_still_works() {
    let mut queue = Fixture::with_chances(Chances { old_receipt: 1.0, ..Chances::default() });
    queue.send("a", NOW);
    let old = queue.receive_one(NOW);
    queue.receive_one(NOW + 60 * SECOND);
    queue.sqs.delete("q", &old.receipt, NOW + 61 * SECOND);
    assert_eq!(queue.count("q"), 0);
}

#[test]
fn deletes_a_message_after_its_visibility_timeout() {
    let mut queue = Fixture::new();
    queue.send("a", NOW);
    let received = queue.receive_one(NOW);
    queue.sqs.delete("q", &received.receipt, NOW + 300 * SECOND);
    assert_eq!(queue.count("q"), 0);
}

#[test]
fn delivers_a_delayed_message_when_it_is_due() {
    let mut queue = Fixture::new();
    let request = json!({"MessageBody": "late", "DelaySeconds": 900});
    queue.call("SendMessage", request, NOW).unwrap();
    queue.send("now", NOW + 1);
    assert_eq!(bodies(&queue.receive(NOW + 1)), ["now"]);
    assert!(queue.receive(NOW + 899 * SECOND).iter().all(|received| received.body == "now"));
    assert!(bodies(&queue.receive(NOW + 900 * SECOND)).contains(&"late"));
}

#[test]
fn moves_a_message_to_the_dead_letter_queue_after_its_receives() {
    let mut queue = Fixture::new();
    let attribute = json!({"reason": {"DataType": "String", "StringValue": "bug"}});
    let request =
        json!({"MessageBody": "a", "MessageGroupId": "g", "MessageAttributes": attribute});
    queue.call("SendMessage", request, NOW).unwrap();
    let mut now = NOW;
    for _ in 0..3 {
        queue.receive_one(now);
        now += DAY;
    }
    assert!(queue.receive(now).is_empty());
    assert_eq!((queue.count("q"), queue.count("dlq")), (0, 1));
    let dead = queue.receive_from("dlq", now).remove(0);
    assert_eq!((dead.sent_at, dead.receive_count, dead.group.as_deref()), (NOW, 4, Some("g")));
    assert_eq!(Value::Object(dead.attributes.clone()), attribute);
    assert_eq!(dead.system_attributes()["DeadLetterQueueSourceArn"], queue_arn("q"));
    // It was sent three days ago, and is kept for four.
    assert_eq!(queue.receive_from("dlq", NOW + 4 * DAY - 1).len(), 1);
    assert!(queue.receive_from("dlq", NOW + 5 * DAY).is_empty());
    assert_eq!(queue.count("dlq"), 0);
}

#[test]
fn a_dead_letter_takes_no_place_in_the_batch() {
    let mut queue = Fixture::new();
    queue.send("dead", NOW);
    for receive in 0..3 {
        queue.receive_one(NOW + receive * 60 * SECOND);
    }
    queue.send("next", NOW + 170 * SECOND);
    let received = queue.sqs.receive(
        "q",
        1,
        NOW + 180 * SECOND,
        &Chances::default(),
        &mut fastrand::Rng::with_seed(1),
    );
    assert_eq!((bodies(&received), queue.count("dlq")), (vec!["next"], 0));
    assert!(queue.receive(NOW + 180 * SECOND).is_empty());
    assert_eq!(queue.count("dlq"), 1);
}

#[test]
fn deletes_messages_at_the_end_of_the_retention() {
    let mut queue = Fixture::new();
    queue.send("old", NOW);
    queue.send("new", NOW + DAY);
    assert_eq!(bodies(&queue.receive(NOW + 4 * DAY)), ["new"]);
    assert_eq!(queue.count("q"), 1);
    assert_eq!(queue.sqs.next_visible_at("q"), Some(NOW + 4 * DAY + 60 * SECOND));
}

#[test]
fn delivers_a_duplicate_once_more_even_after_its_deletion() {
    let mut repeated_after_deletion = 0;
    for seed in 0..100 {
        let mut queue = Fixture::with_chances(Chances { duplicate: 1.0, ..Chances::default() });
        queue.rng = fastrand::Rng::with_seed(seed);
        queue.send("a", NOW);
        let first = queue.receive_one(NOW);
        queue.sqs.delete("q", &first.receipt, NOW);
        queue.chances = Chances::default();
        let again = queue.sqs.next_visible_at("q").unwrap();
        assert!((NOW..=NOW + 120 * SECOND).contains(&again));
        repeated_after_deletion += u32::from(again > NOW);
        let second = queue.receive_one(again);
        assert_eq!((second.message_id, second.receive_count), (first.message_id, 2));
        queue.sqs.delete("q", &second.receipt, again);
        assert_eq!(queue.count("q"), 0);
    }
    assert!((20..80).contains(&repeated_after_deletion));
}

#[test]
fn a_batch_has_no_message_twice() {
    let mut queue = Fixture::with_chances(Chances { duplicate: 1.0, ..Chances::default() });
    for body in ["a", "b", "c"] {
        queue.send(body, NOW);
    }
    assert_eq!(bodies(&queue.receive(NOW)), ["a", "b", "c"]);
}

#[test]
fn receives_in_another_order() {
    let sent: Vec<String> = (0..10).map(|number| number.to_string()).collect();
    let receive = |reorder| {
        let mut queue = Fixture::with_chances(Chances { reorder, ..Chances::default() });
        sent.iter().for_each(|body| queue.send(body, NOW));
        queue.receive(NOW).into_iter().map(|received| received.body).collect::<Vec<_>>()
    };
    assert_eq!(receive(0.0), sent);
    let mut received = receive(1.0);
    assert_ne!(received, sent);
    received.sort();
    assert_eq!(received, sent);
}

#[test]
fn receives_fewer_messages_than_are_due() {
    let mut queue = Fixture::with_chances(Chances { short_batch: 1.0, ..Chances::default() });
    queue.send("a", NOW);
    queue.send("b", NOW);
    assert!(queue.receive(NOW).len() < 2);
}

#[test]
fn receives_nothing_while_too_many_messages_are_in_flight() {
    let mut queue = Fixture::new();
    queue.sqs = queue.sqs.with_max_in_flight(2);
    for body in ["a", "b", "c"] {
        queue.send(body, NOW);
    }
    let received = queue.sqs.receive("q", 2, NOW, &queue.chances, &mut queue.rng);
    assert_eq!(received.len(), 2);
    assert!(queue.receive(NOW).is_empty());
    assert_eq!(code(queue.call("ReceiveMessage", json!({}), NOW)), "OverLimit");
    let long_poll = queue.call("ReceiveMessage", json!({"WaitTimeSeconds": 20}), NOW).unwrap();
    assert_eq!(long_poll, json!({}));
    queue.sqs.delete("q", &received[0].receipt, NOW);
    assert_eq!(bodies(&queue.receive(NOW)), ["c"]);
}

#[test]
fn equal_seeds_give_equal_runs() {
    let run = || {
        let chances = Chances { duplicate: 0.3, reorder: 0.3, short_batch: 0.3, old_receipt: 0.5 };
        let mut queue = Fixture::with_chances(chances);
        let mut story = Vec::new();
        for step in 0..200_u64 {
            queue.send(&format!("message {step}"), NOW + step * SECOND);
            story.extend(queue.receive(NOW + step * SECOND));
        }
        story
    };
    let story = run();
    assert!(story.len() > 200);
    assert_eq!(story, run());
}

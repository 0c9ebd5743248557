use super::*;

#[test]
fn changes_the_visibility_from_now_on() {
    let mut queue = Fixture::new();
    queue.send("a", NOW);
    let received = queue.receive_one(NOW);
    queue.hide(&received, 300, NOW + 10 * SECOND).unwrap();
    assert_eq!(queue.sqs.next_visible_at("q"), Some(NOW + 310 * SECOND));
    queue.hide(&received, 0, NOW + 20 * SECOND).unwrap();
    assert_eq!(queue.receive_one(NOW + 20 * SECOND).receive_count, 2);
    // The next receive has the visibility timeout of the queue again.
    assert_eq!(queue.sqs.next_visible_at("q"), Some(NOW + 80 * SECOND));
}

#[test]
fn rejects_a_visibility_beyond_twelve_hours_from_the_receive() {
    let mut queue = Fixture::new();
    queue.send("a", NOW);
    let received = queue.receive_one(NOW);
    queue.hide(&received, 43_200, NOW).unwrap();
    assert_eq!(code(queue.hide(&received, 43_200, NOW + 1)), "InvalidParameterValue");
    queue.hide(&received, 43_199, NOW + SECOND).unwrap();
    assert_eq!(code(queue.hide(&received, 43_201, NOW)), "InvalidParameterValue");
}

#[test]
fn rejects_a_visibility_of_a_message_that_is_not_in_flight() {
    let mut queue = Fixture::new();
    queue.send("a", NOW);
    let received = queue.receive_one(NOW);
    let late = NOW + 60 * SECOND;
    let not_in_flight = "AWS.SimpleQueueService.MessageNotInflight";
    assert_eq!(code(queue.hide(&received, 10, late)), not_in_flight);
    let again = queue.receive_one(late);
    assert_eq!(code(queue.hide(&received, 10, late)), "InvalidParameterValue");
    queue.sqs.delete("q", &again.receipt, late);
    assert_eq!(code(queue.hide(&again, 10, late)), "InvalidParameterValue");
    let malformed = json!({"ReceiptHandle": "?", "VisibilityTimeout": 1});
    assert_eq!(
        code(queue.call("ChangeMessageVisibility", malformed, late)),
        "ReceiptHandleIsInvalid"
    );
}

#[test]
fn an_error_has_the_code_that_the_sdk_reads() {
    let mut queue = Fixture::new();
    let request = json!({"QueueUrl": queue_url("other"), "MessageBody": "a"});
    let failure = queue.call("SendMessage", request, NOW).unwrap_err();
    let header = "AWS.SimpleQueueService.NonExistentQueue;Sender";
    assert_eq!(failure.query_error.as_deref(), Some(header));
    assert_eq!(failure.body()["__type"], "com.amazonaws.sqs#QueueDoesNotExist");
}

#[test]
fn rejects_messages_beyond_the_limits() {
    let mut queue = Fixture::new();
    let valid = json!({"MessageBody": "x".repeat(1_048_576), "DelaySeconds": 900});
    assert!(queue.call("SendMessage", valid, NOW).is_ok());
    let invalid = "InvalidParameterValue";
    let group = "g".repeat(129);
    let attribute = json!({"a": {"DataType": "String", "StringValue": ""}});
    let long_attribute = json!({"a": {"DataType": "String", "StringValue": "x".repeat(1_048_570)}});
    for (request, expected) in [
        (json!({"MessageBody": "x".repeat(1_048_577)}), invalid),
        (json!({"MessageBody": "x", "MessageAttributes": long_attribute}), invalid),
        (json!({"MessageBody": "x", "MessageAttributes": attribute}), invalid),
        (json!({"MessageBody": "x", "DelaySeconds": 901}), invalid),
        (json!({"MessageBody": "x", "DelaySeconds": -1}), invalid),
        (json!({"MessageBody": "x", "MessageGroupId": group}), invalid),
        (json!({"MessageBody": "x", "MessageGroupId": "a b"}), invalid),
        (json!({"MessageBody": ""}), "MissingParameter"),
        (json!({"MessageBody": "a\u{ffff}"}), "InvalidMessageContents"),
        (json!({"MessageBody": "a\u{0}"}), "InvalidMessageContents"),
    ] {
        assert_eq!(code(queue.call("SendMessage", request, NOW)), expected);
    }
    assert_eq!(queue.count("q"), 1);
}

#[test]
fn accepts_every_character_of_xml() {
    let mut queue = Fixture::new();
    queue.send("\t\n\r \u{d7ff}\u{e000}\u{fffd}\u{10000}\u{10ffff}", NOW);
    assert_eq!(queue.count("q"), 1);
}

fn batch(ids: &[&str]) -> Value {
    let entries: Vec<Value> =
        ids.iter().map(|id| json!({"Id": id, "MessageBody": format!("body {id}")})).collect();
    json!({ "Entries": entries })
}

#[test]
fn sends_the_valid_entries_of_a_batch() {
    let mut queue = Fixture::new();
    let mut request = batch(&["0", "1", "2"]);
    request["Entries"][1]["MessageBody"] = "\u{fffe}".into();
    let answer = queue.call("SendMessageBatch", request, NOW).unwrap();
    let failed = &answer["Failed"];
    assert_eq!(
        (&failed[0]["Id"], &failed[0]["Code"]),
        (&json!("1"), &json!("InvalidMessageContents"))
    );
    let sent: Vec<&Value> =
        answer["Successful"].as_array().unwrap().iter().map(|entry| &entry["Id"]).collect();
    assert_eq!(sent, ["0", "2"]);
    assert_eq!(bodies(&queue.receive(NOW)), ["body 0", "body 2"]);
}

#[test]
fn rejects_a_batch_as_a_whole() {
    let mut queue = Fixture::new();
    let eleven: Vec<String> = (0..11).map(|number| number.to_string()).collect();
    let eleven: Vec<&str> = eleven.iter().map(String::as_str).collect();
    let mut long = batch(&["0", "1"]);
    long["Entries"][0]["MessageBody"] = "x".repeat(600_000).into();
    long["Entries"][1]["MessageBody"] = "x".repeat(600_000).into();
    for (request, expected) in [
        (batch(&[]), "EmptyBatchRequest"),
        (batch(&eleven), "TooManyEntriesInBatchRequest"),
        (batch(&["a", "a"]), "BatchEntryIdsNotDistinct"),
        (batch(&["a b"]), "InvalidBatchEntryId"),
        (long, "BatchRequestTooLong"),
    ] {
        let code = code(queue.call("SendMessageBatch", request, NOW));
        assert_eq!(code, format!("AWS.SimpleQueueService.{expected}"));
    }
    assert_eq!(queue.count("q"), 0);
}

#[test]
fn deletes_the_entries_of_a_batch() {
    let mut queue = Fixture::new();
    queue.send("a", NOW);
    queue.send("b", NOW);
    let received = queue.receive(NOW);
    let entries = json!([
        {"Id": "0", "ReceiptHandle": received[0].receipt},
        {"Id": "1", "ReceiptHandle": "?"},
    ]);
    let answer = queue.call("DeleteMessageBatch", json!({"Entries": entries}), NOW).unwrap();
    assert_eq!(answer["Successful"], json!([{"Id": "0"}]));
    assert_eq!(answer["Failed"][0]["Code"], "ReceiptHandleIsInvalid");
    assert_eq!(queue.sqs.messages("q").map(|message| &message.body).collect::<Vec<_>>(), ["b"]);
    let receipt = json!({"ReceiptHandle": received[1].receipt});
    queue.call("DeleteMessage", receipt.clone(), NOW).unwrap();
    assert_eq!(queue.count("q"), 0);
    assert!(queue.call("DeleteMessage", receipt, NOW).is_ok());
}

#[test]
fn receive_message_answers_with_the_attributes_it_is_asked_for() {
    let mut queue = Fixture::new();
    assert_eq!(queue.call("ReceiveMessage", json!({}), NOW).unwrap(), json!({}));
    let attribute = json!({"DataType": "String", "StringValue": "bug"});
    let request = json!({"MessageBody": "a", "MessageAttributes": {"reason": attribute}});
    queue.call("SendMessage", request, NOW).unwrap();
    let request = json!({"VisibilityTimeout": 0, "MaxNumberOfMessages": 10});
    let plain = queue.call("ReceiveMessage", request, NOW).unwrap();
    assert_eq!(plain["Messages"].as_array().unwrap().len(), 1);
    assert_eq!(plain["Messages"][0]["Attributes"], json!({}));
    let request = json!({
        "MessageSystemAttributeNames": ["ApproximateReceiveCount"],
        "MessageAttributeNames": ["All"],
    });
    let full = queue.call("ReceiveMessage", request, NOW).unwrap();
    assert_eq!(full["Messages"][0]["Attributes"], json!({"ApproximateReceiveCount": "2"}));
    assert_eq!(full["Messages"][0]["MessageAttributes"], json!({"reason": attribute}));
    assert_eq!(full["Messages"][0]["MD5OfBody"], "0cc175b9c0f1b6a831c399e269772661");
    let request = json!({"MaxNumberOfMessages": 11});
    assert_eq!(code(queue.call("ReceiveMessage", request, NOW)), "InvalidParameterValue");
}

#[test]
fn a_record_has_what_lambda_shows_a_function() {
    let mut queue = Fixture::new();
    let attribute = json!({"reason": {"DataType": "String", "StringValue": "bug"}});
    let request =
        json!({"MessageBody": "a", "MessageGroupId": "g", "MessageAttributes": attribute});
    queue.call("SendMessage", request, NOW).unwrap();
    let record = queue.receive_one(NOW).to_record("q");
    assert_eq!(record["attributes"]["ApproximateReceiveCount"], "1");
    assert_eq!(record["attributes"]["MessageGroupId"], "g");
    assert_eq!(record["messageAttributes"]["reason"]["stringValue"], "bug");
    assert_eq!(record["eventSourceARN"], "arn:aws:sqs:us-east-1:000000000000:q");
}

#[test]
fn counts_visible_hidden_and_delayed_messages() {
    let mut queue = Fixture::new();
    queue.send("hidden", NOW);
    queue.receive_one(NOW);
    queue.send("visible", NOW);
    let delayed = json!({"MessageBody": "delayed", "DelaySeconds": 60});
    queue.call("SendMessage", delayed, NOW).unwrap();
    let request = json!({"AttributeNames": ["All"]});
    let answer = queue.call("GetQueueAttributes", request, NOW).unwrap();
    let attributes = &answer["Attributes"];
    for suffix in ["", "NotVisible", "Delayed"] {
        assert_eq!(attributes[format!("ApproximateNumberOfMessages{suffix}")], "1");
    }
    assert_eq!(attributes["VisibilityTimeout"], "60");
    assert!(attributes["RedrivePolicy"].as_str().unwrap().contains(&queue_arn("dlq")));
    let request = json!({"AttributeNames": ["Colour"]});
    assert_eq!(code(queue.call("GetQueueAttributes", request, NOW)), "InvalidAttributeName");
}

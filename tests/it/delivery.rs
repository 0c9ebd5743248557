//! What `deliver` does when receivers fail: driven through its queue, seen at the receiver, in rows and dead letters.

use std::collections::HashMap;

use aws::error::IoError;
use aws::lambda::sqs_batch::{RecordOutcome, Worker};
use aws::sqs::Queue;
use aws::tables::inbound::EventState;
use aws_lambda_events::event::sqs::SqsEvent;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_sqs::types::MessageSystemAttributeName;
use domain::core::timestamp::Timestamp;
use domain::webhooks::delivery::Delivery;
use domain::webhooks::endpoint::{EventType, Format};
use domain::webhooks::signing::SigningKeys;
use serde_json::{Value, json};

use crate::crash::{keep_for, work};
use crate::main_way::Parcel;
use crate::support::{Calls, Received, eventually, stack, unique};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// An endpoint of its own, that no account's orders go to.
pub struct Endpoint {
    name: String,
    path: String,
}

impl Endpoint {
    pub async fn new(settings: Value, answers: Value) -> Self {
        let name = unique("t-");
        let endpoint = Self { path: format!("/{name}"), name };
        stack().answers(&endpoint.path, answers).await;
        endpoint.set("secret", SECRET).await;
        endpoint.set("settings", &settings.to_string()).await;
        endpoint.set("url", &format!("{}{}", stack().receiver_url, endpoint.path)).await;
        endpoint
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub async fn set(&self, part: &str, value: &str) {
        let ssm = stack().ssm(&Calls::default());
        let put = ssm
            .put_parameter()
            .name(format!("/waypost/local/endpoints/{}/{part}", self.name))
            .value(value);
        let secret = part.ends_with("secret");
        put.overwrite(true)
            .r#type(if secret { "SecureString" } else { "String" }.into())
            .send()
            .await
            .unwrap();
    }

    fn delivery(&self) -> Delivery {
        let message = json!({
            "v": 1, "id": unique("msg_"), "run": 1, "endpoint": self.name, "format": "standard", "account": "STORE001",
            "order_id": "O-1", "version": 2, "body": json!({"tag": unique("tag-")}).to_string(),
        });
        Delivery::from_message(&message.to_string()).unwrap()
    }

    pub async fn received(&self, count: usize) -> Vec<Received> {
        eventually(&format!("{count} requests on {}", self.path), async || {
            Some(self.so_far().await).filter(|received| received.len() >= count)
        })
        .await
    }

    async fn so_far(&self) -> Vec<Received> {
        let all = stack().received("").await;
        all.into_iter().filter(|request| request.path == self.path).collect()
    }
}

/// Every endpoint there is makes every function read more. A failing test removes its own too.
impl Drop for Endpoint {
    fn drop(&mut self) {
        let names = ["url", "settings", "secret", "legacy_secret"];
        let names = names.map(|part| format!("/waypost/local/endpoints/{}/{part}", self.name));
        let remove = async {
            let ssm = stack().ssm(&Calls::default());
            ssm.delete_parameters().set_names(Some(names.to_vec())).send().await.unwrap();
        };
        let runtime =
            || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        std::thread::scope(|scope| scope.spawn(|| runtime().block_on(remove)).join()).unwrap();
    }
}

async fn queue(delivery: &Delivery) {
    stack().queue("deliveries", &Calls::default()).send(delivery.to_message()).await.unwrap();
}

async fn row(id: &str) -> HashMap<String, AttributeValue> {
    let get =
        stack().dynamodb(&Calls::default()).get_item().table_name(&stack().tables["deliveries"]);
    let answer =
        get.key("pk", AttributeValue::S(id.to_owned())).consistent_read(true).send().await.unwrap();
    answer.item.unwrap_or_default()
}

fn text<'a>(row: &'a HashMap<String, AttributeValue>, name: &str) -> &'a str {
    row.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str)
}

fn attempts(row: &HashMap<String, AttributeValue>) -> Vec<Value> {
    let log = row["attempt_log"].as_l().unwrap().iter();
    log.map(|attempt| serde_json::from_str(attempt.as_s().unwrap()).unwrap()).collect()
}

async fn row_in(id: &str, state: &str) -> HashMap<String, AttributeValue> {
    eventually(&format!("{id} {state}"), async || {
        Some(row(id).await).filter(|row| text(row, "state") == state)
    })
    .await
}

/// Takes the dead letter of one delivery out of the queue, leaving those of other tests.
async fn dead_letter(id: &str) -> (Delivery, String) {
    let sqs = stack().sqs(&Calls::default());
    let url = &stack().queues["deliveries_dlq"];
    eventually(&format!("the dead letter of {id}"), async || {
        let receive =
            sqs.receive_message().queue_url(url).max_number_of_messages(10).visibility_timeout(1);
        let receive = receive.message_attribute_names("All");
        let batch = receive
            .message_system_attribute_names(MessageSystemAttributeName::MessageGroupId)
            .send()
            .await;
        for message in batch.unwrap().messages() {
            let body = message.body().unwrap();
            if body.contains(id) {
                let receipt = message.receipt_handle().unwrap();
                sqs.delete_message().queue_url(url).receipt_handle(receipt).send().await.unwrap();
                let reason = &message.message_attributes().unwrap()["reason"];
                let letter = Delivery::from_message(body).unwrap();
                let group =
                    message.attributes().unwrap().get(&MessageSystemAttributeName::MessageGroupId);
                assert_eq!(group.map(String::as_str), Some(letter.endpoint.as_str()));
                return Some((letter, reason.string_value().unwrap().to_owned()));
            }
        }
        None
    })
    .await
}

#[tokio::test]
async fn a_failed_attempt_is_repeated_with_the_same_id_and_body() {
    let answers = json!([{"status": 500, "body": "canary-excerpt <b>no way</b>"}, {"status": 429}, {"status": 200}]);
    let endpoint = Endpoint::new(json!({"backoff": [1, 2], "timeout_seconds": 5}), answers).await;
    let delivery = endpoint.delivery();
    queue(&delivery).await;
    let received = endpoint.received(3).await;
    let row = row_in(&delivery.id, "delivered").await;
    let keys = SigningKeys::parse(SECRET).unwrap();
    for request in &received {
        assert_eq!((request.id(), &request.body), (delivery.id.as_str(), &delivery.body));
        let seconds: i64 = request.headers["webhook-timestamp"].parse().unwrap();
        let at = Timestamp::from_millis(seconds * 1000).unwrap();
        assert_eq!(
            request.headers["webhook-signature"],
            keys.sign(&delivery.id, at, delivery.body.as_bytes())
        );
    }
    let stamps: Vec<i64> =
        received.iter().map(|r| r.headers["webhook-timestamp"].parse().unwrap()).collect();
    assert!(
        stamps[0] < stamps[1] && stamps[1] < stamps[2],
        "each attempt has its own time: {stamps:?}"
    );
    let log = attempts(&row);
    let codes: Vec<_> = log.iter().map(|attempt| attempt["status"].as_u64().unwrap()).collect();
    assert_eq!(
        (codes, &log[0]["excerpt"]),
        (vec![500, 429, 200], &json!("canary-excerpt <b>no way</b>"))
    );
    assert!(
        row.contains_key("ttl") && !row.contains_key("owner") && !row.contains_key("lease_until")
    );
}

#[tokio::test]
async fn a_header_says_which_event_it_is_as_the_row_has_it() {
    for (event, name) in
        [(EventType::Stalled, "order.stalled"), (EventType::StatusChanged, "order.status_changed")]
    {
        let endpoint =
            Endpoint::new(json!({"backoff": [0]}), json!([{"status": 500}, {"status": 200}])).await;
        let first = Delivery { format: Format::OrderStatusChanged, event, ..endpoint.delivery() };
        let again = Delivery { event: EventType::default(), ..first.clone() };
        let deadline = aws::clock::now().after(std::time::Duration::from_secs(60));
        for delivery in [&first, &again] {
            stack().deliver().handle(&delivery.to_message(), deadline).await.unwrap();
        }
        let events: Vec<_> =
            endpoint.so_far().await.iter().map(|r| r.headers["x-webhook-event"].clone()).collect();
        assert_eq!(events, [name, name]);
        assert_eq!(text(&row_in(&first.id, "delivered").await, "event"), name);
    }
}

#[tokio::test]
async fn what_is_final_goes_to_the_dead_letters_at_once() {
    for (answer, reason) in [
        (json!({"status": 400}), "rejected"),
        (
            json!({"status": 302, "headers": {"location": format!("{}/elsewhere", stack().receiver_url)}}),
            "redirect",
        ),
        (json!({"status": 410}), "gone"),
    ] {
        let endpoint = Endpoint::new(json!({"backoff": [1]}), json!([answer])).await;
        let delivery = endpoint.delivery();
        queue(&delivery).await;
        let (letter, why) = dead_letter(&delivery.id).await;
        assert_eq!((why.as_str(), letter.run, &letter.body), (reason, 2, &delivery.body));
        let row = row_in(&delivery.id, "dead").await;
        assert_eq!((text(&row, "reason"), endpoint.so_far().await.len()), (reason, 1));
        assert!(stack().received("").await.iter().all(|request| request.path != "/elsewhere"));
    }
}

#[tokio::test]
async fn a_dead_delivery_that_is_sent_again_starts_anew() {
    let endpoint = Endpoint::new(
        json!({"retry_count": 1, "backoff": [1]}),
        json!([{"status": 500}, {"status": 503}]),
    )
    .await;
    let delivery = endpoint.delivery();
    queue(&delivery).await;
    let (letter, reason) = dead_letter(&delivery.id).await;
    assert_eq!((reason.as_str(), endpoint.so_far().await.len()), ("exhausted", 2));
    row_in(&delivery.id, "dead").await;

    // A late duplicate of the message that died does nothing; the dead letter does.
    queue(&delivery).await;
    queue(&letter).await;
    queue(&letter).await;
    let row = row_in(&delivery.id, "delivered").await;
    assert_eq!(
        (row["run"].as_n().unwrap().as_str(), row["attempts"].as_n().unwrap().as_str()),
        ("2", "1")
    );
    assert_eq!(endpoint.received(3).await.len(), 3);
}

#[tokio::test]
async fn a_receiver_that_does_not_answer_is_not_waited_for() {
    let answers = json!([{"status": 200, "delay_ms": 3000}, {"status": 200}]);
    let endpoint = Endpoint::new(json!({"timeout_seconds": 1, "backoff": [1]}), answers).await;
    let delivery = endpoint.delivery();
    queue(&delivery).await;
    let log = attempts(&row_in(&delivery.id, "delivered").await);
    assert_eq!((&log[0]["error"], &log[1]["status"]), (&json!("timeout"), &json!(200)));
}

#[tokio::test]
async fn a_receiver_that_refuses_or_resets_is_tried_to_the_end() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let resetting = listener.local_addr().unwrap();
    let accepting = tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    for (port, error) in [(1, "connect"), (resetting.port(), "closed")] {
        let endpoint = Endpoint::new(json!({"backoff": [1], "retry_count": 2}), json!([])).await;
        endpoint.set("url", &format!("http://127.0.0.1:{port}/")).await;
        let delivery = endpoint.delivery();
        queue(&delivery).await;
        let (letter, reason) = dead_letter(&delivery.id).await;
        assert_eq!((letter.run, reason.as_str()), (2, "exhausted"));
        let log = attempts(&row_in(&delivery.id, "dead").await);
        let errors: Vec<_> = log.iter().map(|attempt| attempt["error"].as_str().unwrap()).collect();
        assert_eq!(errors, [error; 3]);
    }
    accepting.abort();
}

#[tokio::test]
async fn a_receiver_that_asks_for_time_gets_it() {
    let answers = json!([{"status": 429, "headers": {"retry-after": "3"}}, {"status": 200}]);
    let endpoint = Endpoint::new(json!({"backoff": [1]}), answers).await;
    let delivery = endpoint.delivery();
    queue(&delivery).await;
    let log = attempts(&row_in(&delivery.id, "delivered").await);
    let at = |index: usize| Timestamp::parse(log[index]["at"].as_str().unwrap()).unwrap();
    assert!(at(1).since(at(0)) >= std::time::Duration::from_secs(3), "{log:?}");
}

/// Ten records of one batch: a panic and a body nobody understands hurt none of the others.
#[tokio::test]
async fn bad_neighbours_in_a_batch() {
    let endpoint = Endpoint::new(json!({}), json!([])).await;
    let mut bodies: Vec<String> = (0..8).map(|_| endpoint.delivery().to_message()).collect();
    let poison = unique("poison ");
    bodies.insert(2, "panic".to_owned());
    bodies.insert(5, poison.clone());
    let records: Vec<Value> = bodies.iter().enumerate().map(|(index, body)| {
        json!({"messageId": index.to_string(), "receiptHandle": "not a receipt", "body": body, "attributes": {}, "messageAttributes": {}})
    }).collect();
    let batch: SqsEvent = serde_json::from_value(json!({"Records": records})).unwrap();
    let (deliver, far) = (stack().deliver(), Timestamp::parse("9999-01-01T00:00:00Z").unwrap());
    let response = stack()
        .worker()
        .run(batch, async |message| {
            assert!(message != "panic", "a record may panic");
            deliver.handle(message, far).await
        })
        .await;
    let failed: Vec<_> = response
        .batch_item_failures
        .iter()
        .map(|failure| failure.item_identifier.as_str())
        .collect();
    assert_eq!(failed, ["2"]);
    assert_eq!(endpoint.so_far().await.len(), 8);
    poison_letter(&poison).await;
}

#[tokio::test]
async fn what_a_bug_stops_is_set_aside_in_its_group() {
    let sqs = stack().sqs(&Calls::default());
    let created = sqs.create_queue().queue_name(unique("aside-")).send().await.unwrap();
    let url = created.queue_url.unwrap();
    let worker = Worker { dead_letters: Queue::new(sqs.clone(), url.clone()), ..stack().worker() };
    let record = |id: &str, count: u32| {
        let attributes =
            json!({"ApproximateReceiveCount": count.to_string(), "MessageGroupId": "crm"});
        json!({"messageId": id, "receiptHandle": "not a receipt", "body": id, "attributes": attributes, "messageAttributes": {}})
    };
    let records =
        [record("bug early", 4), record("bug", 5), record("panic", 5), record("outage", 99)];
    let batch: SqsEvent = serde_json::from_value(json!({"Records": records})).unwrap();
    let handle = async |message: &str| match message {
        "panic" => panic!("a record may panic"),
        "outage" => Err(IoError::Transient { call: "test", code: "away".to_owned() }),
        _ => Err(IoError::unreadable("test", "row")),
    };
    let response = worker.run(batch, handle).await;
    let failed: Vec<_> = response
        .batch_item_failures
        .iter()
        .map(|failure| failure.item_identifier.as_str())
        .collect();
    assert_eq!(failed, ["bug early", "outage"]);
    let receive = sqs
        .receive_message()
        .queue_url(&url)
        .max_number_of_messages(10)
        .message_attribute_names("All");
    let aside = receive.message_system_attribute_names("All".into()).send().await.unwrap();
    let mut found: Vec<_> = aside
        .messages()
        .iter()
        .map(|message| {
            let group =
                message.attributes().unwrap()[&MessageSystemAttributeName::MessageGroupId].as_str();
            (
                message.body().unwrap(),
                message.message_attributes().unwrap()["reason"].string_value().unwrap(),
                group,
            )
        })
        .collect();
    found.sort_unstable();
    assert_eq!(found, [("bug", "bug", "crm"), ("panic", "bug", "crm")]);
    sqs.delete_queue().queue_url(url).send().await.unwrap();
}

#[tokio::test]
async fn what_could_not_end_in_time_is_not_begun() {
    let endpoint = Endpoint::new(json!({"timeout_seconds": 20}), json!([])).await;
    let delivery = endpoint.delivery();
    let soon = aws::clock::now().after(std::time::Duration::from_secs(25));
    let ending = stack().deliver().handle(&delivery.to_message(), soon).await.unwrap();
    assert!(matches!(ending, RecordOutcome::RetryAfter(_)));
    assert!(row(&delivery.id).await.is_empty());
}

#[tokio::test]
async fn settings_take_effect_and_each_does_something() {
    let settings = json!({"headers": {"X-Shop": "tea"}});
    let endpoint = Endpoint::new(settings, json!([])).await;
    endpoint.set("legacy_secret", "old-secret").await;
    let first = endpoint.delivery();
    queue(&first).await;
    let received = endpoint.received(1).await;
    assert_eq!(
        (&*received[0].headers["x-shop"], &*received[0].headers["x-vendor-server-secret"]),
        ("tea", "old-secret")
    );

    endpoint.set("settings", &json!({"enabled": false}).to_string()).await;
    // Settings are kept in memory for a second here; until then deliveries still go out.
    eventually("the endpoint to be off", async || {
        let delivery = endpoint.delivery();
        queue(&delivery).await;
        let ended = eventually("an end", async || {
            let row = row(&delivery.id).await;
            ["delivered", "dead"].contains(&text(&row, "state")).then_some(row)
        })
        .await;
        (text(&ended, "reason") == "endpoint_disabled").then_some(())
    })
    .await;
}

/// Nobody else is hurt, and nothing is forgotten.
#[tokio::test]
async fn an_endpoint_with_wrong_settings_is_told_once_they_are_right() {
    let (parcel, account) = (Parcel::new(), unique("ACC-"));
    let mut order = parcel.order();
    order["accountCode"] = json!(account);
    assert_eq!(
        stack().user("admin", "POST", "/api/external/orders", Some(&order)).await.status,
        201
    );
    let good = Endpoint::new(json!({"accounts": [account]}), json!([])).await;
    let wrong = Endpoint::new(json!({"accounts": [account], "format": "fax"}), json!([])).await;

    let id = keep_for(&account, &parcel.report(18, "IN TRANSIT", "09:00:00")).await;
    assert!(work(&id, None).await.0);
    let event = stack().events(&Calls::default()).load(&id).await.unwrap().unwrap();
    assert_eq!(
        (event.state, event.reason.unwrap().contains(&wrong.name)),
        (EventState::Failed, true)
    );
    let first = good.received(1).await;

    wrong.set("settings", &json!({"accounts": [account]}).to_string()).await;
    assert!(work(&id, None).await.0);
    let event = stack().events(&Calls::default()).load(&id).await.unwrap().unwrap();
    assert_eq!(event.state, EventState::Processed);
    assert_eq!(wrong.received(1).await[0].json(), first[0].json());
    assert_eq!(good.so_far().await.len(), 1);
}

#[tokio::test]
async fn nothing_is_sent_where_nothing_may_be_sent() {
    let endpoint = Endpoint::new(json!({}), json!([])).await;
    endpoint.set("url", "https://169.254.169.254/latest/meta-data").await;
    let delivery = endpoint.delivery();
    queue(&delivery).await;
    let row = row_in(&delivery.id, "dead").await;
    assert_eq!(
        (text(&row, "reason"), &attempts(&row)[0]["error"]),
        ("url_refused", &json!("url_address"))
    );
    dead_letter(&delivery.id).await;
}

#[tokio::test]
async fn an_endpoint_that_was_removed_and_a_message_nobody_understands() {
    let removed = Endpoint { name: unique("gone-"), path: String::new() }.delivery();
    queue(&removed).await;
    assert_eq!(text(&row_in(&removed.id, "dead").await, "reason"), "endpoint_removed");
    dead_letter(&removed.id).await;

    let poison = unique("{\"v\":99,\"poison\":");
    stack().queue("deliveries", &Calls::default()).send(poison.clone()).await.unwrap();
    poison_letter(&poison).await;
}

/// Takes a message that nobody understood out of the dead letters.
async fn poison_letter(poison: &str) {
    let sqs = stack().sqs(&Calls::default());
    let url = &stack().queues["deliveries_dlq"];
    eventually("the poison among the dead letters", async || {
        let receive =
            sqs.receive_message().queue_url(url).max_number_of_messages(10).visibility_timeout(1);
        let batch = receive.message_attribute_names("All").send().await.unwrap();
        let found = batch.messages().iter().find(|message| message.body() == Some(poison))?;
        assert_eq!(
            found.message_attributes().unwrap()["reason"].string_value(),
            Some("unreadable_message")
        );
        let receipt = found.receipt_handle().unwrap();
        sqs.delete_message().queue_url(url).receipt_handle(receipt).send().await.unwrap();
        Some(())
    })
    .await;
}

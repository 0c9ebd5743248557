//! `GetQueueAttributes`.

use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::names::queue_arn;
use crate::sqs::errors::plain_error;
use crate::sqs::message::Message;
use crate::sqs::queue::Queue;

pub(super) fn attributes(queue: &Queue, request: &Value, now: u64) -> Result<Value, Failure> {
    let all = all_attributes(queue, now);
    let mut selected = Map::new();
    for name in request["AttributeNames"].as_array().into_iter().flatten() {
        let name = name.as_str().unwrap_or_default();
        if name == "All" {
            return Ok(json!({ "Attributes": all }));
        }
        let value = all.get(name).ok_or_else(|| {
            plain_error("InvalidAttributeName", format!("Unknown Attribute {name}."))
        })?;
        selected.insert(name.to_owned(), value.clone());
    }
    Ok(json!({ "Attributes": selected }))
}

fn all_attributes(queue: &Queue, now: u64) -> Map<String, Value> {
    let settings = &queue.settings;
    let count = |counts: &dyn Fn(&Message) -> bool| {
        queue.messages().filter(|message| counts(message)).count()
    };
    let mut attributes: Map<String, Value> = [
        ("ApproximateNumberOfMessages", count(&|message| message.due_at() <= now).to_string()),
        ("ApproximateNumberOfMessagesNotVisible", queue.in_flight(now).to_string()),
        (
            "ApproximateNumberOfMessagesDelayed",
            count(&|message| message.receive_count == 0 && message.due_at() > now).to_string(),
        ),
        ("VisibilityTimeout", (settings.visibility / 1000).to_string()),
        ("MessageRetentionPeriod", (settings.retention / 1000).to_string()),
        ("DelaySeconds", (settings.delay / 1000).to_string()),
        ("QueueArn", queue_arn(&settings.name)),
    ]
    .map(|(name, value)| (name.to_owned(), value.into()))
    .into_iter()
    .collect();
    if let Some(redrive) = &settings.redrive {
        let policy = json!({
            "deadLetterTargetArn": queue_arn(&redrive.dead_letters),
            "maxReceiveCount": redrive.max_receives,
        });
        attributes.insert("RedrivePolicy".to_owned(), policy.to_string().into());
    }
    attributes
}

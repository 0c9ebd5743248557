//! A received message, as the receiver sees it.

use serde_json::{Map, Value, json};

use crate::names::{REGION, queue_arn};
use crate::sqs::message::{Message, receipt_handle};
use crate::sqs::send::md5_of;

#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    pub message_id: String,
    /// Receipt handle: another one at each receive.
    pub receipt: String,
    pub body: String,
    /// `ApproximateReceiveCount`, this receive included.
    pub receive_count: u32,
    /// The original send, also after a move to the dead-letter queue.
    pub sent_at: u64,
    pub first_received_at: u64,
    /// `MessageGroupId`.
    pub group: Option<String>,
    /// Message attributes by name, each `{"DataType", "StringValue"}`.
    pub attributes: Map<String, Value>,
    /// The queue whose dead letter this is.
    pub dead_letter_source: Option<String>,
}

impl Received {
    pub(super) fn new(number: u64, message: &Message) -> Self {
        Self {
            message_id: message.message_id.clone(),
            receipt: receipt_handle(number, message.receipt),
            body: message.body.clone(),
            receive_count: message.receive_count,
            sent_at: message.sent_at,
            first_received_at: message.first_received_at.unwrap_or(message.received_at),
            group: message.group.clone(),
            attributes: message.attributes.clone(),
            dead_letter_source: message.dead_letter_source.clone(),
        }
    }

    /// System attributes by name. Their values are strings.
    pub fn system_attributes(&self) -> Map<String, Value> {
        let mut attributes = Map::new();
        let mut insert =
            |name: &str, value: String| attributes.insert(name.to_owned(), value.into());
        insert("ApproximateReceiveCount", self.receive_count.to_string());
        insert("SentTimestamp", self.sent_at.to_string());
        insert("ApproximateFirstReceiveTimestamp", self.first_received_at.to_string());
        if let Some(group) = &self.group {
            insert("MessageGroupId", group.clone());
        }
        if let Some(source) = &self.dead_letter_source {
            insert("DeadLetterQueueSourceArn", queue_arn(source));
        }
        attributes
    }

    /// An entry of `Messages` of `ReceiveMessage`. The request names the attributes it wants.
    pub(super) fn to_message(&self, request: &Value) -> Value {
        let mut system = select(self.system_attributes(), &request["AttributeNames"]);
        let names = &request["MessageSystemAttributeNames"];
        system.extend(select(self.system_attributes(), names));
        let attributes = select(self.attributes.clone(), &request["MessageAttributeNames"]);
        json!({
            "MessageId": self.message_id,
            "ReceiptHandle": self.receipt,
            "MD5OfBody": md5_of(&self.body),
            "Body": self.body,
            "Attributes": system,
            "MessageAttributes": attributes,
        })
    }

    /// A record of the event that Lambda makes of a batch received from `queue`.
    pub fn to_record(&self, queue: &str) -> Value {
        let attributes: Map<String, Value> = self.attributes.iter().map(lambda_attribute).collect();
        json!({
            "messageId": self.message_id,
            "receiptHandle": self.receipt,
            "body": self.body,
            "attributes": self.system_attributes(),
            "messageAttributes": attributes,
            "md5OfBody": md5_of(&self.body),
            "eventSource": "aws:sqs",
            "eventSourceARN": queue_arn(queue),
            "awsRegion": REGION,
        })
    }
}

fn select(attributes: Map<String, Value>, names: &Value) -> Map<String, Value> {
    let names: Vec<&str> =
        names.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let wanted = |name: &str| names.iter().any(|wanted| *wanted == "All" || *wanted == name);
    attributes.into_iter().filter(|(name, _)| wanted(name)).collect()
}

/// Lambda begins the names of an attribute's fields in lower case.
fn lambda_attribute((name, attribute): (&String, &Value)) -> (String, Value) {
    let fields = json!({
        "dataType": attribute["DataType"],
        "stringValue": attribute["StringValue"],
        "binaryValue": attribute["BinaryValue"],
        "stringListValues": [],
        "binaryListValues": [],
    });
    (name.clone(), fields)
}

//! Checks of what is sent, and the limits of SQS.

use data_encoding::HEXLOWER;
use md5::{Digest, Md5};
use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::sqs::MAX_BATCH;
use crate::sqs::errors::{invalid, missing, plain_error, service_error};

/// Of one message and of a batch: 1 MiB, attributes included.
const MAX_BYTES: usize = 1_048_576;
const MAX_DELAY_SECONDS: i64 = 900;
const MAX_ATTRIBUTES: usize = 10;
const MAX_GROUP_CHARS: usize = 128;
const MAX_ENTRY_ID_CHARS: usize = 80;

/// A message that may be stored.
pub(super) struct Outgoing {
    pub(super) body: String,
    pub(super) group: Option<String>,
    pub(super) attributes: Map<String, Value>,
    /// In milliseconds; else the delay of the queue.
    pub(super) delay: Option<u64>,
}

impl Outgoing {
    /// Reads a `SendMessage` or an entry of a batch.
    pub(super) fn read(request: &Value) -> Result<Self, Failure> {
        let body = request["MessageBody"].as_str().filter(|body| !body.is_empty());
        let body = body.ok_or_else(|| missing("MessageBody"))?;
        check_characters(body)?;
        if size(request) > MAX_BYTES {
            let reason = format!("Message must be shorter than {MAX_BYTES} bytes.");
            return Err(invalid("MessageBody", "(too long)", &reason));
        }
        let message = Self {
            body: body.to_owned(),
            group: read_group(request)?,
            attributes: read_attributes(request)?,
            delay: read_delay(request)?,
        };
        Ok(message)
    }
}

/// The characters of XML 1.0.
fn check_characters(text: &str) -> Result<(), Failure> {
    let allowed = |char| matches!(char, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
    match text.chars().find(|char| !allowed(*char)) {
        None => Ok(()),
        Some(char) => {
            let message = format!(
                "Invalid binary character '#x{:X}' was found in the message body.",
                u32::from(char)
            );
            Err(plain_error("InvalidMessageContents", message))
        }
    }
}

/// Standard queues accept groups too: for fair queues.
fn read_group(request: &Value) -> Result<Option<String>, Failure> {
    let Some(group) = request["MessageGroupId"].as_str() else { return Ok(None) };
    let valid = (1..=MAX_GROUP_CHARS).contains(&group.len())
        && group.bytes().all(|byte| byte.is_ascii_graphic());
    if valid {
        return Ok(Some(group.to_owned()));
    }
    let reason = "MessageGroupId can only include alphanumeric and punctuation characters. 1 to \
                  128 in length.";
    Err(invalid("MessageGroupId", group, reason))
}

fn read_attributes(request: &Value) -> Result<Map<String, Value>, Failure> {
    let attributes = request["MessageAttributes"].as_object().cloned().unwrap_or_default();
    if attributes.len() > MAX_ATTRIBUTES {
        let reason = format!("Number of message attributes exceeds {MAX_ATTRIBUTES}.");
        return Err(invalid("MessageAttributes", attributes.len(), &reason));
    }
    for (name, attribute) in &attributes {
        let text = attribute["StringValue"].as_str();
        if text.is_none_or(str::is_empty) && attribute["BinaryValue"].is_null() {
            return Err(invalid("MessageAttributes", name, "The attribute must have a value."));
        }
        check_characters(text.unwrap_or_default())?;
    }
    Ok(attributes)
}

fn read_delay(request: &Value) -> Result<Option<u64>, Failure> {
    let Some(seconds) = request["DelaySeconds"].as_i64() else { return Ok(None) };
    match u64::try_from(seconds) {
        Ok(delay) if seconds <= MAX_DELAY_SECONDS => Ok(Some(delay * 1000)),
        _ => {
            let reason = format!("DelaySeconds must be >= 0 and <= {MAX_DELAY_SECONDS}.");
            Err(invalid("DelaySeconds", seconds, &reason))
        }
    }
}

/// Bytes of the body and of names, types and values of attributes.
fn size(request: &Value) -> usize {
    let length = |value: &Value| value.as_str().map_or(0, str::len);
    let attributes = request["MessageAttributes"].as_object().into_iter().flatten();
    let attributes = attributes.map(|(name, attribute)| {
        let parts = ["DataType", "StringValue", "BinaryValue"];
        name.len() + parts.iter().map(|part| length(&attribute[*part])).sum::<usize>()
    });
    length(&request["MessageBody"]) + attributes.sum::<usize>()
}

/// The entries of a batch request, unless SQS rejects it as a whole.
pub(super) fn read_entries(request: &Value) -> Result<&[Value], Failure> {
    let entries = request["Entries"].as_array().map(Vec::as_slice).unwrap_or_default();
    if entries.is_empty() {
        let message = "There should be at least one entry in the batch request.";
        return Err(service_error("EmptyBatchRequest", message));
    }
    if entries.len() > MAX_BATCH {
        let message = format!("Maximum number of entries per request are {MAX_BATCH}.");
        return Err(service_error("TooManyEntriesInBatchRequest", message));
    }
    let ids: Vec<&str> =
        entries.iter().map(|entry| entry["Id"].as_str().unwrap_or_default()).collect();
    if !ids.iter().all(|id| is_entry_id(id)) {
        let message = "A batch entry id can only contain alphanumeric characters, hyphens and \
                       underscores. It can be at most 80 letters long.";
        return Err(service_error("InvalidBatchEntryId", message));
    }
    if let Some((index, id)) = ids.iter().enumerate().find(|(i, id)| ids[..*i].contains(id)) {
        let message = format!("Id {id} repeated (entry {index}).");
        return Err(service_error("BatchEntryIdsNotDistinct", message));
    }
    if entries.iter().map(size).sum::<usize>() > MAX_BYTES {
        let message = format!("Batch requests cannot be longer than {MAX_BYTES} bytes.");
        return Err(service_error("BatchRequestTooLong", message));
    }
    Ok(entries)
}

fn is_entry_id(id: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=MAX_ENTRY_ID_CHARS).contains(&id.len()) && id.bytes().all(allowed)
}

/// Answers a batch: what `each` yields for an entry, under the entry's id.
pub(super) fn answer_entries(
    entries: &[Value],
    mut each: impl FnMut(&Value) -> Result<Value, Failure>,
) -> Value {
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for entry in entries {
        match each(entry) {
            Ok(mut answer) => {
                answer["Id"] = entry["Id"].clone();
                successful.push(answer);
            }
            Err(failure) => failed.push(json!({
                "Id": entry["Id"],
                "Code": failure.code(),
                "Message": failure.message,
                "SenderFault": true,
            })),
        }
    }
    json!({ "Successful": successful, "Failed": failed })
}

pub(super) fn md5_of(body: &str) -> String {
    HEXLOWER.encode(&Md5::digest(body))
}

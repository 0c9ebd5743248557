//! Requests that concern one message, and the fields of requests.

use serde_json::{Value, json};

use crate::failure::Failure;
use crate::sqs::errors::{invalid, malformed_receipt, missing};
use crate::sqs::message::{Counter, Message, message_id, parse_receipt};
use crate::sqs::queue::Queue;
use crate::sqs::send::{Outgoing, md5_of};
use crate::sqs::{MAX_BATCH, MAX_VISIBILITY};

pub(super) fn send(
    queue: &mut Queue,
    request: &Value,
    counter: &mut Counter,
    now: u64,
) -> Result<Value, Failure> {
    let outgoing = Outgoing::read(request)?;
    let number = counter.next();
    let answer = json!({
        "MessageId": message_id(number),
        "MD5OfMessageBody": md5_of(&outgoing.body),
    });
    let delay = outgoing.delay.unwrap_or(queue.settings.delay);
    queue.insert(number, Message::sent(number, outgoing, now, delay));
    Ok(answer)
}

pub(super) fn delete(queue: &mut Queue, request: &Value) -> Result<Value, Failure> {
    let (_, (number, receipt)) = read_receipt(request)?;
    queue.delete(number, receipt);
    Ok(json!({}))
}

pub(super) fn change_visibility(
    queue: &mut Queue,
    request: &Value,
    now: u64,
) -> Result<Value, Failure> {
    let (handle, receipt) = read_receipt(request)?;
    let visibility = read_seconds(request, "VisibilityTimeout")?;
    let visibility = visibility.ok_or_else(|| missing("VisibilityTimeout"))?;
    queue.change_visibility(receipt, handle, visibility, now)?;
    Ok(json!({}))
}

fn read_receipt(request: &Value) -> Result<(&str, (u64, u64)), Failure> {
    let handle = request["ReceiptHandle"].as_str().ok_or_else(|| missing("ReceiptHandle"))?;
    Ok((handle, parse_receipt(handle).ok_or_else(|| malformed_receipt(handle))?))
}

pub(super) fn read_max_messages(request: &Value) -> Result<usize, Failure> {
    let name = "MaxNumberOfMessages";
    let Some(max) = request[name].as_i64() else { return Ok(1) };
    let valid = usize::try_from(max).ok().filter(|max| (1..=MAX_BATCH).contains(max));
    valid.ok_or_else(|| invalid(name, max, "Must be between 1 and 10, if provided."))
}

/// A visibility timeout, in milliseconds.
pub(super) fn read_seconds(request: &Value, name: &str) -> Result<Option<u64>, Failure> {
    let Some(seconds) = request[name].as_i64() else { return Ok(None) };
    let millis = u64::try_from(seconds).ok().map(|seconds| seconds.saturating_mul(1000));
    let valid = millis.filter(|millis| *millis <= MAX_VISIBILITY);
    let reason = "Must be between 0 and 43200, if provided.";
    valid.map(Some).ok_or_else(|| invalid(name, seconds, reason))
}

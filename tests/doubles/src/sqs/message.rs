//! A message of a queue, its id and its receipt handles.

use serde_json::{Map, Value};

use crate::sqs::send::Outgoing;

/// Numbers messages and receipts across all queues, so that equal runs have equal ids.
#[derive(Debug, Default)]
pub(super) struct Counter(u64);

impl Counter {
    pub(super) fn next(&mut self) -> u64 {
        self.0 += 1;
        self.0
    }
}

#[derive(Debug, Clone)]
pub struct Message {
    pub message_id: String,
    pub body: String,
    /// `MessageGroupId`.
    pub group: Option<String>,
    pub attributes: Map<String, Value>,
    /// Unchanged by a move to the dead-letter queue.
    pub sent_at: u64,
    pub receive_count: u32,
    /// End of the delay or of the visibility timeout.
    pub visible_at: u64,
    /// Deleted by a receiver, but a server still has a copy and will deliver it.
    pub deleted: bool,
    /// Delivered once more at this time, whatever receivers do.
    pub(super) repeat_at: Option<u64>,
    pub(super) first_received_at: Option<u64>,
    pub(super) received_at: u64,
    pub(super) receipt: u64,
    /// Receipts of earlier receives that still work.
    pub(super) old_receipts: Vec<u64>,
    /// The queue that it was moved from.
    pub(super) dead_letter_source: Option<String>,
}

impl Message {
    pub(super) fn sent(number: u64, outgoing: Outgoing, now: u64, delay: u64) -> Self {
        Self {
            message_id: message_id(number),
            body: outgoing.body,
            group: outgoing.group,
            attributes: outgoing.attributes,
            sent_at: now,
            receive_count: 0,
            visible_at: now + delay,
            deleted: false,
            repeat_at: None,
            first_received_at: None,
            received_at: 0,
            receipt: 0,
            old_receipts: Vec::new(),
            dead_letter_source: None,
        }
    }

    /// When a receive can return it next.
    pub fn due_at(&self) -> u64 {
        match self.repeat_at {
            Some(repeat_at) if self.deleted => repeat_at,
            Some(repeat_at) => repeat_at.min(self.visible_at),
            None => self.visible_at,
        }
    }

    /// Received, neither deleted nor visible again.
    pub fn in_flight(&self, now: u64) -> bool {
        !self.deleted && self.receive_count > 0 && self.visible_at > now
    }

    pub(super) fn accepts(&self, receipt: u64) -> bool {
        !self.deleted && (self.receipt == receipt || self.old_receipts.contains(&receipt))
    }

    /// A message that was received elsewhere arrives in a dead-letter queue: visible, and with its
    /// receipts invalid.
    pub(super) fn moved(self, source: &str, now: u64) -> Self {
        Self {
            visible_at: now,
            deleted: false,
            repeat_at: None,
            receipt: 0,
            old_receipts: Vec::new(),
            dead_letter_source: Some(source.to_owned()),
            ..self
        }
    }
}

/// Message ids have the form of a UUID.
pub(super) fn message_id(number: u64) -> String {
    format!("00000000-0000-4000-8000-{number:012x}")
}

/// A receipt handle names its message and its receive.
pub(super) fn receipt_handle(number: u64, receipt: u64) -> String {
    format!("receipt-{number}-{receipt}")
}

/// (number of the message, receipt)
pub(super) fn parse_receipt(handle: &str) -> Option<(u64, u64)> {
    let (number, receipt) = handle.strip_prefix("receipt-")?.split_once('-')?;
    Some((number.parse().ok()?, receipt.parse().ok()?))
}

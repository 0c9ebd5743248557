//! Fills batches from a planner's orders, which are read page by page and shard by shard.
//!
//! A batch has orders of one credential. An incomplete batch stays open over the next pages, so
//! that a run makes few calls. [`Batcher::cursor`] is the position to resume a plan from: before
//! the earliest order whose batch has not been returned.

use std::collections::BTreeMap;

use super::messages::{MAX_BATCH, PollItem};
use crate::core::id::AccountCode;

/// A batch stays open while this many orders are read. A higher number saves calls for accounts
/// with few due orders, but a plan that is resumed after a crash polls more orders again, from its
/// cursor on. A planner usually has no more orders than this.
const CLOSE_AFTER_ORDERS: u64 = 8000;

/// The AWBs of a batch with their separators are part of a URL, which may have 2048 bytes.
const MAX_BATCH_BYTES: usize = 1500;

/// The orders of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The account with credentials of its own; `None` means the source's credentials.
    pub credential: Option<AccountCode>,
    /// Never empty.
    pub orders: Vec<PollItem>,
}

/// The open batches of a planner.
#[derive(Debug)]
pub struct Batcher {
    open: BTreeMap<Option<AccountCode>, OpenBatch>,
    /// The position of the last order read.
    last: Option<String>,
    /// The number of orders read.
    read: u64,
}

#[derive(Debug)]
struct OpenBatch {
    orders: Vec<PollItem>,
    /// AWBs and separators.
    bytes: usize,
    /// The position before the first order.
    after: Option<String>,
    /// The number of orders read before the first order.
    read_before: u64,
}

impl Batcher {
    /// Starts after the order at this position.
    pub fn after(cursor: Option<String>) -> Self {
        Self { open: BTreeMap::new(), last: cursor, read: 0 }
    }

    /// Passes over an order that is not due.
    pub fn skip(&mut self, position: String) {
        self.last = Some(position);
        self.read += 1;
    }

    /// Adds a due order. Returns the batch that it completes, or the one without room for it.
    pub fn add(
        &mut self,
        credential: Option<AccountCode>,
        order: PollItem,
        position: String,
    ) -> Option<Batch> {
        let bytes = order.awb().as_str().len() + 1;
        let is_too_long =
            self.open.get(&credential).is_some_and(|open| open.bytes + bytes > MAX_BATCH_BYTES);
        let full = if is_too_long { self.close(&credential) } else { None };
        let (after, read) = (self.last.replace(position), self.read);
        self.read += 1;
        let open = self.open.entry(credential.clone());
        let open = open.or_insert_with(|| OpenBatch::new(after, read));
        open.orders.push(order);
        open.bytes += bytes;
        if open.orders.len() == MAX_BATCH { self.close(&credential) } else { full }
    }

    /// Call at the end of each page. Returns the batches that were open for `CLOSE_AFTER_ORDERS`
    /// orders.
    pub fn end_page(&mut self) -> Vec<Batch> {
        let read = self.read;
        self.close_all(|open| read - open.read_before >= CLOSE_AFTER_ORDERS)
    }

    /// Returns all open batches.
    pub fn flush(&mut self) -> Vec<Batch> {
        self.close_all(|_| true)
    }

    /// The position to resume from once all returned batches are sent.
    pub fn cursor(&self) -> Option<&str> {
        // `None`, the start of the first shard, is the least.
        let unsent = self.open.values().map(|open| open.after.as_deref()).min();
        unsent.unwrap_or(self.last.as_deref())
    }

    fn close_all(&mut self, matches: impl Fn(&OpenBatch) -> bool) -> Vec<Batch> {
        let credentials: Vec<_> = self
            .open
            .iter()
            .filter(|(_, open)| matches(open))
            .map(|(credential, _)| credential.clone())
            .collect();
        credentials.iter().filter_map(|credential| self.close(credential)).collect()
    }

    fn close(&mut self, credential: &Option<AccountCode>) -> Option<Batch> {
        let (credential, open) = self.open.remove_entry(credential)?;
        Some(Batch { credential, orders: open.orders })
    }
}

impl OpenBatch {
    fn new(after: Option<String>, read_before: u64) -> Self {
        Self { orders: Vec::with_capacity(MAX_BATCH), bytes: 0, after, read_before }
    }
}

#[cfg(test)]
mod tests;

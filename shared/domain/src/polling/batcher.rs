//! Fills batches from a shard's orders as they are read, page by page.
//!
//! A batch has orders of one credential. What does not fill one is carried over into the next pages, so that a run
//! makes as few calls as there are full batches. Where a plan is taken up again is told by [`Batcher::cursor`]: before
//! the earliest order that no batch has gone out with.

use std::collections::BTreeMap;

use super::messages::PollItem;
use super::{MAX_BATCH, MAX_BATCH_BYTES};
use crate::core::id::AccountCode;

/// So many pages a batch stays open. More would save calls where few of an account's orders are due, and cost calls
/// where a plan is taken up again: from its cursor on all is asked once more.
const OPEN_PAGES: u32 = 4;

/// Orders for one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Whose own credentials they are asked with; `None` stands for the source's.
    pub credential: Option<AccountCode>,
    /// At least one.
    pub orders: Vec<PollItem>,
}

/// The batches of a shard that are being filled.
#[derive(Debug)]
pub struct Batcher {
    open: BTreeMap<Option<AccountCode>, Open>,
    /// The place of the last order that was looked at.
    last: Option<String>,
}

#[derive(Debug)]
struct Open {
    orders: Vec<PollItem>,
    /// Of its AWBs and what separates them.
    bytes: usize,
    /// The place before its first order.
    after: Option<String>,
    /// How many pages have ended since.
    pages: u32,
}

impl Batcher {
    /// Begins after this place.
    pub fn after(cursor: Option<String>) -> Self {
        Self { open: BTreeMap::new(), last: cursor }
    }

    /// An order at this place is not asked about.
    pub fn skip(&mut self, place: String) {
        self.last = Some(place);
    }

    /// An order at this place is asked about. Returns the batch that it fills, or has no more room in.
    pub fn add(
        &mut self,
        credential: Option<AccountCode>,
        order: PollItem,
        place: String,
    ) -> Option<Batch> {
        let bytes = order.awb().as_str().len() + 1;
        let crowded =
            self.open.get(&credential).is_some_and(|open| open.bytes + bytes > MAX_BATCH_BYTES);
        let full = if crowded { self.close(&credential) } else { None };
        let after = self.last.replace(place);
        let open = self.open.entry(credential.clone()).or_insert_with(|| Open::new(after));
        open.orders.push(order);
        open.bytes += bytes;
        if open.orders.len() == MAX_BATCH { self.close(&credential) } else { full }
    }

    /// A page ends. Returns the batches that have been open for long enough.
    pub fn end_page(&mut self) -> Vec<Batch> {
        self.open.values_mut().for_each(|open| open.pages += 1);
        self.close_all(|open| open.pages >= OPEN_PAGES)
    }

    /// Nothing is added any more for now. Returns what is left.
    pub fn flush(&mut self) -> Vec<Batch> {
        self.close_all(|_| true)
    }

    /// The place after which everything has yet to be asked, once all batches returned so far have gone out.
    pub fn cursor(&self) -> Option<&str> {
        // Nothing comes before any place.
        let unsent = self.open.values().map(|open| open.after.as_deref()).min();
        unsent.unwrap_or(self.last.as_deref())
    }

    fn close_all(&mut self, which: impl Fn(&Open) -> bool) -> Vec<Batch> {
        let old: Vec<_> = self
            .open
            .iter()
            .filter(|(_, open)| which(open))
            .map(|(whose, _)| whose.clone())
            .collect();
        old.iter().filter_map(|credential| self.close(credential)).collect()
    }

    fn close(&mut self, credential: &Option<AccountCode>) -> Option<Batch> {
        let (credential, open) = self.open.remove_entry(credential)?;
        Some(Batch { credential, orders: open.orders })
    }
}

impl Open {
    fn new(after: Option<String>) -> Self {
        Self { orders: Vec::with_capacity(MAX_BATCH), bytes: 0, after, pages: 0 }
    }
}

#[cfg(test)]
mod tests;

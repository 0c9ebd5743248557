//! Bounds the memory that the records of a batch use side by side.

use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::{Semaphore, SemaphorePermit};

#[derive(Debug)]
pub struct MemoryBudget {
    free: Semaphore,
    /// In bytes.
    total: u32,
    in_use: AtomicU32,
    peak: AtomicU32,
}

/// The bytes are free again when this is dropped.
#[derive(Debug)]
pub struct Reserved<'a> {
    budget: &'a MemoryBudget,
    bytes: u32,
    _permit: Option<SemaphorePermit<'a>>,
}

impl MemoryBudget {
    pub fn new(total: u32) -> Self {
        let free = Semaphore::new(usize::try_from(total).unwrap_or(Semaphore::MAX_PERMITS));
        Self { free, total, in_use: AtomicU32::new(0), peak: AtomicU32::new(0) }
    }

    /// Waits until so many bytes are free, first come, first served. More than the whole budget
    /// counts as all of it: such a record is alone.
    pub async fn reserve(&self, bytes: usize) -> Reserved<'_> {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX).min(self.total);
        // An error would mean that the semaphore is closed, which it never is.
        let permit = self.free.acquire_many(bytes).await.ok();
        let in_use = self.in_use.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.peak.fetch_max(in_use, Ordering::Relaxed);
        Reserved { budget: self, bytes, _permit: permit }
    }

    /// The most bytes that were reserved at once so far.
    pub fn peak(&self) -> u32 {
        self.peak.load(Ordering::Relaxed)
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        self.budget.in_use.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use futures::future::join_all;

    use super::*;

    #[tokio::test]
    async fn reserves_no_more_than_the_budget_at_once() {
        let budget = MemoryBudget::new(8);
        let running = [AtomicU32::new(0), AtomicU32::new(0)];
        let record = async |bytes: usize| {
            let _reserved = budget.reserve(bytes).await;
            let now = running[0].fetch_add(1, Ordering::Relaxed) + 1;
            running[1].fetch_max(now, Ordering::Relaxed);
            // The others get their turn while this one runs.
            tokio::task::yield_now().await;
            running[0].fetch_sub(1, Ordering::Relaxed);
        };
        join_all((0..10).map(|_| record(3))).await;
        let [still, most] = running.map(AtomicU32::into_inner);
        assert_eq!((still, most, budget.peak()), (0, 2, 6));
    }

    #[tokio::test]
    async fn a_record_larger_than_the_budget_is_alone() {
        let budget = MemoryBudget::new(8);
        let large = budget.reserve(usize::MAX).await;
        assert!(budget.free.try_acquire().is_err());
        drop(large);
        drop(budget.reserve(0).await);
        assert_eq!((budget.in_use.load(Ordering::Relaxed), budget.peak()), (0, 8));
    }
}

//! A slow endpoint holds only some of a worker's connections, so that the rest of the batch ends.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use domain::core::id::EndpointName;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// How long a delivery waits for its turn. A healthy endpoint answers sooner; the message of a slow
/// one goes back to the queue.
const PATIENCE: Duration = Duration::from_secs(1);

/// The requests of this worker, by endpoint.
#[derive(Default)]
pub(crate) struct InFlight(Mutex<HashMap<EndpointName, Limit>>);

struct Limit {
    max: usize,
    requests: Arc<Semaphore>,
}

impl InFlight {
    /// `None` while `max` requests to the endpoint are in flight.
    pub(crate) async fn acquire(
        &self,
        endpoint: &EndpointName,
        max: usize,
    ) -> Option<OwnedSemaphorePermit> {
        let requests = {
            let mut limits = self.0.lock().await;
            let new = || Limit { max, requests: Arc::new(Semaphore::new(max)) };
            let limit = limits.entry(endpoint.clone()).or_insert_with(new);
            // The setting was changed. Requests in flight no longer count.
            if limit.max != max {
                *limit = new();
            }
            Arc::clone(&limit.requests)
        };
        timeout(PATIENCE, requests.acquire_owned()).await.ok()?.ok()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn limits_the_requests_of_each_endpoint() {
        let in_flight = InFlight::default();
        let [a, b] = ["a", "b"].map(|name| EndpointName::parse(name).unwrap());
        let first = in_flight.acquire(&a, 2).await.unwrap();
        let _second = in_flight.acquire(&a, 2).await.unwrap();
        assert!(in_flight.acquire(&a, 2).await.is_none());
        assert!(in_flight.acquire(&b, 2).await.is_some(), "another endpoint");
        drop(first);
        let _third = in_flight.acquire(&a, 2).await.unwrap();
        assert!(in_flight.acquire(&a, 2).await.is_none());
        assert!(in_flight.acquire(&a, 3).await.is_some(), "a changed setting");
    }
}

//! SQS and its consumers: hands every message to a process of its function, at once.

use std::sync::Arc;
use std::sync::mpsc::{Sender, TryRecvError, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use doubles::sqs::Received;
use serde_json::{Value, json};

use crate::Error;
use crate::installation::{Account, Installation};
use crate::pool::Pool;

/// The queues are looked at so often even if no message is sent: one may become visible.
const INTERVAL: Duration = Duration::from_millis(20);

/// Consumers; dropping them ends them.
pub(crate) struct Queues {
    /// Dropping it ends the thread.
    running: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
    account: Arc<Account>,
}

struct Consumer {
    queue: String,
    batch_size: usize,
    max_concurrency: usize,
    pool: Arc<Pool>,
    /// Has the queues looked at.
    wake: Sender<()>,
}

impl Queues {
    /// By the names of functions.
    pub(crate) fn consume(
        installation: &Installation,
        pools: &[(&str, Arc<Pool>)],
    ) -> Result<Self, Error> {
        let account = Arc::clone(&installation.account);
        let (wake, woken) = channel();
        let mut consumers = Vec::new();
        for (name, pool) in pools {
            let source = account.function(name)?.queues.first().ok_or("no queue")?.clone();
            consumers.push(Consumer {
                queue: source.queue,
                batch_size: source.batch_size,
                max_concurrency: source.max_concurrency.unwrap_or(usize::MAX),
                pool: Arc::clone(pool),
                wake: wake.clone(),
            });
        }
        // The receiver is gone once the consumers have ended.
        account.on_send(move || _ = wake.send(()));
        let (running, stopped) = channel::<()>();
        let own = Arc::clone(&account);
        let thread = thread::spawn(move || {
            while stopped.try_recv() == Err(TryRecvError::Empty) {
                // A timeout is as good as a message.
                let _ = woken.recv_timeout(INTERVAL);
                consumers.iter().for_each(|consumer| consumer.work(&own));
            }
        });
        Ok(Self { running: Some(running), thread: Some(thread), account })
    }
}

impl Drop for Queues {
    fn drop(&mut self) {
        self.account.on_send(|| {});
        self.running = None;
        if let Some(thread) = self.thread.take() {
            // It only ends early by a panic, which was printed.
            let _ = thread.join();
        }
    }
}

impl Consumer {
    fn work(&self, account: &Arc<Account>) {
        while !self.pool.is_full(self.max_concurrency) {
            let received = account.receive(&self.queue, self.batch_size);
            if received.is_empty() {
                return;
            }
            let records: Vec<Value> =
                received.iter().map(|message| message.to_record(&self.queue)).collect();
            let (account, queue) = (Arc::clone(account), self.queue.clone());
            let wake = self.wake.clone();
            self.pool.submit(json!({ "Records": records }), move |answer| {
                finish(&account, &queue, &received, answer);
                // The consumers may have ended.
                let _ = wake.send(());
            });
        }
    }
}

/// Deletes the messages that did not fail, as Lambda does.
fn finish(account: &Account, queue: &str, received: &[Received], answer: &Value) {
    let failures = answer["batchItemFailures"].as_array().map(Vec::as_slice).unwrap_or_default();
    let has_failed = |id: &str| failures.iter().any(|failure| failure["itemIdentifier"] == *id);
    let done = received.iter().filter(|message| !has_failed(&message.message_id));
    done.for_each(|message| account.delete(queue, &message.receipt));
}

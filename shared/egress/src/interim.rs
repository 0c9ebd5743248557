//! A limit on interim responses (1xx): hyper skips them, however many come.
//!
//! Each function has one thread. Without the limit, a server that sends endless `100 Continue` keeps
//! the connection's task busy, and neither timeouts nor other requests get their turn.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};

use hyper::Request;
use hyper::ext::on_informational;
use tokio::sync::Notify;
use tokio::task::coop;

/// To one request. A server that says `102 Processing` every second may go on for this timeout.
const MOST: u32 = 32;

/// More than tokio gives to a task for one turn.
const TURN: usize = 1024;

/// The interim responses to one request.
#[derive(Default)]
pub(crate) struct Interim {
    count: AtomicU32,
    exceeded: Notify,
}

impl Interim {
    pub(crate) fn watch<B>(request: &mut Request<B>) -> Arc<Self> {
        let interim = Arc::new(Self::default());
        let counter = interim.clone();
        on_informational(request, move |_| counter.count());
        interim
    }

    /// Ends when there were more than [`MOST`]. The caller then drops the request, which closes the
    /// connection.
    pub(crate) async fn too_many(&self) {
        self.exceeded.notified().await;
    }

    fn count(&self) {
        if self.count.fetch_add(1, Ordering::Relaxed) >= MOST {
            self.exceeded.notify_one();
            end_turn();
        }
    }
}

/// Lets the next read of the connection wait until other tasks had their turn. The connection's task
/// calls this in the middle of its work, and would read on as long as there is something to read.
fn end_turn() {
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..TURN {
        match coop::poll_proceed(&mut context) {
            Poll::Ready(budget) => budget.made_progress(),
            Poll::Pending => return,
        }
    }
}

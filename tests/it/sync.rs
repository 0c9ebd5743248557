//! The hourly sync: scheduled runs, polling of the carrier, rate limit and poll results.

mod bulk_orders;
mod carrier_answers;
mod environment;
mod halving;
mod large_run;
mod poll_results;
mod scheduled_runs;
pub mod shipway_double;

use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// A run of the deployed functions polls the orders of every test.
static RUNS: RwLock<()> = RwLock::const_new(());

/// Keeps runs away while a test compares the polling state of its orders.
pub async fn block_runs() -> RwLockReadGuard<'static, ()> {
    RUNS.read().await
}

async fn exclusive_run() -> RwLockWriteGuard<'static, ()> {
    RUNS.write().await
}

//! The hourly sync: what the carrier is asked, by whom and how fast, what comes of it, and that nothing undoes it.

mod answers;
mod bulk;
mod fires;
mod installation;
mod killed;
mod many;
mod news;
mod shipway;

use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// A run on the stack asks about every test's orders.
static RUNS: RwLock<()> = RwLock::const_new(());

/// While a test looks at what is kept of orders of its own, nobody else asks about them.
pub async fn nobody_asks() -> RwLockReadGuard<'static, ()> {
    RUNS.read().await
}

async fn one_run() -> RwLockWriteGuard<'static, ()> {
    RUNS.write().await
}

//! Virtual time: tokio's paused clock, counted from a fixed date.

use std::cell::Cell;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// 2026-03-02T06:00:00Z, a Monday.
const FULL_HOUR_MS: u64 = 1_772_431_200_000;
/// Orders of these runs have few facts; from the fourth on, some leave the state row.
const STATE_ROW: usize = 1100;

thread_local! {
    static START: Cell<Option<Instant>> = const { Cell::new(None) };
    /// The time of day at the start, in milliseconds since 1970.
    static EPOCH_MS: Cell<u64> = const { Cell::new(FULL_HOUR_MS) };
    /// How far the clock of the sandbox that runs now is off.
    static SKEW_MS: Cell<i64> = const { Cell::new(0) };
}

/// Begins a run on this thread, in a runtime whose clock is paused.
pub(crate) fn begin() {
    START.set(Some(Instant::now()));
    EPOCH_MS.set(FULL_HOUR_MS);
    SKEW_MS.set(0);
    aws::clock::simulation::set_clock(sandbox_time);
    aws::tables::orders::simulation::set_state_row(STATE_ROW);
}

/// Lets the run begin so long before the next full hour. Only at its start.
pub(crate) fn begin_before_the_hour(ms: u64) {
    EPOCH_MS.set(FULL_HOUR_MS + 60 * 60 * 1000 - ms);
}

/// Since the run began.
pub(crate) fn elapsed() -> Duration {
    START.get().map_or(Duration::ZERO, |start| start.elapsed())
}

/// True time in milliseconds since 1970.
pub(crate) fn now_ms() -> u64 {
    EPOCH_MS.get() + u64::try_from(elapsed().as_millis()).unwrap_or_default()
}

pub(crate) fn at(ms: u64) -> Instant {
    let since_start = Duration::from_millis(ms.saturating_sub(EPOCH_MS.get()));
    START.get().unwrap_or_else(Instant::now) + since_start
}

/// Runs `work` with the clock of a sandbox.
pub(crate) fn with_skew<T>(skew_ms: i64, work: impl FnOnce() -> T) -> T {
    let before = SKEW_MS.replace(skew_ms);
    let result = work();
    SKEW_MS.set(before);
    result
}

fn sandbox_time() -> SystemTime {
    let ms = now_ms().saturating_add_signed(SKEW_MS.get());
    SystemTime::UNIX_EPOCH + Duration::from_millis(ms)
}

//! The only reader of the time of day.

use std::time::SystemTime;

use aws_smithy_async::time::TimeSource;
use domain::core::timestamp::Timestamp;

/// The time now. Only entry points call it; the code below them takes the time as an argument.
pub fn now() -> Timestamp {
    Timestamp::from_system(system_time())
}

/// The same, as the type of the standard library.
pub fn system_time() -> SystemTime {
    #[cfg(feature = "simulation")]
    if let Some(now) = simulation::clock() {
        return now();
    }
    SystemTime::now()
}

/// The same clock, for the AWS SDK.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl TimeSource for SystemClock {
    fn now(&self) -> SystemTime {
        system_time()
    }
}

/// Replaces the time of day everywhere: in [`now`] and in the AWS SDK. No deploy build has this.
#[cfg(feature = "simulation")]
pub mod simulation {
    use std::cell::Cell;
    use std::time::SystemTime;

    type Clock = fn() -> SystemTime;

    thread_local! {
        static CLOCK: Cell<Option<Clock>> = const { Cell::new(None) };
    }

    /// Sets the clock of this thread.
    pub fn set_clock(clock: Clock) {
        CLOCK.set(Some(clock));
    }

    pub(super) fn clock() -> Option<Clock> {
        CLOCK.get()
    }
}

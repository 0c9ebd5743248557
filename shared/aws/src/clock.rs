//! The only reader of the time of day.

use std::time::SystemTime;

use aws_smithy_async::time::TimeSource;
use domain::core::timestamp::Timestamp;

/// The time now. Only entry points call it; the code below them takes the time as an argument.
pub fn now() -> Timestamp {
    Timestamp::from_system(system_time())
}

/// Replace this function to replace the time of day everywhere: in [`now`] and in the AWS SDK.
fn system_time() -> SystemTime {
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

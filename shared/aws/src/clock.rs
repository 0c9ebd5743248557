//! The only place that asks what time it is.

use domain::core::timestamp::Timestamp;

/// The time now. Everything below takes it as an argument.
pub fn now() -> Timestamp {
    Timestamp::from_system(std::time::SystemTime::now())
}

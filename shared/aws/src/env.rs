//! What a function is told by its environment, and the AWS clients it makes of it, once per process.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};

/// A variable that the template sets is missing or wrong: the function cannot start.
#[derive(Debug, thiserror::Error)]
#[error("environment variable {0} is missing or wrong")]
pub struct BadEnvironment(pub &'static str);

/// Reads a variable that the template sets.
///
/// # Errors
/// It is not set, or empty.
pub fn variable(name: &'static str) -> Result<String, BadEnvironment> {
    std::env::var(name).ok().filter(|value| !value.is_empty()).ok_or(BadEnvironment(name))
}

/// How long a call may take with all its tries, by who waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallTimeouts {
    /// Somebody waits for an answer, which takes a few calls: three that hang still leave time to say so within the
    /// function's 20 s.
    Http,
    /// A message or a schedule: nobody waits, and who gives up early only comes again.
    Queue,
}

impl CallTimeouts {
    fn timeouts(self) -> TimeoutConfig {
        let (attempt, operation) = match self {
            Self::Http => (Duration::from_secs(2), Duration::from_secs(5)),
            Self::Queue => (Duration::from_secs(4), Duration::from_secs(8)),
        };
        TimeoutConfig::builder()
            .connect_timeout(attempt / 2)
            .operation_attempt_timeout(attempt)
            .operation_timeout(operation)
            .build()
    }
}

/// Region, credentials and endpoint from the environment, with bounds on every call and its three tries: the SDK has
/// none by default.
pub async fn sdk_config(bounds: CallTimeouts) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .timeout_config(bounds.timeouts())
        .retry_config(RetryConfig::standard().with_max_attempts(3))
        .load()
        .await
}

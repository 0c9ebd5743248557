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

/// Region, credentials and endpoint from the environment, with bounds on every call: the SDK has none by default.
/// Three tries within 8 s leave a function time to answer.
pub async fn sdk_config() -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_attempt_timeout(Duration::from_secs(4))
        .operation_timeout(Duration::from_secs(8))
        .build();
    aws_config::defaults(BehaviorVersion::latest())
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(3))
        .load()
        .await
}

//! The only constructor of AWS clients.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_runtime::client::retries::RetryPartition;
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use crate::clock::SystemClock;

#[cfg(test)]
pub(crate) mod fake;
#[cfg(test)]
mod tests;

const MAX_TRIES: u32 = 3;

/// Everything through which AWS clients touch the outside world. A deterministic simulation
/// replaces all three parts.
#[derive(Debug, Clone)]
pub struct Edge {
    /// `None` stands for the SDK's own HTTPS client.
    pub http_client: Option<SharedHttpClient>,
    /// Dates the signatures and the expiry of credentials.
    pub time_source: SharedTimeSource,
    /// Times the backoff between tries and the timeouts.
    pub sleep: SharedAsyncSleep,
}

impl Edge {
    /// The network, the system clock and tokio's timers.
    pub fn system() -> Self {
        Self {
            http_client: None,
            time_source: SharedTimeSource::new(SystemClock),
            sleep: SharedAsyncSleep::new(TokioSleep::new()),
        }
    }
}

impl Default for Edge {
    fn default() -> Self {
        Self::system()
    }
}

/// Timeouts of one AWS call, all tries included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallTimeouts {
    /// An HTTP caller is waiting. A request makes a few calls: even if three of them hang, the
    /// function can still answer 503 within its own 20 s.
    Http,
    /// A queue message or a schedule, which comes again after a failure.
    Queue,
}

impl CallTimeouts {
    fn config(self) -> TimeoutConfig {
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

/// Makes the clients of a process, all with the same configuration.
///
/// Each call of a method makes a client with connections of its own; clone the client to share
/// them.
#[derive(Debug)]
pub struct Clients {
    sdk: SdkConfig,
}

impl Clients {
    /// Takes region, credentials and endpoint from the environment.
    pub async fn from_environment(edge: Edge, timeouts: CallTimeouts) -> Self {
        let base = aws_config::defaults(BehaviorVersion::latest())
            .time_source(edge.time_source.clone())
            .sleep_impl(edge.sleep.clone());
        Self::new(base.load().await, edge, timeouts)
    }

    /// Takes region, credentials and endpoint from `base`. The SDK sets no timeout but that for
    /// connecting, so every timeout is stated here.
    pub fn new(base: SdkConfig, edge: Edge, timeouts: CallTimeouts) -> Self {
        let sdk = base
            .into_builder()
            .time_source(edge.time_source)
            .sleep_impl(edge.sleep)
            .timeout_config(timeouts.config())
            .retry_config(RetryConfig::standard().with_max_attempts(MAX_TRIES));
        let sdk = match edge.http_client {
            Some(client) => sdk.http_client(client),
            None => sdk,
        };
        Self { sdk: sdk.build() }
    }

    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        let config = aws_sdk_dynamodb::config::Builder::from(&self.sdk);
        aws_sdk_dynamodb::Client::from_conf(config.retry_partition(retries("dynamodb")).build())
    }

    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        let config = aws_sdk_sqs::config::Builder::from(&self.sdk);
        aws_sdk_sqs::Client::from_conf(config.retry_partition(retries("sqs")).build())
    }

    /// The sockets of the WebSocket API with this URL.
    pub fn sockets(&self, url: &str) -> aws_sdk_apigatewaymanagement::Client {
        let config = aws_sdk_apigatewaymanagement::config::Builder::from(&self.sdk);
        let config = config.endpoint_url(url).retry_partition(retries("sockets"));
        aws_sdk_apigatewaymanagement::Client::from_conf(config.build())
    }

    pub fn ssm(&self) -> aws_sdk_ssm::Client {
        let config = aws_sdk_ssm::config::Builder::from(&self.sdk);
        aws_sdk_ssm::Client::from_conf(config.retry_partition(retries("ssm")).build())
    }
}

/// The budget of retries, which the SDK otherwise shares among all clients of a process.
fn retries(service: &'static str) -> RetryPartition {
    RetryPartition::custom(service).build()
}

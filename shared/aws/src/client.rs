//! The only constructor of AWS clients.

use std::fmt;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_runtime::client::retries::RetryPartition;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use futures::future::{BoxFuture, join_all};
use tokio::time::timeout;

use crate::clock::SystemClock;
use crate::env::{BadEnvironment, Environment};

mod environment;
#[cfg(test)]
pub(crate) mod fake;
mod https;
#[cfg(test)]
mod tests;

const MAX_TRIES: u32 = 3;
/// Lambda ends a start after ten seconds, in which settings are loaded too.
const OPENING: Duration = Duration::from_secs(2);

/// Everything through which AWS clients touch the outside world. A deterministic simulation
/// replaces all three parts.
#[derive(Debug, Clone)]
pub struct Edge {
    /// `None` stands for HTTPS over the network.
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
    /// Of one try.
    fn attempt(self) -> Duration {
        match self {
            Self::Http => Duration::from_secs(2),
            Self::Queue => Duration::from_secs(4),
        }
    }

    fn operation(self) -> Duration {
        match self {
            Self::Http => Duration::from_secs(5),
            Self::Queue => Duration::from_secs(8),
        }
    }

    fn connect(self) -> Duration {
        self.attempt() / 2
    }

    fn config(self) -> TimeoutConfig {
        TimeoutConfig::builder()
            .connect_timeout(self.connect())
            .operation_attempt_timeout(self.attempt())
            .operation_timeout(self.operation())
            .build()
    }
}

/// The clients of a process, all with the same configuration and connections.
pub struct Clients {
    sdk: SdkConfig,
    dynamodb: OnceLock<aws_sdk_dynamodb::Client>,
    sqs: OnceLock<aws_sdk_sqs::Client>,
    ssm: OnceLock<aws_sdk_ssm::Client>,
    /// Opens the connection of each client that was made.
    openings: Mutex<Vec<BoxFuture<'static, ()>>>,
}

impl Clients {
    /// Takes region, credentials and endpoints from the environment. `AWS_CA_BUNDLE` is, as for the
    /// AWS command line, a file of the certificates to trust; the start fails if it has none.
    pub fn from_environment(edge: Edge, timeouts: CallTimeouts) -> Result<Self, BadEnvironment> {
        let environment = Environment::of_process();
        let http_client = match edge.http_client {
            Some(client) => client,
            None => network(&environment, timeouts)?,
        };
        let edge = Edge { http_client: Some(http_client), ..edge };
        Ok(Self::new(environment::base(&environment)?, edge, timeouts))
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
        Self {
            sdk: sdk.build(),
            dynamodb: OnceLock::new(),
            sqs: OnceLock::new(),
            ssm: OnceLock::new(),
            openings: Mutex::default(),
        }
    }

    /// Opens a connection for each client that was made, in a limited time. Lambda has a full
    /// processor until the first event is asked for, and a share of one afterwards; the first event
    /// would pay for the handshakes and for the SDK's first use. A failure is ignored: the first
    /// call connects again.
    pub async fn open_connections(&self) {
        let openings = std::mem::take(&mut *self.openings());
        let _ = timeout(OPENING, join_all(openings)).await;
    }

    fn openings(&self) -> std::sync::MutexGuard<'_, Vec<BoxFuture<'static, ()>>> {
        self.openings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        let make = || {
            let config = aws_sdk_dynamodb::config::Builder::from(&self.sdk);
            let config = config.retry_partition(retries("dynamodb"));
            let client = aws_sdk_dynamodb::Client::from_conf(config.clone().build());
            self.opens(|http| {
                let client = aws_sdk_dynamodb::Client::from_conf(config.http_client(http).build());
                async move { drop(client.get_item().table_name("none").send().await) }
            });
            client
        };
        self.dynamodb.get_or_init(make).clone()
    }

    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        let make = || {
            let config = aws_sdk_sqs::config::Builder::from(&self.sdk);
            let config = config.retry_partition(retries("sqs"));
            let client = aws_sdk_sqs::Client::from_conf(config.clone().build());
            self.opens(|http| {
                let client = aws_sdk_sqs::Client::from_conf(config.http_client(http).build());
                async move { drop(client.send_message().message_body("none").send().await) }
            });
            client
        };
        self.sqs.get_or_init(make).clone()
    }

    /// The sockets of the WebSocket API with this URL.
    pub fn sockets(&self, url: &str) -> aws_sdk_apigatewaymanagement::Client {
        let config = aws_sdk_apigatewaymanagement::config::Builder::from(&self.sdk);
        let config = config.endpoint_url(url).retry_partition(retries("sockets"));
        aws_sdk_apigatewaymanagement::Client::from_conf(config.build())
    }

    pub fn ssm(&self) -> aws_sdk_ssm::Client {
        let make = || {
            let config = aws_sdk_ssm::config::Builder::from(&self.sdk);
            let config = config.retry_partition(retries("ssm"));
            let client = aws_sdk_ssm::Client::from_conf(config.clone().build());
            self.opens(|http| {
                let client = aws_sdk_ssm::Client::from_conf(config.http_client(http).build());
                async move { drop(client.get_parameters_by_path().path("/none").send().await) }
            });
            client
        };
        self.ssm.get_or_init(make).clone()
    }

    /// `call` makes any call over the HTTP client that it gets, which only opens a connection.
    fn opens<Call>(&self, call: impl FnOnce(https::Opening) -> Call)
    where
        Call: Future<Output = ()> + Send + 'static,
    {
        if let Some(pool) = self.sdk.http_client() {
            self.openings().push(Box::pin(call(https::Opening(pool))));
        }
    }
}

impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clients").finish_non_exhaustive()
    }
}

/// HTTPS over the network, trusting the certificates of `AWS_CA_BUNDLE` if there is one.
fn network(
    environment: &Environment,
    timeouts: CallTimeouts,
) -> Result<SharedHttpClient, BadEnvironment> {
    const NAME: &str = "AWS_CA_BUNDLE";
    let bundle = environment.optional(NAME).map(std::fs::read);
    let bundle = bundle.transpose().map_err(|_| BadEnvironment(NAME))?;
    https::pool(timeouts.connect(), bundle.as_deref()).ok_or(BadEnvironment(NAME))
}

/// As [`Clients::from_environment`] has it without variables, for clients that are made another way.
pub fn http_client() -> Result<SharedHttpClient, BadEnvironment> {
    network(&[].into_iter().collect(), CallTimeouts::Queue)
}

/// The budget of retries, which the SDK otherwise shares among all clients of a process.
fn retries(service: &'static str) -> RetryPartition {
    RetryPartition::custom(service).build()
}

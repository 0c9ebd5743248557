//! Connections: how long idle ones are kept, and the second try after a reused one ended.

use std::cell::Cell;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use reqwest::{Client, Method, Request, Response, redirect, retry};
use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use rustls_platform_verifier::BuilderVerifierExt;
use tower::util::MapResponseLayer;

use crate::SendError;
use crate::policy::Loopback;
use crate::resolve::{Guard, Lookup};

/// Time for everything before the request goes out: DNS, TCP (SYN and two repeats), TLS.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Servers on Node close idle connections after 5 s, and a request that crosses the close is lost.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);

const IDLE_CONNECTIONS_PER_HOST: usize = 5;

/// Reads the time of day.
pub type Clock = fn() -> SystemTime;

tokio::task_local! {
    /// Whether a connection was made for the request that is being sent.
    static CONNECTED: Cell<bool>;
}

pub(crate) struct Transport {
    setup: Setup,
    clock: Clock,
    pool: Mutex<Pool>,
    /// Without a pool: each request gets a connection of its own.
    unpooled: Client,
}

struct Pool {
    client: Client,
    last_used: SystemTime,
}

impl Transport {
    pub(crate) fn new(
        loopback: Loopback,
        lookup: Lookup,
        mut tls: ClientConfig,
        clock: Clock,
    ) -> Result<Self, reqwest::Error> {
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let setup = Setup { loopback, guard: Arc::new(Guard::new(loopback, lookup)), tls };
        let client = setup.client(IDLE_CONNECTIONS_PER_HOST)?;
        let unpooled = setup.client(0)?;
        Ok(Self { setup, clock, pool: Mutex::new(Pool { client, last_used: clock() }), unpooled })
    }

    /// A POST is sent once more, on a new connection, if a reused connection ended before a
    /// complete head: the server most likely closed it while idle. reqwest does not tell whether a
    /// part of the head had come, so the server may get the request twice, with the same
    /// `webhook-id`. A GET is not sent again: its caller counts the calls.
    pub(crate) async fn send(&self, request: Request) -> Result<Response, SendError> {
        let again = if request.method() == Method::POST { request.try_clone() } else { None };
        let (sent, is_reused) = send_on(&self.client(), request).await;
        self.pool().last_used = (self.clock)();
        match (sent, again) {
            (Err(SendError::Closed), Some(again)) if is_reused => {
                let sent = self.unpooled.execute(again).await;
                // The first one may have arrived, whatever became of the second.
                sent.map_err(|error| match SendError::of(&error) {
                    error if error.may_have_arrived() => error,
                    _ => SendError::Closed,
                })
            }
            (sent, _) => sent,
        }
    }

    /// Sends a request on a new connection, and never again.
    pub(crate) async fn send_once(&self, request: Request) -> Result<Response, SendError> {
        self.unpooled.execute(request).await.map_err(|error| SendError::of(&error))
    }

    /// The client with the idle connections. Its own clock is monotonic and may stand still while
    /// Lambda freezes the function, so a new client replaces it after a pause by the time of day.
    fn client(&self) -> Client {
        let now = (self.clock)();
        let mut pool = self.pool();
        let pause = now.duration_since(pool.last_used).unwrap_or_default();
        // A client cannot fail to be built that could be built before; else the old one serves.
        if pause > IDLE_TIMEOUT
            && let Ok(client) = self.setup.client(IDLE_CONNECTIONS_PER_HOST)
        {
            pool.client = client;
        }
        pool.last_used = now;
        pool.client.clone()
    }

    fn pool(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").finish_non_exhaustive()
    }
}

/// Also tells whether the request went out on a connection that an earlier one had used.
async fn send_on(client: &Client, request: Request) -> (Result<Response, SendError>, bool) {
    let sending = async {
        let sent = client.execute(request).await;
        (sent.map_err(|error| SendError::of(&error)), !CONNECTED.with(Cell::get))
    };
    CONNECTED.scope(Cell::new(false), sending).await
}

/// What all clients have in common.
struct Setup {
    loopback: Loopback,
    guard: Arc<Guard>,
    tls: ClientConfig,
}

impl Setup {
    /// Some of these are reqwest's defaults, or no-ops with the chosen features. They are explicit
    /// because the guard depends on them, and another crate could switch features on.
    fn client(&self, idle_connections_per_host: usize) -> Result<Client, reqwest::Error> {
        Client::builder()
            .dns_resolver(self.guard.clone())
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .no_proxy()
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .referer(false)
            .http1_only()
            .https_only(self.loopback == Loopback::Refused)
            .tls_backend_preconfigured(self.tls.clone())
            .connect_timeout(CONNECT_TIMEOUT)
            // Runs in the task of the request, unless that got another connection meanwhile.
            .connector_layer(MapResponseLayer::new(|connection| {
                let _ = CONNECTED.try_with(|connected| connected.set(true));
                connection
            }))
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(idle_connections_per_host)
            .build()
    }
}

/// Trusts the machine's certificates, which are read here, once. Fails without any.
pub(crate) fn system_tls() -> Result<ClientConfig, rustls::Error> {
    Ok(tls_versions()?.with_platform_verifier()?.with_no_client_auth())
}

pub(crate) fn tls_versions()
-> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, rustls::Error> {
    ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
}

//! Connections: how long idle ones are kept, and the second try after a reused one ended.
//!
//! Below is hyper's client with a pool, as in reqwest, whose types requests and responses have. The
//! client of reqwest has no hook for interim responses: see [`interim`](crate::interim).

use std::cell::Cell;
use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use futures::future::BoxFuture;
use hyper::Uri;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use reqwest::header::{self, HeaderValue};
use reqwest::{Body, Method, Request, Response};
use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use tokio::net::TcpStream;
use tower::Service;

use crate::SendError;
use crate::interim::Interim;
use crate::policy::Loopback;
use crate::resolve::{Guard, Lookup};
use crate::roots::SystemRoots;

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

type Pooled = Client<Connector, Body>;

pub(crate) struct Transport {
    connector: Connector,
    clock: Clock,
    pool: Mutex<Pool>,
    /// Without a pool: each request gets a connection of its own.
    unpooled: Pooled,
}

struct Pool {
    client: Pooled,
    last_used: SystemTime,
}

impl Transport {
    pub(crate) fn new(
        loopback: Loopback,
        lookup: Lookup,
        mut tls: ClientConfig,
        clock: Clock,
    ) -> Self {
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let connector = Connector::new(loopback, lookup, tls);
        let client = pooled(&connector, IDLE_CONNECTIONS_PER_HOST);
        let unpooled = pooled(&connector, 0);
        Self { connector, clock, pool: Mutex::new(Pool { client, last_used: clock() }), unpooled }
    }

    /// A POST is sent once more, on a new connection, if a reused connection ended before a
    /// complete head: the server most likely closed it while idle. hyper does not tell whether a
    /// part of the head had come, so the server may get the request twice, with the same
    /// `webhook-id`. A GET is not sent again: its caller counts the calls.
    pub(crate) async fn send(&self, request: Request) -> Result<Response, SendError> {
        let again = if request.method() == Method::POST { request.try_clone() } else { None };
        let (sent, is_reused) = send_on(&self.client(), request).await;
        self.pool().last_used = (self.clock)();
        match (sent, again) {
            (Err(SendError::Closed), Some(again)) if is_reused => {
                let sent = execute(&self.unpooled, again).await;
                // The first one may have arrived, whatever became of the second.
                sent.map_err(|error| match error {
                    error if error.may_have_arrived() => error,
                    _ => SendError::Closed,
                })
            }
            (sent, _) => sent,
        }
    }

    /// Sends a request on a new connection, and never again.
    pub(crate) async fn send_once(&self, request: Request) -> Result<Response, SendError> {
        execute(&self.unpooled, request).await
    }

    /// The client with the idle connections. Its own clock is monotonic and may stand still while
    /// Lambda freezes the function, so a new client replaces it after a pause by the time of day.
    fn client(&self) -> Pooled {
        let now = (self.clock)();
        let mut pool = self.pool();
        let pause = now.duration_since(pool.last_used).unwrap_or_default();
        if pause > IDLE_TIMEOUT {
            pool.client = pooled(&self.connector, IDLE_CONNECTIONS_PER_HOST);
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
async fn send_on(client: &Pooled, request: Request) -> (Result<Response, SendError>, bool) {
    let sending = async {
        let sent = execute(client, request).await;
        (sent, !CONNECTED.with(Cell::get))
    };
    CONNECTED.scope(Cell::new(false), sending).await
}

async fn execute(client: &Pooled, mut request: Request) -> Result<Response, SendError> {
    let any = HeaderValue::from_static("*/*");
    request.headers_mut().entry(header::ACCEPT).or_insert(any);
    // Only a URL that is no URI fails, which `Target` does not let through.
    let mut request = request.try_into().map_err(|_| SendError::Protocol)?;
    let interim = Interim::watch(&mut request);
    tokio::select! {
        biased;
        () = interim.too_many() => Err(SendError::Protocol),
        sent = client.request(request) => match sent {
            Ok(response) => Ok(response.map(Body::wrap).into()),
            Err(error) => Err(SendError::of(&error)),
        },
    }
}

fn pooled(connector: &Connector, idle_connections_per_host: usize) -> Pooled {
    Client::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(idle_connections_per_host)
        .build(connector.clone())
}

/// Opens connections to vetted addresses: TCP, and TLS unless this build permits loopback.
#[derive(Clone)]
struct Connector(HttpsConnector<HttpConnector<Guard>>);

impl Connector {
    fn new(loopback: Loopback, lookup: Lookup, tls: ClientConfig) -> Self {
        let mut tcp = HttpConnector::new_with_resolver(Guard::new(loopback, lookup));
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let mut connector = HttpsConnector::from((tcp, tls));
        if loopback == Loopback::Refused {
            connector.enforce_https();
        }
        Self(connector)
    }
}

type BoxError = Box<dyn Error + Send + Sync>;

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = self.0.call(uri);
        Box::pin(async move {
            let connected = tokio::time::timeout(CONNECT_TIMEOUT, connecting).await;
            let connection = connected.map_err(|_| TooSlow)??;
            // Runs in the task of the request, unless that got another connection meanwhile.
            let _ = CONNECTED.try_with(|connected| connected.set(true));
            Ok(connection)
        })
    }
}

/// [`CONNECT_TIMEOUT`] is over.
#[derive(Debug, thiserror::Error)]
#[error("no connection in time")]
pub(crate) struct TooSlow;

pub(crate) fn system_tls(roots: Arc<SystemRoots>) -> Result<ClientConfig, rustls::Error> {
    let tls = tls_versions()?.dangerous().with_custom_certificate_verifier(roots);
    Ok(tls.with_no_client_auth())
}

pub(crate) fn tls_versions()
-> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, rustls::Error> {
    ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
}

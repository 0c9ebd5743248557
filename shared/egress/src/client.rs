//! Sends one POST or GET to a third-party server and reads a bounded response.
//!
//! SSRF guard: the address that is dialled was vetted in the same step that resolved it, without a
//! second lookup. [`Target`] vets addresses written into the URL. Requests are never redirected or
//! proxied; responses are never decompressed.
//!
//! For a POST, **the status counts once a complete head has arrived**. A body that is cut off,
//! malformed, slow or endless costs only part of the excerpt: the receiver has already accepted or
//! rejected the delivery, and a failure here would deliver an accepted event again.
//!
//! A head may have 100 fields and about 400 KiB (defaults of hyper 1 for HTTP/1.1, the only version
//! spoken), and 32 interim ones may come before it. Certificates are checked against the machine's
//! store, on Amazon Linux 2023 `/etc/pki/tls/certs/ca-bundle.crt`, by rustls with aws-lc-rs.

mod get;
mod once;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, Request, Response, header};
use tokio::time::Instant;

pub use get::{GetError, GetResponse};
pub use once::OnceResponse;
pub use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use crate::error::SendError;
use crate::policy::{Loopback, MAX_URL_BYTES, Target};
use crate::roots::SystemRoots;
use crate::transport::{Clock, Transport, system_tls};
use crate::{excerpt, resolve};

/// The loopback policy of this build. A cargo feature, not a setting: no configuration of
/// a deployed function can switch it on.
pub const LOOPBACK: Loopback =
    if cfg!(feature = "loopback") { Loopback::Allowed } else { Loopback::Refused };

/// Names the policy in every binary that can send requests. The build checks for it before a
/// deploy; the log line of [`Http::new`] keeps the linker from dropping it.
const BUILD_MARKER: &str = match LOOPBACK {
    Loopback::Refused => "waypost-egress:public-only",
    Loopback::Allowed => "waypost-egress:with-loopback",
};

/// Bytes of a response body that are read before the connection is dropped.
const BODY_BYTES: usize = 64 * 1024;

/// Time for the body of a POST's response, of which only an excerpt is kept.
const BODY_TIMEOUT: Duration = Duration::from_secs(2);

/// Of a response header. Longer values of `Retry-After` are invalid: an HTTP date has 29 bytes, or
/// 33 in its oldest form.
const HEADER_BYTES: usize = 64;

/// The answer header with which an endpoint ends a delivery, or all of them.
const DELIVERY_DIRECTIVE: HeaderName = HeaderName::from_static("webhook-delivery");

/// Fields that frame or route the message. An endpoint's own headers must not override them.
const RESERVED: [HeaderName; 11] = [
    header::ACCEPT_ENCODING,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::HOST,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("keep-alive"),
];

/// HTTP client with the SSRF guard. Clones share connections. Create one per process: it reads the
/// certificate store.
#[derive(Debug, Clone)]
pub struct Http {
    /// `None` without a network.
    roots: Option<Arc<SystemRoots>>,
    network: Network,
    loopback: Loopback,
}

#[derive(Debug, Clone)]
enum Network {
    Internet(Arc<Transport>),
    #[cfg(feature = "simulation")]
    Simulated(Arc<dyn crate::simulation::Network>),
}

impl Network {
    async fn send(&self, request: Request) -> Result<Response, SendError> {
        match self {
            Self::Internet(transport) => transport.send(request).await,
            #[cfg(feature = "simulation")]
            Self::Simulated(network) => network.send(request).await,
        }
    }

    async fn send_once(&self, request: Request) -> Result<Response, SendError> {
        match self {
            Self::Internet(transport) => transport.send_once(request).await,
            #[cfg(feature = "simulation")]
            Self::Simulated(network) => network.send(request).await,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostResponse {
    /// Any three-digit status from 101 on, registered or not. Redirects are not followed.
    pub status: u16,
    /// The first `Retry-After`, unparsed. `None` also when it is not visible ASCII or over 64
    /// bytes.
    pub retry_after: Option<String>,
    /// The first `webhook-delivery`, unparsed, under the same conditions.
    pub delivery_directive: Option<String>,
    /// Where a 3xx answer points to, without user info, query and fragment, which may hold secrets.
    /// `None` if `Location` is absent or no URL of a host.
    pub redirect_to: Option<String>,
    /// The start of the body, at most 1 KiB of printable text: see [`Http::post`].
    pub excerpt: String,
    /// From the start of the call, connecting included, until the head was complete.
    pub latency: Duration,
}

impl Http {
    /// `clock` reads the time of day, by which idle connections age. Begins to read the machine's
    /// certificates: make it before all else, and wait for it at the end of the start.
    pub fn new(clock: Clock) -> Result<Self, Box<dyn Error + Send + Sync>> {
        tracing::info!(egress = BUILD_MARKER, "http.ready");
        let roots = SystemRoots::read()?;
        let tls = system_tls(Arc::clone(&roots))?;
        let transport = Transport::new(LOOPBACK, resolve::system(), tls, clock);
        Ok(Self { roots: Some(roots), ..Self::over(transport, LOOPBACK) })
    }

    /// Waits until the machine's certificates are read. Fails without any.
    pub fn wait(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
        if let Some(roots) = &self.roots {
            roots.verifier()?;
        }
        Ok(())
    }

    fn over(transport: Transport, loopback: Loopback) -> Self {
        Self { roots: None, network: Network::Internet(Arc::new(transport)), loopback }
    }

    /// Sends requests to simulated servers. Names are not resolved.
    #[cfg(feature = "simulation")]
    pub fn simulated(network: Arc<dyn crate::simulation::Network>) -> Self {
        Self { roots: None, network: Network::Simulated(network), loopback: LOOPBACK }
    }

    /// Sends one POST and reads the response, all within `timeout`, and the body within two seconds
    /// after the head.
    ///
    /// If a reused connection ends before a complete head, the request is sent once more on a new
    /// connection, so the endpoint may get it twice.
    ///
    /// `headers` must contain `Content-Type` and `User-Agent`; fields that frame or route the
    /// message are dropped. The excerpt masks echoed values of headers marked sensitive
    /// ([`HeaderValue::set_sensitive`]) and replaces control and bidi characters (line breaks by
    /// spaces, so JSON stays JSON).
    ///
    /// An error means that no complete head arrived. [`SendError::may_have_arrived`] tells whether
    /// the endpoint may have processed the request nevertheless.
    pub async fn post(
        &self,
        target: &Target,
        headers: HeaderMap,
        body: Vec<u8>,
        timeout: Duration,
    ) -> Result<PostResponse, SendError> {
        target.check(self.loopback)?;
        let start = Instant::now();
        let mut request = request(Method::POST, target, &headers);
        *request.body_mut() = Some(body.into());
        let mut response = tokio::time::timeout(timeout, self.network.send(request))
            .await
            .map_err(|_| SendError::Timeout)??;
        let latency = start.elapsed();
        let body = read(&mut response, timeout.saturating_sub(latency)).await;
        Ok(PostResponse {
            status: response.status().as_u16(),
            retry_after: short_header(response.headers(), header::RETRY_AFTER),
            delivery_directive: short_header(response.headers(), DELIVERY_DIRECTIVE),
            redirect_to: redirect_to(&response, target),
            excerpt: excerpt::of(&body, &headers),
            latency,
        })
    }
}

fn request(method: Method, target: &Target, headers: &HeaderMap) -> Request {
    let mut request = Request::new(method, target.url().clone());
    *request.headers_mut() = unreserved(headers);
    request
}

fn unreserved(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    for name in RESERVED {
        headers.remove(name);
    }
    headers
}

/// Reads until the end, the size limit, an error or a deadline, whichever comes first.
async fn read(response: &mut Response, left: Duration) -> Vec<u8> {
    let mut body = Vec::new();
    let reading = async {
        while let Ok(Some(chunk)) = response.chunk().await {
            let room = BODY_BYTES - body.len();
            body.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if chunk.len() >= room {
                break;
            }
        }
    };
    // A timeout ends the body and is not an error.
    let _ = tokio::time::timeout(left.min(BODY_TIMEOUT), reading).await;
    body
}

fn redirect_to(response: &Response, target: &Target) -> Option<String> {
    let location = response.headers().get(header::LOCATION)?.to_str().ok()?;
    let mut url =
        target.url().join(location).ok().filter(|_| response.status().is_redirection())?;
    // Fails for a URL without a host.
    url.set_username("").and_then(|()| url.set_password(None)).ok()?;
    url.set_query(None);
    url.set_fragment(None);
    (url.as_str().len() <= MAX_URL_BYTES).then(|| url.into())
}

/// The first field of this name. `None` also when it is not visible ASCII or over 64 bytes.
fn short_header(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    (value.len() <= HEADER_BYTES).then(|| value.to_owned())
}

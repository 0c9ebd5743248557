//! The only way a request leaves for somebody else's server: one POST or GET, no surprises, and an answer of bounded
//! size.
//!
//! What the guard promises: the address dialled was vetted in the same step that resolved it and is the one dialled
//! (no second look-up); addresses written into the URL were vetted by [`Target`]; nothing is redirected, proxied,
//! decompressed or sent twice. Answers to a POST follow one rule: **once a complete head has arrived, its status is the
//! answer**. A body that is cut off, malformed, slow or endless costs part of the excerpt and no more, since the
//! receiver has already said what it did; counting it as a failure would deliver again what was accepted.
//!
//! A head may have 100 fields and about 400 KiB (the defaults of hyper 1 for HTTP/1.1, the only version spoken).
//! Certificates are checked against the machine's own store: on Amazon Linux 2023
//! `/etc/pki/tls/certs/ca-bundle.crt`, through rustls with aws-lc-rs, as in the AWS SDK.

use std::time::{Duration, Instant};

use crate::policy::{Loopback, Target};
use reqwest::header;
use reqwest::{Client, ClientBuilder, Response, redirect, retry};

use crate::resolve::{Guard, Lookup};

mod get;

#[cfg(test)]
mod tests;

use crate::error::PostError;
use crate::excerpt;
use crate::resolve;
pub use get::{Answer, GetError};
pub use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

/// Whether this build may post to its own machine. A cargo feature and not a setting, so that nothing that can be
/// changed on a deployed function opens it.
pub const LOOPBACK: Loopback =
    if cfg!(feature = "loopback") { Loopback::Allowed } else { Loopback::Refused };

/// What [`LOOPBACK`] is, to be logged when a client is made: so it stands in every binary that can post, and
/// `make build` can look for it there.
const EGRESS: &str = match LOOPBACK {
    Loopback::Refused => "waypost-egress:public-only",
    Loopback::Allowed => "waypost-egress:with-loopback",
};

/// Bytes of an answer's body that are read; then the connection is dropped.
const BODY_BYTES: usize = 64 * 1024;

/// Time for everything before the request goes out: DNS, TCP (SYN and two repeats), TLS.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Kept short because a connection that slept through a freeze of the function is likely dead, and a request
/// written to it counts as an attempt.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

const IDLE_CONNECTIONS_PER_HOST: usize = 5;

/// Longest `Retry-After` that can mean anything; an HTTP date has 29 bytes, or 33 in its oldest form.
const RETRY_AFTER_BYTES: usize = 64;

/// Fields that frame the message or route it. An endpoint's own headers must not contradict what is really sent.
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

/// The guarded client. Cloning shares connections; make one per process, since it reads the certificate store.
#[derive(Debug, Clone)]
pub struct Http {
    client: Client,
    loopback: Loopback,
}

/// What an endpoint answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Any three-digit status from 101 on, also ones that no RFC knows; 3xx was not followed.
    pub status: u16,
    /// The first `Retry-After` as sent, unparsed; `None` too if it is not visible ASCII or over 64 bytes.
    pub retry_after: Option<String>,
    /// The start of the body, at most 1 KiB of text that is safe to show: see [`Http::post`].
    pub excerpt: String,
    /// From the start of the call, connecting included, until the head was complete.
    pub latency: Duration,
}

impl Http {
    /// Reads the machine's certificates (some milliseconds). Fails if there are none.
    pub fn new() -> Result<Self, reqwest::Error> {
        tracing::info!(egress = EGRESS, "http.ready");
        Self::with(LOOPBACK, resolve::system())
    }

    fn with(loopback: Loopback, lookup: Lookup) -> Result<Self, reqwest::Error> {
        Ok(Self { client: builder(loopback, lookup).build()?, loopback })
    }

    /// Sends one POST and reads the answer, all within `timeout`.
    ///
    /// `headers` need `Content-Type` and `User-Agent`; fields that frame or route the message are dropped. In the
    /// excerpt, values of headers marked sensitive ([`HeaderValue::set_sensitive`]) are masked where the endpoint
    /// echoes them, and control and bidi characters are replaced (line breaks by spaces, so JSON stays JSON).
    ///
    /// An error says that there was no complete head; [`PostError::may_have_arrived`] says whether the endpoint can
    /// have acted on the request all the same.
    pub async fn post(
        &self,
        target: &Target,
        headers: HeaderMap,
        body: Vec<u8>,
        timeout: Duration,
    ) -> Result<Reply, PostError> {
        target.check(self.loopback)?;
        let start = Instant::now();
        let request =
            self.client.post(target.url().clone()).headers(unreserved(&headers)).body(body);
        let mut response = tokio::time::timeout(timeout, request.send())
            .await
            .map_err(|_| PostError::Timeout)?
            .map_err(|error| PostError::of(&error))?;
        let latency = start.elapsed();
        let body = read(&mut response, timeout.saturating_sub(latency)).await;
        Ok(Reply {
            status: response.status().as_u16(),
            retry_after: retry_after(response.headers()),
            excerpt: excerpt::of(&body, &headers),
            latency,
        })
    }
}

/// Some of these are reqwest's defaults today, or no-ops with the features chosen. They are stated because the
/// guard falls without them, and because another crate can switch features on.
fn builder(loopback: Loopback, lookup: Lookup) -> ClientBuilder {
    Client::builder()
        .dns_resolver(Guard::new(loopback, lookup))
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .no_proxy()
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
        .referer(false)
        .http1_only()
        .https_only(loopback == Loopback::Refused)
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(IDLE_CONNECTIONS_PER_HOST)
}

fn unreserved(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    for name in RESERVED {
        headers.remove(name);
    }
    headers
}

/// Reads until the end, the cap, an error or the deadline, whichever is first: see the module's rule.
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
    // Late is not an error here: what has come is the body.
    let _ = tokio::time::timeout(left, reading).await;
    body
}

fn retry_after(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    (value.len() <= RETRY_AFTER_BYTES).then(|| value.to_owned())
}

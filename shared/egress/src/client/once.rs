//! A POST that must not arrive twice: its receiver has no idempotency key.

use std::time::Duration;

use reqwest::{Method, header};
use tokio::time::Instant;

use super::{HeaderMap, Http, read, request, short_header};
use crate::error::SendError;
use crate::policy::Target;

#[derive(Clone, PartialEq, Eq)]
pub struct OnceResponse {
    /// Any three-digit status from 101 on. Redirects are not followed.
    pub status: u16,
    /// The first `Retry-After`, unparsed. `None` also when it is not visible ASCII or over 64
    /// bytes.
    pub retry_after: Option<String>,
    /// The start of the body, at most 64 KiB; less if it is cut off or takes over two seconds.
    pub body: Vec<u8>,
    /// From the start of the call, connecting included, until the head was complete.
    pub latency: Duration,
}

/// Hides the body, which may contain personal data.
impl std::fmt::Debug for OnceResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OnceResponse").field("status", &self.status).finish_non_exhaustive()
    }
}

impl Http {
    /// As [`Http::post`], but on a connection of its own and never sent again: after an error for
    /// which [`SendError::may_have_arrived`] is false, the receiver does not have the request.
    pub async fn post_once(
        &self,
        target: &Target,
        headers: &HeaderMap,
        body: Vec<u8>,
        timeout: Duration,
    ) -> Result<OnceResponse, SendError> {
        target.check(self.loopback)?;
        let start = Instant::now();
        let mut request = request(Method::POST, target, headers);
        *request.body_mut() = Some(body.into());
        let mut response = tokio::time::timeout(timeout, self.network.send_once(request))
            .await
            .map_err(|_| SendError::Timeout)??;
        let latency = start.elapsed();
        let body = read(&mut response, timeout.saturating_sub(latency)).await;
        Ok(OnceResponse {
            status: response.status().as_u16(),
            retry_after: short_header(response.headers(), header::RETRY_AFTER),
            body,
            latency,
        })
    }
}

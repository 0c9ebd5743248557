//! GET: an incomplete body is an error, unlike in a POST.

use std::time::Duration;

use reqwest::{Method, Response, header};
use tokio::time::Instant;

use super::{HeaderMap, Http, request, short_header};
use crate::error::SendError;
use crate::policy::Target;

#[derive(Clone, PartialEq, Eq)]
pub struct GetResponse {
    /// Any three-digit status from 101 on. Redirects are not followed.
    pub status: u16,
    /// The first `Retry-After`, unparsed. `None` also when it is not visible ASCII or over 64
    /// bytes.
    pub retry_after: Option<String>,
    /// The whole body of a 2xx, as sent. Empty for any other status: that body is not read.
    pub body: Vec<u8>,
}

/// Hides the body, which may contain personal data.
impl std::fmt::Debug for GetResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GetResponse").field("status", &self.status).finish_non_exhaustive()
    }
}

/// Contains nothing of the URL, the headers or the body: it goes to logs and rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GetError {
    /// No complete head arrived.
    #[error(transparent)]
    NoHead(#[from] SendError),
    #[error("the response body is too long")]
    TooLong,
    /// The body broke off or exceeded the timeout.
    #[error("the response body is incomplete")]
    Incomplete,
}

impl GetError {
    /// Stable name for logs and rows.
    pub fn code(self) -> &'static str {
        match self {
            Self::NoHead(error) => error.code(),
            Self::TooLong => "body_too_long",
            Self::Incomplete => "body_incomplete",
        }
    }
}

impl Http {
    /// Sends one GET and reads the response, all within `timeout`, with the same guard and header
    /// rules as [`Http::post`]. A body over `max_body` bytes, as sent, is an error.
    pub async fn get(
        &self,
        target: &Target,
        headers: &HeaderMap,
        timeout: Duration,
        max_body: usize,
    ) -> Result<GetResponse, GetError> {
        target.check(self.loopback).map_err(SendError::from)?;
        let start = Instant::now();
        let request = request(Method::GET, target, headers);
        let sent = tokio::time::timeout(timeout, self.network.send(request));
        let mut response = sent.await.map_err(|_| SendError::Timeout)??;
        let left = timeout.saturating_sub(start.elapsed());
        let body = if response.status().is_success() {
            let reading = tokio::time::timeout(left, read_all(&mut response, max_body));
            reading.await.map_err(|_| GetError::Incomplete)??
        } else {
            Vec::new()
        };
        Ok(GetResponse {
            status: response.status().as_u16(),
            retry_after: short_header(response.headers(), header::RETRY_AFTER),
            body,
        })
    }
}

async fn read_all(response: &mut Response, max_body: usize) -> Result<Vec<u8>, GetError> {
    let length = response.content_length().unwrap_or_default();
    if usize::try_from(length).map_or(true, |length| length > max_body) {
        return Err(GetError::TooLong);
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| GetError::Incomplete)? {
        if chunk.len() > max_body - body.len() {
            return Err(GetError::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

//! The GET: it asks for a body, so a body that is cut off is no answer.

use std::time::{Duration, Instant};

use crate::policy::Target;
use reqwest::Response;

use super::{HeaderMap, Http, retry_after, unreserved};
use crate::error::PostError;

/// What a server answered.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// Any three-digit status from 101 on; 3xx was not followed.
    pub status: u16,
    /// The first `Retry-After` as sent, unparsed; `None` too if it is not visible ASCII or over 64 bytes.
    pub retry_after: Option<String>,
    /// The whole body of a 2xx, as sent. Of anything else the body is not read.
    pub body: Vec<u8>,
}

/// Bodies may be about people.
impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer").field("status", &self.status).finish_non_exhaustive()
    }
}

/// Why there is no answer. Says nothing about the URL, the headers or the body, so it may go to logs and rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GetError {
    /// There was no complete head.
    #[error(transparent)]
    NoHead(#[from] PostError),
    /// The body is longer than the caller takes.
    #[error("the body is too long")]
    TooLong,
    /// The body broke off, or was not complete within the timeout.
    #[error("the body is not complete")]
    Incomplete,
}

impl GetError {
    /// A short name for logs and rows that never changes.
    pub fn code(self) -> &'static str {
        match self {
            Self::NoHead(error) => error.code(),
            Self::TooLong => "body_too_long",
            Self::Incomplete => "body_incomplete",
        }
    }
}

impl Http {
    /// Sends one GET and reads the answer, all within `timeout`. Guarded as [`Http::post`] is; `headers` are treated
    /// as there. A body over `max_body` bytes, as sent, is an error.
    ///
    /// # Errors
    /// There is no answer, or not all of one.
    pub async fn get(
        &self,
        target: &Target,
        headers: &HeaderMap,
        timeout: Duration,
        max_body: usize,
    ) -> Result<Answer, GetError> {
        target.check(self.loopback).map_err(PostError::from)?;
        let start = Instant::now();
        let request = self.client.get(target.url().clone()).headers(unreserved(headers));
        let sent =
            tokio::time::timeout(timeout, request.send()).await.map_err(|_| PostError::Timeout)?;
        let mut response = sent.map_err(|error| PostError::of(&error))?;
        let left = timeout.saturating_sub(start.elapsed());
        let body = if response.status().is_success() {
            let reading = tokio::time::timeout(left, read_all(&mut response, max_body));
            reading.await.map_err(|_| GetError::Incomplete)??
        } else {
            Vec::new()
        };
        Ok(Answer {
            status: response.status().as_u16(),
            retry_after: retry_after(response.headers()),
            body,
        })
    }
}

async fn read_all(response: &mut Response, max_body: usize) -> Result<Vec<u8>, GetError> {
    let announced = response.content_length().unwrap_or_default();
    if usize::try_from(announced).map_or(true, |announced| announced > max_body) {
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

//! Failures of a request, by how the sender can react.

use std::error::Error;
use std::io;

use crate::policy::Refused;
use crate::resolve::Blocked;

/// Contains nothing of the URL, the headers or the body: it goes to logs and rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The URL is not a valid target in this build. Final until the endpoint is changed.
    #[error("invalid target: {0}")]
    Refused(#[from] Refused),
    /// SSRF guard: at least one address of the name is not public. Either an attack or a DNS
    /// mistake that the owner can correct, so the caller decides about retries.
    #[error("the host resolves to an address that is not public")]
    Blocked,
    /// The name has no address, or the lookup timed out.
    #[error("the host could not be resolved")]
    Dns,
    /// Refused, unreachable, reset while connecting, or timed out.
    #[error("could not connect")]
    Connect,
    /// The TLS handshake failed: a certificate that is untrusted, expired or for another name, an
    /// old version, or no TLS at all.
    #[error("TLS handshake failed")]
    Tls,
    /// No complete response head within the timeout.
    #[error("no response within the timeout")]
    Timeout,
    /// The connection ended before a complete response head.
    #[error("the connection was closed before a response")]
    Closed,
    /// The response is not HTTP/1.1, or its head exceeds the limits.
    #[error("the response is not valid HTTP")]
    Protocol,
}

impl SendError {
    /// Stable name for logs and rows.
    pub fn code(self) -> &'static str {
        match self {
            Self::Refused(refused) => refused.code(),
            Self::Blocked => "dns_not_public",
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Closed => "closed",
            Self::Protocol => "protocol",
        }
    }

    /// True when the endpoint may have processed the request. `false` is certain; a timeout counts
    /// as `true` even if it struck while connecting.
    pub fn may_have_arrived(self) -> bool {
        matches!(self, Self::Timeout | Self::Closed | Self::Protocol)
    }

    pub(crate) fn of(error: &reqwest::Error) -> Self {
        if find::<Blocked>(error).is_some() {
            return Self::Blocked;
        }
        if error.is_dns() {
            return Self::Dns;
        }
        if error.is_connect() {
            return if causes(error).any(is_handshake) { Self::Tls } else { Self::Connect };
        }
        let ended = find::<hyper::Error>(error)
            .is_some_and(|error| error.is_incomplete_message() || error.is_canceled());
        if ended || find::<io::Error>(error).is_some() { Self::Closed } else { Self::Protocol }
    }
}

/// Before the request is sent, only TLS reads, so only TLS can meet invalid data or an early end.
fn is_handshake(error: &(dyn Error + 'static)) -> bool {
    let kind = error.downcast_ref().map(io::Error::kind);
    matches!(kind, Some(io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof))
}

fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    causes(error).find_map(|error| error.downcast_ref())
}

/// The chain of causes. `source` of an `io::Error` skips the error directly inside, hence
/// `get_ref`.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| match error.downcast_ref::<io::Error>() {
        Some(io) => io.get_ref().map(|inner| inner as &(dyn Error + 'static)),
        None => error.source(),
    })
}

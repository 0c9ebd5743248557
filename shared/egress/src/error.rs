//! Failures of a POST, by what the sender can do about them.

use std::error::Error;
use std::io;

use crate::policy::Refused;

use crate::resolve::Blocked;

/// Why there is no answer. Says nothing about the URL, the headers or the body, so it may go to logs and rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// The URL is not a target for this build. Final until the endpoint is changed.
    #[error("not a target: {0}")]
    Refused(#[from] Refused),
    /// The name resolves to an address that may not be dialled, alone or among others. The owner has to change DNS,
    /// which may also be an attack; a mistake there can heal, so the caller decides whether to try again.
    #[error("the host resolves to an address that is not public")]
    Blocked,
    /// The name has no address, or its servers did not say in time.
    #[error("the host could not be resolved")]
    Dns,
    /// No connection: refused, unreachable, reset while connecting, or not in time.
    #[error("could not connect")]
    Connect,
    /// The TLS handshake failed: certificate untrusted, expired or for another name; old version; not TLS at all.
    #[error("TLS handshake failed")]
    Tls,
    /// No complete answer head within the timeout.
    #[error("no answer within the timeout")]
    Timeout,
    /// The connection ended before a complete answer head.
    #[error("the connection was closed before an answer")]
    Closed,
    /// What came is no HTTP/1.1 answer, or its head passes the limits.
    #[error("the answer is not valid HTTP")]
    Protocol,
}

impl PostError {
    /// A short name for logs and rows that never changes.
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

    /// Whether the endpoint can have acted on the request. `false` is certain; a timeout may have struck while
    /// still connecting, yet counts as `true`.
    pub fn may_have_arrived(self) -> bool {
        matches!(self, Self::Timeout | Self::Closed | Self::Protocol)
    }

    pub(super) fn of(error: &reqwest::Error) -> Self {
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

/// Of what happens before the request, only TLS reads, so only TLS can read nonsense or an end.
fn is_handshake(error: &(dyn Error + 'static)) -> bool {
    let kind = error.downcast_ref().map(io::Error::kind);
    matches!(kind, Some(io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof))
}

fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    causes(error).find_map(|error| error.downcast_ref())
}

/// The error and all it wraps. `source` of an `io::Error` leaves out the error directly inside, hence `get_ref`.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| match error.downcast_ref::<io::Error>() {
        Some(io) => io.get_ref().map(|inner| inner as &(dyn Error + 'static)),
        None => error.source(),
    })
}

//! Failures of a request, by how the sender can react.

use std::error::Error;
use std::io::{self, ErrorKind};

use hyper_util::client::legacy;
use rustls::{AlertDescription, CertificateError, OtherError};

use crate::policy::Refused;
use crate::resolve::{Blocked, NoIpv4, Unresolved};
use crate::transport::TooSlow;

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
    /// The name has IPv6 addresses only. A Lambda function outside a VPC has IPv4 only.
    #[error("the host has no IPv4 address")]
    NoIpv4,
    /// Unreachable, or reset while connecting.
    #[error("could not connect")]
    Connect,
    /// No server listens on the port, or a firewall rejects the connection.
    #[error("the connection was refused")]
    ConnectRefused,
    /// TCP and TLS took more than ten seconds. A firewall may drop the packets.
    #[error("no connection within ten seconds")]
    ConnectTimeout,
    /// The TLS handshake failed for another reason than the following: an old version, a revoked or
    /// malformed certificate, or no TLS at all.
    #[error("TLS handshake failed")]
    Tls,
    /// The server does not send an intermediate certificate, or its certificate is self-signed or
    /// from an authority that is not trusted.
    #[error("the certificate's issuer is unknown: an intermediate certificate may be missing")]
    TlsUnknownIssuer,
    /// Of the server or an intermediate.
    #[error("a certificate has expired")]
    TlsExpired,
    #[error("the certificate is for another host name")]
    TlsWrongName,
    /// The server refuses HTTP/1.1 in the TLS handshake (ALPN). One that answers in HTTP/2 without
    /// ALPN is a [`Self::Protocol`] error.
    #[error("the server does not speak HTTP/1.1")]
    Http2Only,
    /// No complete response head within the timeout.
    #[error("no response within the timeout")]
    Timeout,
    /// The connection ended before a complete response head.
    #[error("the connection was closed before a response")]
    Closed,
    /// The response is not HTTP/1.1, its head exceeds the limits, or too many interim responses
    /// (1xx) come before it.
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
            Self::NoIpv4 => "dns_no_ipv4",
            Self::Connect => "connect",
            Self::ConnectRefused => "connect_refused",
            Self::ConnectTimeout => "connect_timeout",
            Self::Tls => "tls",
            Self::TlsUnknownIssuer => "tls_unknown_issuer",
            Self::TlsExpired => "tls_expired",
            Self::TlsWrongName => "tls_wrong_name",
            Self::Http2Only => "http2_only",
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

    pub(crate) fn of(error: &legacy::Error) -> Self {
        if find::<Blocked>(error).is_some() {
            return Self::Blocked;
        }
        if find::<NoIpv4>(error).is_some() {
            return Self::NoIpv4;
        }
        if find::<Unresolved>(error).is_some() {
            return Self::Dns;
        }
        if error.is_connect() {
            // Before the request is sent, only TLS reads, so only TLS can meet an early end.
            return match find(error) {
                Some(failure) => Self::of_tls(failure),
                None if causes(error).any(is_io(ErrorKind::UnexpectedEof)) => Self::Tls,
                None if causes(error).any(is_io(ErrorKind::ConnectionRefused)) => {
                    Self::ConnectRefused
                }
                None if find::<TooSlow>(error).is_some() => Self::ConnectTimeout,
                None if causes(error).any(is_io(ErrorKind::TimedOut)) => Self::ConnectTimeout,
                None => Self::Connect,
            };
        }
        let ended = find::<hyper::Error>(error)
            .is_some_and(|error| error.is_incomplete_message() || error.is_canceled());
        if ended || find::<io::Error>(error).is_some() { Self::Closed } else { Self::Protocol }
    }

    fn of_tls(error: &rustls::Error) -> Self {
        use CertificateError::{
            Expired, ExpiredContext, NotValidForName, NotValidForNameContext, Other, UnknownIssuer,
        };
        match error {
            rustls::Error::AlertReceived(AlertDescription::NoApplicationProtocol) => {
                Self::Http2Only
            }
            rustls::Error::InvalidCertificate(reason) => match reason {
                UnknownIssuer => Self::TlsUnknownIssuer,
                Other(other) if is_authority(other) => Self::TlsUnknownIssuer,
                Expired | ExpiredContext { .. } => Self::TlsExpired,
                NotValidForName | NotValidForNameContext { .. } => Self::TlsWrongName,
                _ => Self::Tls,
            },
            _ => Self::Tls,
        }
    }
}

/// True for the certificate of an authority in the place of a server's, as `openssl req -x509` makes
/// self-signed ones.
fn is_authority(OtherError(error): &OtherError) -> bool {
    matches!(error.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity))
}

fn is_io(kind: ErrorKind) -> impl Fn(&(dyn Error + 'static)) -> bool {
    move |error| error.downcast_ref().map(io::Error::kind) == Some(kind)
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

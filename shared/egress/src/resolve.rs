//! DNS resolution with the SSRF guard: the client gets vetted addresses or none.

use std::error::Error;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use hyper_util::client::legacy::connect::dns::Name;
use tower::Service;

use crate::policy::{Loopback, permits};

/// As in smokescreen. `getaddrinfo` cannot be cancelled: after the timeout, a thread of tokio's
/// pool stays busy until the system's resolver gives up (10 s by default for each server).
const DNS_TIMEOUT: Duration = Duration::from_secs(5);

/// Returns all addresses of a name.
pub(crate) type Lookup =
    Arc<dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> + Send + Sync>;

#[derive(Debug, thiserror::Error)]
#[error("the name has an address that is not permitted")]
pub(crate) struct Blocked;

#[derive(Debug, thiserror::Error)]
#[error("the name has no IPv4 address")]
pub(crate) struct NoIpv4;

#[derive(Debug, thiserror::Error)]
#[error("the name has no address, or the lookup failed")]
pub(crate) struct Unresolved;

/// The system's resolver.
pub(crate) fn system() -> Lookup {
    Arc::new(|name| {
        Box::pin(async move {
            let addresses = tokio::net::lookup_host((name, 0)).await?;
            Ok(addresses.map(|address| address.ip()).collect())
        })
    })
}

/// Resolves through a [`Lookup`] and returns all addresses, or an error if any is not permitted: a
/// name that mixes public and private addresses is an attack or a mistake.
///
/// Loopback addresses, where allowed, are valid for `localhost` only. A name without an IPv4 address
/// is an error of its own: the functions cannot reach it.
#[derive(Clone)]
pub(crate) struct Guard {
    loopback: Loopback,
    lookup: Lookup,
}

impl Guard {
    pub(crate) fn new(loopback: Loopback, lookup: Lookup) -> Self {
        Self { loopback, lookup }
    }
}

type BoxError = Box<dyn Error + Send + Sync>;
type Addresses = std::vec::IntoIter<SocketAddr>;

impl Service<Name> for Guard {
    type Response = Addresses;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Addresses, BoxError>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let loopback = if name.as_str() == "localhost" { self.loopback } else { Loopback::Refused };
        let lookup = (self.lookup)(name.as_str().to_owned());
        Box::pin(async move {
            let addresses = tokio::time::timeout(DNS_TIMEOUT, lookup).await;
            let addresses = addresses.map_err(|_| Unresolved)?.map_err(|_| Unresolved)?;
            if addresses.is_empty() {
                return Err(Unresolved.into());
            }
            if !addresses.iter().all(|&ip| permits(ip, loopback)) {
                return Err(Blocked.into());
            }
            if !addresses.iter().any(IpAddr::is_ipv4) {
                return Err(NoIpv4.into());
            }
            // With port 0, hyper uses the port of the URL.
            let addresses = addresses.into_iter().map(|ip| SocketAddr::new(ip, 0));
            Ok(addresses.collect::<Vec<_>>().into_iter())
        })
    }
}

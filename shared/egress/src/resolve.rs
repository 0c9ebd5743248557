//! DNS with the guard in it: the client gets vetted addresses or none.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use crate::policy::{Loopback, permits};
use futures::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// As smokescreen has it. `getaddrinfo` cannot be cancelled: after this the caller is free, but a thread of tokio's
/// pool stays busy until the system's resolver gives up (10 s by default for each server).
const DNS_TIMEOUT: Duration = Duration::from_secs(5);

/// Asks for all addresses of a name.
pub(super) type Lookup =
    Arc<dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> + Send + Sync>;

/// At least one address of the name may not be dialled.
#[derive(Debug, thiserror::Error)]
#[error("the name has an address that may not be dialled")]
pub(super) struct Blocked;

/// The system's resolver, as reqwest itself uses it.
pub(super) fn system() -> Lookup {
    Arc::new(|name| {
        Box::pin(async move {
            let addresses = tokio::net::lookup_host((name, 0)).await?;
            Ok(addresses.map(|address| address.ip()).collect())
        })
    })
}

/// Resolves through a [`Lookup`] and passes on all of its answers or, if any is not permitted, none: a name that
/// mixes public and private addresses is an attack or a mistake, and would otherwise succeed by luck.
///
/// Loopback, where it is allowed, is an answer for `localhost` alone; any other name must be public.
pub(super) struct Guard {
    loopback: Loopback,
    lookup: Lookup,
}

impl Guard {
    pub(super) fn new(loopback: Loopback, lookup: Lookup) -> Self {
        Self { loopback, lookup }
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let loopback = if name.as_str() == "localhost" { self.loopback } else { Loopback::Refused };
        let lookup = (self.lookup)(name.as_str().to_owned());
        Box::pin(async move {
            let addresses = tokio::time::timeout(DNS_TIMEOUT, lookup).await??;
            if addresses.is_empty() {
                return Err(io::Error::from(io::ErrorKind::NotFound).into());
            }
            if !addresses.iter().all(|&ip| permits(ip, loopback)) {
                return Err(Blocked.into());
            }
            // Port 0 stands for the URL's.
            let addresses = addresses.into_iter().map(|ip| SocketAddr::new(ip, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}

//! SSRF policy: which URLs an endpoint may have, and which addresses may be dialled.
//!
//! Customers write the URLs of endpoints, and the functions that post to them run next to services
//! that trust their callers (the Lambda runtime API, the metadata and credential services). So both
//! checks deny by default: a URL must be plain HTTPS to a public host, an address must be globally
//! routable unicast. This module does not resolve names; the client applies [`permits`] to every
//! address, on each lookup.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};
use url::{Host, Url};

#[cfg(test)]
mod tests;

/// In bytes, as written and as normalised.
pub const MAX_URL_BYTES: usize = 2048;

pub const PORTS: [u16; 1] = [443];

/// Policy for targets on this machine. `Allowed` is for tests and the local stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loopback {
    Refused,
    /// Permits `localhost`, 127.0.0.0/8 and ::1, also over http and on any port. Changes no other
    /// rule.
    Allowed,
}

/// Why a URL is not a valid target. The messages are for the owner of the endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("the URL is longer than {MAX_URL_BYTES} bytes")]
    TooLong,
    #[error("must be an absolute URL with a valid host and port")]
    Malformed,
    #[error("the URL must start with https://")]
    Scheme,
    /// Credentials would reach logs, and hide the host from readers.
    #[error("the URL must not contain a user name or password")]
    UserInfo,
    /// `localhost`, a bare label, or a dot at the end.
    #[error("the host must be a full public DNS name")]
    HostName,
    #[error("the host must be a public address")]
    Address,
    #[error("the port must be 443")]
    Port,
}

impl Refused {
    /// Stable name for logs, rows and API responses.
    pub fn code(self) -> &'static str {
        match self {
            Self::TooLong => "url_too_long",
            Self::Malformed => "url_malformed",
            Self::Scheme => "url_scheme",
            Self::UserInfo => "url_userinfo",
            Self::HostName => "url_host_name",
            Self::Address => "url_address",
            Self::Port => "url_port",
        }
    }
}

/// A vetted URL. Its host name is vetted when it is resolved.
///
/// `Debug` shows only scheme and host: paths and queries of webhook URLs often contain a token.
#[derive(Clone, PartialEq, Eq)]
pub struct Target(Url);

impl Target {
    /// Vets the normalised form, as the client will see it: `https://0x7f.1` is 127.0.0.1 (WHATWG
    /// URL, host parsing), and an internationalised name is its punycode (UTS 46).
    pub fn parse(text: &str, loopback: Loopback) -> Result<Self, Refused> {
        if text.len() > MAX_URL_BYTES {
            return Err(Refused::TooLong);
        }
        let target = Self(Url::parse(text).map_err(|_| Refused::Malformed)?);
        target.check(loopback)?;
        Ok(target)
    }

    /// Vets again, because the sender's policy may differ from the one used for parsing.
    pub fn check(&self, loopback: Loopback) -> Result<(), Refused> {
        let url = &self.0;
        if url.as_str().len() > MAX_URL_BYTES {
            return Err(Refused::TooLong);
        }
        let local = loopback == Loopback::Allowed && is_local(url.host());
        match url.scheme() {
            "https" => {}
            "http" if local => {}
            _ => return Err(Refused::Scheme),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refused::UserInfo);
        }
        if local {
            return Ok(());
        }
        check_host(url.host())?;
        match url.port_or_known_default() {
            Some(port) if PORTS.contains(&port) => Ok(()),
            _ => Err(Refused::Port),
        }
    }

    pub fn url(&self) -> &Url {
        &self.0
    }

    /// A name (punycode if internationalised), an IPv4 address, or an IPv6 address in brackets; safe to log.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({}://{})", self.0.scheme(), self.host())
    }
}

fn is_local(host: Option<Host<&str>>) -> bool {
    match host {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

fn check_host(host: Option<Host<&str>>) -> Result<(), Refused> {
    let ip = match host {
        Some(Host::Domain(name)) if is_full_name(name) => return Ok(()),
        Some(Host::Domain(_)) | None => return Err(Refused::HostName),
        Some(Host::Ipv4(ip)) => IpAddr::from(ip),
        Some(Host::Ipv6(ip)) => IpAddr::from(ip),
    };
    if is_public(ip) { Ok(()) } else { Err(Refused::Address) }
}

/// The resolver's search list would complete a bare label, a dot at the end would evade comparisons
/// by name, and `.localhost` is this machine by definition (RFC 6761 6.3).
fn is_full_name(name: &str) -> bool {
    name.contains('.') && !name.ends_with('.') && !name.ends_with(".localhost")
}

/// The check before a connection: public, or loopback where allowed.
pub fn permits(ip: IpAddr, loopback: Loopback) -> bool {
    is_public(ip) || (loopback == Loopback::Allowed && ip.is_loopback())
}

/// True for globally routable unicast addresses outside every special-purpose block.
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !SPECIAL_V4.iter().any(|net| net.contains(&ip)),
        IpAddr::V6(ip) => {
            GLOBAL_V6.contains(&ip) && !SPECIAL_V6.iter().any(|net| net.contains(&ip))
        }
    }
}

const fn v4(a: u8, b: u8, c: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, 0), prefix)
}

const fn v6(a: u16, b: u16, c: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), prefix)
}

/// The whole IANA IPv4 Special-Purpose Address Registry (RFC 6890), and multicast. The registry's
/// few globally reachable blocks (anycast relays, AS112) do not host webhook endpoints either.
const SPECIAL_V4: [Ipv4Net; 18] = [
    v4(0, 0, 0, 8),       // this network
    v4(10, 0, 0, 8),      // private
    v4(100, 64, 0, 10),   // carrier-grade NAT
    v4(127, 0, 0, 8),     // loopback; the Lambda runtime API
    v4(169, 254, 0, 16),  // link-local; metadata, credentials, X-Ray
    v4(172, 16, 0, 12),   // private
    v4(192, 0, 0, 24),    // IETF protocol assignments
    v4(192, 0, 2, 24),    // documentation
    v4(192, 31, 196, 24), // AS112
    v4(192, 52, 193, 24), // AMT
    v4(192, 88, 99, 24),  // 6to4 relays
    v4(192, 168, 0, 16),  // private
    v4(192, 175, 48, 24), // AS112
    v4(198, 18, 0, 15),   // benchmarking
    v4(198, 51, 100, 24), // documentation
    v4(203, 0, 113, 24),  // documentation
    v4(224, 0, 0, 4),     // multicast
    v4(240, 0, 0, 4),     // reserved; limited broadcast
];

/// The IPv6 unicast space that IANA allocates. All forms that embed an IPv4 address at a fixed
/// place (mapped, compatible, translated, NAT64) lie outside, as do unique-local, link-local and
/// multicast.
const GLOBAL_V6: Ipv6Net = v6(0x2000, 0, 0, 3);

/// The IANA IPv6 Special-Purpose Address Registry within [`GLOBAL_V6`].
const SPECIAL_V6: [Ipv6Net; 5] = [
    v6(0x2001, 0, 0, 23),         // IETF protocol assignments; Teredo
    v6(0x2001, 0xdb8, 0, 32),     // documentation
    v6(0x2002, 0, 0, 16),         // 6to4
    v6(0x2620, 0x4f, 0x8000, 48), // AS112
    v6(0x3fff, 0, 0, 20),         // documentation
];

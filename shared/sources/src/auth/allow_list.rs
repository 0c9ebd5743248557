//! Lists of addresses that requests may come from.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};
use serde::Deserialize;

use super::AuthError;

/// IP addresses and CIDR ranges. An empty list would reject every request and is an invalid
/// setting.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "Vec<Network>")]
pub(crate) struct AllowList(Vec<Network>);

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct Network(IpNet);

impl TryFrom<String> for Network {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let net = text.parse().or_else(|_| text.parse().map(IpAddr::into));
        net.map(|net| Self(canonical(net))).map_err(|_| "must be an IP address or a CIDR range")
    }
}

/// Turns `::ffff:a.b.c.d/96+n` into `a.b.c.d/n`.
fn canonical(net: IpNet) -> IpNet {
    let IpNet::V6(v6) = net else { return net };
    let mapped = v6.addr().to_ipv4_mapped().zip(v6.prefix_len().checked_sub(96));
    mapped.and_then(|(addr, prefix)| Ipv4Net::new(addr, prefix).ok()).map_or(net, IpNet::V4)
}

impl TryFrom<Vec<Network>> for AllowList {
    type Error = &'static str;

    fn try_from(networks: Vec<Network>) -> Result<Self, Self::Error> {
        if networks.is_empty() { Err("must not be empty") } else { Ok(Self(networks)) }
    }
}

impl AllowList {
    pub(crate) fn check(&self, source_ip: Option<IpAddr>) -> Result<(), AuthError> {
        // An IPv4-mapped IPv6 address counts as IPv4 and is in no IPv6 range.
        let ip = source_ip.ok_or(AuthError::Address)?.to_canonical();
        let listed = self.0.iter().any(|network| network.0.contains(&ip));
        if listed { Ok(()) } else { Err(AuthError::Address) }
    }
}

//! What gates are made of: address lists, tokens, signatures.

use std::net::IpAddr;

use data_encoding::HEXLOWER_PERMISSIVE;
use domain::core::request_body::{InvalidBody, read_object};
use hmac::{Hmac, KeyInit, Mac};
use ipnet::{IpNet, Ipv4Net};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::{AuthError, InvalidSetting};

/// Reads the `settings` parameter of a source.
pub(crate) fn read_settings<T: DeserializeOwned>(text: &str) -> Result<T, InvalidSetting> {
    read_parameter("settings", text)
}

/// Reads the `secret` parameter of a source that has several secrets.
pub(crate) fn read_secret<T: DeserializeOwned>(secret: Option<&str>) -> Result<T, InvalidSetting> {
    read_parameter("secret", require_secret(secret)?)
}

fn read_parameter<T: DeserializeOwned>(
    parameter: &'static str,
    text: &str,
) -> Result<T, InvalidSetting> {
    read_object(text.as_bytes()).map_err(|error| match error {
        InvalidBody::Malformed(_) => {
            InvalidSetting { parameter, field: None, problem: "must be a JSON object".to_owned() }
        }
        InvalidBody::Invalid { field, message } => {
            InvalidSetting { parameter, field: Some(field), problem: message }
        }
    })
}

/// Requires the `secret` parameter of a source.
pub(crate) fn require_secret(secret: Option<&str>) -> Result<&str, InvalidSetting> {
    let problem = match secret {
        Some(secret) if !secret.trim().is_empty() => return Ok(secret),
        Some(_) => "must not be empty",
        None => "is missing",
    };
    Err(InvalidSetting { parameter: "secret", field: None, problem: problem.to_owned() })
}

/// One address or CIDR range of a settings list.
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

/// `::ffff:a.b.c.d/96+n` is a.b.c.d/n.
fn canonical(net: IpNet) -> IpNet {
    let IpNet::V6(v6) = net else { return net };
    let mapped = v6.addr().to_ipv4_mapped().zip(v6.prefix_len().checked_sub(96));
    mapped.and_then(|(addr, prefix)| Ipv4Net::new(addr, prefix).ok()).map_or(net, IpNet::V4)
}

/// The addresses that requests may come from. A list that names none admits nobody, and is refused as a setting.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "Vec<Network>")]
pub(crate) struct AllowList(Vec<Network>);

impl TryFrom<Vec<Network>> for AllowList {
    type Error = &'static str;

    fn try_from(networks: Vec<Network>) -> Result<Self, Self::Error> {
        if networks.is_empty() { Err("must not be empty") } else { Ok(Self(networks)) }
    }
}

impl AllowList {
    pub(crate) fn check(&self, source_ip: Option<IpAddr>) -> Result<(), AuthError> {
        // An IPv4 address written as IPv6 is that IPv4 address, and in no IPv6 range.
        let ip = source_ip.ok_or(AuthError::Address)?.to_canonical();
        let listed = self.0.iter().any(|network| network.0.contains(&ip));
        if listed { Ok(()) } else { Err(AuthError::Address) }
    }
}

/// A token that the sender shows. Only its digest is kept, so that a comparison cannot tell its length.
pub(crate) struct Token([u8; 32]);

impl Token {
    pub(crate) fn new(token: &str) -> Self {
        Self(Sha256::digest(token).into())
    }

    pub(crate) fn check(&self, shown: Option<&str>) -> Result<(), AuthError> {
        let shown = Sha256::digest(shown.ok_or(AuthError::Credentials)?);
        if bool::from(self.0.ct_eq(shown.as_slice())) {
            Ok(())
        } else {
            Err(AuthError::Credentials)
        }
    }
}

/// A key that the sender signs bodies with.
pub(crate) struct SigningKey(Vec<u8>);

impl SigningKey {
    pub(crate) fn new(key: &str) -> Self {
        Self(key.as_bytes().to_vec())
    }

    /// Checks `sha256=` and 64 hexadecimal digits over the bytes as sent, in constant time.
    pub(crate) fn check(&self, signature: Option<&str>, body: &[u8]) -> Result<(), AuthError> {
        let digits = signature
            .and_then(|text| text.strip_prefix("sha256="))
            .filter(|digits| digits.len() == 64);
        let tag = digits.and_then(|digits| HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok());
        let mac = Hmac::<Sha256>::new_from_slice(&self.0).map_err(|_| AuthError::Credentials)?;
        mac.chain_update(body)
            .verify_slice(&tag.ok_or(AuthError::Credentials)?)
            .map_err(|_| AuthError::Credentials)
    }
}

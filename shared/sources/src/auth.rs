//! Webhook authentication: tokens, HMAC signatures, address lists.
//!
//! A source with one mode needs one line in its `configure`: [`hmac()`] or [`token()`]. No built-in
//! source uses them yet: all of those have several modes or another proof.

mod allow_list;
mod header;
mod secret;

use domain::core::id::AccountCode;
use serde::Deserialize;

use crate::reading::TenantHint;
use crate::request::Request;
use crate::setup::{InvalidSetting, Setup, read_settings, require_secrets};

pub(crate) use allow_list::AllowList;
pub(crate) use header::{HeaderAuthenticator, Proof};
pub(crate) use secret::{SigningKeys, Tokens};

/// Checks the requests of one source, on its plain path or on one hook.
pub trait Authenticator: Send + Sync {
    fn authenticate(&self, request: &Request<'_>) -> Result<(), AuthError>;

    /// The tenant of requests to the plain path. A hook belongs to its own account.
    fn tenant(&self) -> Tenant;

    /// Maps the body of a [`Tenant::PerUpdate`] request to the one account that all of it belongs
    /// to.
    fn account_of(&self, _hint: &TenantHint) -> Option<AccountCode> {
        None
    }

    /// Answers a provider that verifies the endpoint with a GET request.
    fn handshake(&self, _query: &[(&str, &str)]) -> Handshake {
        Handshake::Unsupported
    }
}

/// The account that a request belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tenant {
    Account(AccountCode),
    /// Each update in the body has its own tenant.
    PerUpdate,
    /// The settings name no account: only hooks are open.
    Unassigned,
}

impl From<Option<AccountCode>> for Tenant {
    fn from(account: Option<AccountCode>) -> Self {
        account.map_or(Self::Unassigned, Self::Account)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// 403.
    #[error("the address is not on the allow list")]
    Address,
    /// 403.
    #[error("this path has no credential: use a hook")]
    Path,
    /// 401.
    #[error("the credentials are missing or wrong")]
    Credentials,
}

/// The answer to an endpoint verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handshake {
    /// 200 with this text as plain text.
    Echo(String),
    /// 403.
    Refused,
    /// 404: the source does not verify endpoints.
    Unsupported,
}

/// Settings of sources with one way to authenticate. A misspelt field could disable a check, so
/// unknown fields are rejected.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    account: Option<AccountCode>,
    allowed_ips: Option<AllowList>,
}

/// Requires `sha256=<hex HMAC-SHA256 of the body>`, keyed with the source's secret, in `header`.
pub fn hmac(
    setup: &Setup<'_>,
    header: &'static str,
) -> Result<Box<dyn Authenticator>, InvalidSetting> {
    header_authenticator(setup, |secrets| Proof::Signature {
        header,
        keys: SigningKeys::new(secrets),
    })
}

/// Requires the source's secret in `header`.
pub fn token(
    setup: &Setup<'_>,
    header: &'static str,
) -> Result<Box<dyn Authenticator>, InvalidSetting> {
    header_authenticator(setup, |secrets| Proof::Token {
        headers: vec![header],
        tokens: Tokens::new(secrets),
    })
}

fn header_authenticator(
    setup: &Setup<'_>,
    proof: impl FnOnce(Vec<&str>) -> Proof,
) -> Result<Box<dyn Authenticator>, InvalidSetting> {
    let Settings { account, allowed_ips } = read_settings(setup.settings)?;
    let proof = proof(require_secrets(setup.secret)?);
    Ok(Box::new(HeaderAuthenticator { tenant: account.into(), allowed_ips, proof }))
}

#[cfg(test)]
mod tests;

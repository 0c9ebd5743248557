//! Who may send Shiprocket's webhooks.
//!
//! Shiprocket signs nothing: what it can send is the panel's token in `x-api-key`. HMAC is for who puts a signing
//! proxy in between.

use domain::core::id::AccountCode;
use serde::Deserialize;

use crate::auth::{AllowList, SigningKey, Token, read_settings, require_secret};
use crate::{AuthError, Authenticator, InvalidSetting, Owner, Request, Setup};

/// `sources/shiprocket/settings`. A misspelt field could open what it should close, so none is ignored.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    mode: Mode,
    account: AccountCode,
    allowed_ips: Option<AllowList>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Token,
    Hmac,
}

enum Proof {
    Token(Token),
    Signature(SigningKey),
}

struct ShiprocketAuthenticator {
    account: AccountCode,
    allowed: Option<AllowList>,
    proof: Proof,
}

pub(super) fn configure(setup: &Setup<'_>) -> Result<Box<dyn Authenticator>, InvalidSetting> {
    let Settings { mode, account, allowed_ips: allowed } = read_settings(setup.settings)?;
    let secret = require_secret(setup.secret)?;
    let proof = match mode {
        Mode::Token => Proof::Token(Token::new(secret)),
        Mode::Hmac => Proof::Signature(SigningKey::new(secret)),
    };
    Ok(Box::new(ShiprocketAuthenticator { account, allowed, proof }))
}

impl Authenticator for ShiprocketAuthenticator {
    fn authenticate(&self, request: &Request<'_>) -> Result<(), AuthError> {
        if let Some(allowed) = &self.allowed {
            allowed.check(request.source_ip)?;
        }
        match &self.proof {
            Proof::Token(token) => token.check(request.header("x-api-key")),
            Proof::Signature(key) => key.check(request.header("x-webhook-signature"), request.body),
        }
    }

    fn owner(&self, _body: &[u8]) -> Owner {
        Owner::Account(self.account.clone())
    }
}

#[cfg(test)]
mod tests;

//! Authentication of Shiprocket's webhooks.
//!
//! Shiprocket does not sign its requests; it sends the token from its panel in `x-api-key`, of some
//! accounts in `anx-api-key`. HMAC is for a signing proxy in between.

use domain::core::id::AccountCode;
use serde::Deserialize;

use crate::auth::{AllowList, HeaderAuthenticator, Proof, SigningKeys, Tokens};
use crate::setup::{read_settings, require_secrets};
use crate::{Authenticator, InvalidSetting, Setup, Tenant};

const TOKEN_HEADERS: [&str; 2] = ["x-api-key", "anx-api-key"];

/// `sources/shiprocket/settings`. A misspelt field could disable a check, so unknown fields are
/// rejected.
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

pub(super) fn configure(setup: &Setup<'_>) -> Result<Box<dyn Authenticator>, InvalidSetting> {
    let Settings { mode, account, allowed_ips } = read_settings(setup.settings)?;
    let secrets = require_secrets(setup.secret)?;
    let proof = match mode {
        Mode::Token => {
            Proof::Token { headers: TOKEN_HEADERS.to_vec(), tokens: Tokens::new(secrets) }
        }
        Mode::Hmac => {
            Proof::Signature { header: "x-webhook-signature", keys: SigningKeys::new(secrets) }
        }
    };
    Ok(Box::new(HeaderAuthenticator { tenant: Tenant::Account(account), allowed_ips, proof }))
}

#[cfg(test)]
mod tests;

//! Authentication of eSahayak's webhooks.
//!
//! eSahayak does not sign its requests. Its guide names the addresses that it sends from,
//! 52.66.123.0/24 and 13.127.45.0/24. These belong to AWS, and anybody can rent one there, so a
//! secret path has to go with them. HMAC is for a signing proxy in between.

use domain::core::id::AccountCode;
use serde::Deserialize;

use crate::auth::{AllowList, HeaderAuthenticator, Proof, SigningKeys};
use crate::setup::{read_settings, require_secrets};
use crate::{Authenticator, InvalidSetting, Setup};

/// `sources/esahayak/settings`. A misspelt field could disable a check, so unknown fields are
/// rejected.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    mode: Mode,
    account: Option<AccountCode>,
    allowed_cidrs: Option<AllowList>,
    /// The mode `network` accepts webhooks on the plain path too, which everybody knows.
    #[serde(default)]
    plain_path: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Network,
    Hmac,
}

pub(super) fn configure(setup: &Setup<'_>) -> Result<Box<dyn Authenticator>, InvalidSetting> {
    let Settings { mode, account, allowed_cidrs, plain_path } = read_settings(setup.settings)?;
    let (allowed_ips, proof) = match mode {
        Mode::Network => {
            let allowed = allowed_cidrs.ok_or_else(missing_list)?;
            match setup.hook {
                Some(hook) => hook.require_long_id().map(|()| (None, Proof::Address(allowed)))?,
                None if plain_path => (None, Proof::Address(allowed)),
                None => (Some(allowed), Proof::Closed),
            }
        }
        Mode::Hmac => {
            let keys = SigningKeys::new(require_secrets(setup.secret)?);
            (allowed_cidrs, Proof::Signature { header: "x-webhook-signature", keys })
        }
    };
    Ok(Box::new(HeaderAuthenticator { tenant: account.into(), allowed_ips, proof }))
}

fn missing_list() -> InvalidSetting {
    let problem = "is required when mode is network".to_owned();
    InvalidSetting { parameter: "settings", field: Some("allowed_cidrs".to_owned()), problem }
}

#[cfg(test)]
mod tests;

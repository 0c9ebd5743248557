//! Who may send eSahayak's webhooks.
//!
//! eSahayak signs nothing so far: what tells it from strangers is the addresses that its guide names, 52.66.123.0/24
//! and 13.127.45.0/24. HMAC is for the day it signs, or for who puts a signing proxy in between.

use domain::core::id::AccountCode;
use serde::Deserialize;

use crate::auth::{AllowList, SigningKey, read_settings, require_secret};
use crate::{AuthError, Authenticator, InvalidSetting, Owner, Request, Setup};

/// `sources/esahayak/settings`. A misspelt field could open what it should close, so none is ignored.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    mode: Mode,
    account: Option<AccountCode>,
    allowed_cidrs: Option<AllowList>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Network,
    Hmac,
}

enum Proof {
    Network(AllowList),
    Signature(Option<AllowList>, SigningKey),
}

struct EsahayakAuthenticator {
    account: Option<AccountCode>,
    proof: Proof,
}

pub(super) fn configure(setup: &Setup<'_>) -> Result<Box<dyn Authenticator>, InvalidSetting> {
    let Settings { mode, account, allowed_cidrs: allowed } = read_settings(setup.settings)?;
    let proof = match mode {
        Mode::Network => Proof::Network(allowed.ok_or_else(no_list)?),
        Mode::Hmac => Proof::Signature(allowed, SigningKey::new(require_secret(setup.secret)?)),
    };
    Ok(Box::new(EsahayakAuthenticator { account, proof }))
}

fn no_list() -> InvalidSetting {
    let problem = "is required where mode is network".to_owned();
    InvalidSetting { parameter: "settings", field: Some("allowed_cidrs".to_owned()), problem }
}

impl Authenticator for EsahayakAuthenticator {
    fn authenticate(&self, request: &Request<'_>) -> Result<(), AuthError> {
        match &self.proof {
            Proof::Network(allowed) => allowed.check(request.source_ip),
            Proof::Signature(allowed, key) => {
                allowed.as_ref().map_or(Ok(()), |allowed| allowed.check(request.source_ip))?;
                key.check(request.header("x-webhook-signature"), request.body)
            }
        }
    }

    /// eSahayak's bodies name no account of ours.
    fn owner(&self, _body: &[u8]) -> Owner {
        self.account.clone().map_or(Owner::Nobody, Owner::Account)
    }
}

#[cfg(test)]
mod tests;

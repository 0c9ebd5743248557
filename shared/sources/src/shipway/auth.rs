//! Authentication of Shipway's webhooks.
//!
//! Shipway does not sign its requests and sets no headers. A `status_feed` carries a `hash` of the
//! shop's credentials. Its other bodies carry no proof and need a hook with a secret path.

use domain::core::request_body::read_object;
use serde::Deserialize;

use super::settings::{Credentials, Settings};
use crate::auth::Tokens;
use crate::setup::require_secrets;
use crate::{AuthError, Authenticator, Hook, InvalidSetting, Request, Setup, Tenant};

enum ShipwayProof {
    /// The body's `hash`, of the current or the previous credentials.
    Hash(Tokens),
    /// The hook's own secret, in the body's `hash` or in `x-api-key`.
    Secret(Tokens),
    /// The secret path.
    HookId,
}

struct ShipwayAuthenticator {
    settings: Settings,
    proof: ShipwayProof,
}

pub(super) fn configure(setup: &Setup<'_>) -> Result<Box<dyn Authenticator>, InvalidSetting> {
    let settings = Settings::read(setup.settings)?;
    let proof = match setup.hook {
        None => {
            let credentials = Credentials::read(setup.secret)?;
            ShipwayProof::Hash(Tokens::new(credentials.hashes()))
        }
        Some(Hook { has_secret: true, .. }) => {
            ShipwayProof::Secret(Tokens::new(require_secrets(setup.secret)?))
        }
        Some(hook) => hook.require_long_id().map(|()| ShipwayProof::HookId)?,
    };
    Ok(Box::new(ShipwayAuthenticator { settings, proof }))
}

impl Authenticator for ShipwayAuthenticator {
    fn authenticate(&self, request: &Request<'_>) -> Result<(), AuthError> {
        match &self.proof {
            ShipwayProof::Hash(tokens) => tokens.check(hash(request.body).as_deref()),
            ShipwayProof::Secret(tokens) => tokens
                .check(request.header("x-api-key"))
                .or_else(|_| tokens.check(hash(request.body).as_deref())),
            ShipwayProof::HookId => Ok(()),
        }
    }

    fn tenant(&self) -> Tenant {
        self.settings.account.clone().into()
    }
}

/// The `hash` of a body, if it is a string and not repeated. Reading it before [`Source::parse`]
/// keeps unauthenticated bodies out of the parser.
///
/// [`Source::parse`]: crate::Source::parse
fn hash(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Credential {
        hash: Option<String>,
    }
    read_object::<Credential>(body).ok()?.hash
}

#[cfg(test)]
mod tests;

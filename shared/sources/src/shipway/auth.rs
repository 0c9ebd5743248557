//! Who may send Shipway's webhooks.
//!
//! Shipway signs nothing and sets no headers. A `status_feed` carries a `hash` made of the shop's credentials; its
//! other bodies carry nothing, and only a path that nobody else knows tells where they come from.

use domain::core::request_body::read_object;
use serde::Deserialize;

use super::settings::{Credentials, Settings};
use crate::auth::{Token, require_secret};
use crate::{AuthError, Authenticator, Hook, InvalidSetting, Owner, Request, Setup};

/// The shortest id of a hook that has no secret, in characters: then the id is the secret.
const SHORTEST_ID: usize = 16;

enum Proof {
    /// The body's `hash`.
    Hash(Token),
    /// The hook's own secret, as the body's `hash` or in `x-api-key`.
    Secret(Token),
    /// The path.
    Id,
}

struct ShipwayAuthenticator {
    settings: Settings,
    proof: Proof,
}

pub(super) fn configure(setup: &Setup<'_>) -> Result<Box<dyn Authenticator>, InvalidSetting> {
    let settings = Settings::read(setup.settings)?;
    let proof = match setup.hook {
        None => Proof::Hash(Token::new(&Credentials::read(setup.secret)?.hash())),
        Some(Hook { has_secret: true, .. }) => {
            Proof::Secret(Token::new(require_secret(setup.secret)?))
        }
        Some(hook) => hard_to_guess(hook.id).map(|()| Proof::Id)?,
    };
    Ok(Box::new(ShipwayAuthenticator { settings, proof }))
}

fn hard_to_guess(id: &str) -> Result<(), InvalidSetting> {
    if id.chars().count() >= SHORTEST_ID {
        return Ok(());
    }
    let problem = format!("an id without a secret must have at least {SHORTEST_ID} characters");
    Err(InvalidSetting { parameter: "hooks", field: None, problem })
}

impl Authenticator for ShipwayAuthenticator {
    fn authenticate(&self, request: &Request<'_>) -> Result<(), AuthError> {
        match &self.proof {
            Proof::Hash(token) => token.check(hash(request.body).as_deref()),
            Proof::Secret(token) => token
                .check(request.header("x-api-key"))
                .or_else(|_| token.check(hash(request.body).as_deref())),
            Proof::Id => Ok(()),
        }
    }

    fn owner(&self, _body: &[u8]) -> Owner {
        self.settings.account.clone().map_or(Owner::Nobody, Owner::Account)
    }
}

/// The `hash` that a body shows, if it is a string and there once.
fn hash(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Shown {
        hash: Option<String>,
    }
    read_object::<Shown>(body).ok()?.hash
}

#[cfg(test)]
mod tests;

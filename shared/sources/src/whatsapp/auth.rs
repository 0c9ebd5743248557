//! Authentication of WhatsApp's webhooks, and Meta's endpoint verification.

use domain::core::id::AccountCode;

use super::settings::{Numbers, Secret};
use crate::auth::{SigningKeys, Tokens};
use crate::request::single_value;
use crate::{
    AuthError, Authenticator, Handshake, InvalidSetting, Request, Setup, Tenant, TenantHint,
};

/// Longest challenge that is echoed, in bytes. Meta's have about ten.
const CHALLENGE: usize = 1024;

struct WhatsAppAuthenticator {
    numbers: Numbers,
    keys: SigningKeys,
    verify_token: Tokens,
}

pub(super) fn configure(setup: &Setup<'_>) -> Result<Box<dyn Authenticator>, InvalidSetting> {
    let numbers = Numbers::read(setup.settings)?;
    let secret = Secret::read(setup.secret)?;
    Ok(Box::new(WhatsAppAuthenticator {
        numbers,
        keys: SigningKeys::new(secret.app_secrets.iter()),
        verify_token: Tokens::new([&secret.verify_token]),
    }))
}

impl Authenticator for WhatsAppAuthenticator {
    fn authenticate(&self, request: &Request<'_>) -> Result<(), AuthError> {
        self.keys.check(request.header("x-hub-signature-256"), request.body)
    }

    fn tenant(&self) -> Tenant {
        Tenant::PerUpdate
    }

    fn account_of(&self, hint: &TenantHint) -> Option<AccountCode> {
        let mut accounts = hint.0.iter().map(|id| self.numbers.owner(id));
        let first = accounts.next()??;
        accounts.all(|other| other == Some(first)).then(|| first.clone())
    }

    fn handshake(&self, query: &[(&str, &str)]) -> Handshake {
        let parameter = |name| single_value(query, |key| key == name);
        let subscribes = parameter("hub.mode") == Some("subscribe");
        let challenge =
            parameter("hub.challenge").filter(|text| (1..=CHALLENGE).contains(&text.len()));
        match (self.verify_token.check(parameter("hub.verify_token")), challenge) {
            (Ok(()), Some(challenge)) if subscribes => Handshake::Echo(challenge.to_owned()),
            _ => Handshake::Refused,
        }
    }
}

#[cfg(test)]
mod tests;

//! Who may send WhatsApp's webhooks, and what Meta asks before it does.

use domain::core::id::AccountCode;

use super::settings::{Numbers, Secret};
use super::{Value, envelope};
use crate::auth::{SigningKey, Token};
use crate::{AuthError, Authenticator, Handshake, InvalidSetting, Owner, Request, Setup};

/// The longest challenge that is echoed, in bytes. Meta's have about ten.
const CHALLENGE: usize = 1024;

struct WhatsAppAuthenticator {
    numbers: Numbers,
    keys: Vec<SigningKey>,
    verify_token: Token,
}

pub(super) fn configure(setup: &Setup<'_>) -> Result<Box<dyn Authenticator>, InvalidSetting> {
    let numbers = Numbers::read(setup.settings)?;
    let secret = Secret::read(setup.secret)?;
    let keys = secret.app_secrets.iter().map(|secret| SigningKey::new(secret)).collect();
    Ok(Box::new(WhatsAppAuthenticator {
        numbers,
        keys,
        verify_token: Token::new(&secret.verify_token),
    }))
}

impl Authenticator for WhatsAppAuthenticator {
    fn authenticate(&self, request: &Request<'_>) -> Result<(), AuthError> {
        let signature = request.header("x-hub-signature-256");
        // All keys are tried, so that the time it takes does not tell which one fits.
        let fits = |key: &SigningKey| key.check(signature, request.body).is_ok();
        if self.keys.iter().fold(false, |any, key| any | fits(key)) {
            Ok(())
        } else {
            Err(AuthError::Credentials)
        }
    }

    fn owner(&self, body: &[u8]) -> Owner {
        let values = envelope::open(body).ok().flatten();
        let account = values.and_then(|values| self.account_of_all(&values.items));
        account.map_or(Owner::Several, Owner::Account)
    }

    fn handshake(&self, query: &[(&str, &str)]) -> Handshake {
        let subscribes = only(query, "hub.mode") == Some("subscribe");
        let challenge =
            only(query, "hub.challenge").filter(|text| (1..=CHALLENGE).contains(&text.len()));
        match (self.verify_token.check(only(query, "hub.verify_token")), challenge) {
            (Ok(()), Some(challenge)) if subscribes => Handshake::Echo(challenge.to_owned()),
            _ => Handshake::Refused,
        }
    }
}

impl WhatsAppAuthenticator {
    /// The account that each number is of.
    fn account_of_all(&self, values: &[Value<'_>]) -> Option<AccountCode> {
        let mut accounts = values.iter().map(|value| self.numbers.account(&value.number()?));
        let first = accounts.next()??;
        accounts.all(|other| other == Some(first)).then(|| first.clone())
    }
}

/// The value of a key. Nothing where it comes twice: which one counts would be a guess.
fn only<'a>(query: &[(&str, &'a str)], name: &str) -> Option<&'a str> {
    let mut values = query.iter().filter(|(key, _)| *key == name);
    let first = values.next();
    first.filter(|_| values.next().is_none()).map(|(_, value)| *value)
}

#[cfg(test)]
mod tests;

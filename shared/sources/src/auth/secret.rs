//! Constant-time checks of tokens and HMAC signatures.
//!
//! A secret that is being replaced counts beside its successor. All are tried, also after a match,
//! so that the time does not reveal which one matches.

use data_encoding::HEXLOWER_PERMISSIVE;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use super::AuthError;

/// The digests of accepted tokens: comparing digests does not leak a token's length.
pub(crate) struct Tokens(Vec<[u8; 32]>);

impl Tokens {
    pub(crate) fn new<T: AsRef<[u8]>>(tokens: impl IntoIterator<Item = T>) -> Self {
        Self(tokens.into_iter().map(|token| Sha256::digest(token).into()).collect())
    }

    pub(crate) fn check(&self, token: Option<&str>) -> Result<(), AuthError> {
        let digest = Sha256::digest(token.ok_or(AuthError::Credentials)?);
        any(self.0.iter().map(|token| token.ct_eq(digest.as_slice())))
    }
}

/// The accepted keys of an HMAC-SHA256 over bodies.
pub(crate) struct SigningKeys(Vec<Vec<u8>>);

impl SigningKeys {
    pub(crate) fn new<'a>(keys: impl IntoIterator<Item = &'a str>) -> Self {
        Self(keys.into_iter().map(|key| key.as_bytes().to_vec()).collect())
    }

    /// Checks `sha256=` and 64 hexadecimal digits over the raw body.
    pub(crate) fn check(&self, signature: Option<&str>, body: &[u8]) -> Result<(), AuthError> {
        let digits = signature
            .and_then(|text| text.strip_prefix("sha256="))
            .filter(|digits| digits.len() == 64);
        let tag = digits.and_then(|digits| HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok());
        let tag = tag.ok_or(AuthError::Credentials)?;
        any(self.0.iter().map(|key| is_signed(key, body, &tag)))
    }
}

fn is_signed(key: &[u8], body: &[u8], tag: &[u8]) -> Choice {
    let mac = Hmac::<Sha256>::new_from_slice(key).map(|mac| mac.chain_update(body));
    u8::from(mac.is_ok_and(|mac| mac.verify_slice(tag).is_ok())).into()
}

fn any(matches: impl Iterator<Item = Choice>) -> Result<(), AuthError> {
    let any = matches.fold(Choice::from(0), |any, matches| any | matches);
    if bool::from(any) { Ok(()) } else { Err(AuthError::Credentials) }
}

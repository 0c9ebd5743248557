//! Constant-time checks of tokens and HMAC signatures.

use data_encoding::HEXLOWER_PERMISSIVE;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::AuthError;

/// The digest of a token: comparing digests does not leak the token's length.
pub(crate) struct Token([u8; 32]);

impl Token {
    pub(crate) fn new(token: &str) -> Self {
        Self(Sha256::digest(token).into())
    }

    pub(crate) fn check(&self, token: Option<&str>) -> Result<(), AuthError> {
        let digest = Sha256::digest(token.ok_or(AuthError::Credentials)?);
        if bool::from(self.0.ct_eq(digest.as_slice())) {
            Ok(())
        } else {
            Err(AuthError::Credentials)
        }
    }
}

/// The key of an HMAC-SHA256 over bodies.
pub(crate) struct SigningKey(Vec<u8>);

impl SigningKey {
    pub(crate) fn new(key: &str) -> Self {
        Self(key.as_bytes().to_vec())
    }

    /// Checks `sha256=` and 64 hexadecimal digits over the raw body.
    pub(crate) fn check(&self, signature: Option<&str>, body: &[u8]) -> Result<(), AuthError> {
        let digits = signature
            .and_then(|text| text.strip_prefix("sha256="))
            .filter(|digits| digits.len() == 64);
        let tag = digits.and_then(|digits| HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok());
        let mac = Hmac::<Sha256>::new_from_slice(&self.0).map_err(|_| AuthError::Credentials)?;
        mac.chain_update(body)
            .verify_slice(&tag.ok_or(AuthError::Credentials)?)
            .map_err(|_| AuthError::Credentials)
    }
}

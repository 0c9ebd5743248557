//! The token of a tracking link: its holder may see one order until it expires.

use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

use crate::core::id::OrderKey;
use crate::core::timestamp::Timestamp;

const KEY_BYTES: std::ops::RangeInclusive<usize> = 32..=128;
/// 128 bits of the HMAC. Links stand in messages, so tokens are short.
const MAC_BYTES: usize = 16;
/// Of the last day of the year 9999.
const MAX_DAY_DIGITS: usize = 7;
const MILLIS_PER_DAY: i64 = 24 * 60 * 60 * 1000;

/// The current key, and during a rotation the previous one. New tokens have the current one's
/// signature.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenKeys(Vec<Vec<u8>>);

impl std::fmt::Debug for TokenKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenKeys([REDACTED])")
    }
}

/// The messages never quote a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKeys {
    #[error("must be one key, or the current and the previous one")]
    Count,
    #[error("must have keys of 32 to 128 bytes")]
    Length,
}

/// A token that is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Malformed, of another order, or signed with another key.
    #[error("the token is wrong")]
    Wrong,
    /// Signed for this order, so its holder may learn this.
    #[error("the token has expired")]
    Expired,
}

impl TokenKeys {
    pub fn new<K: AsRef<[u8]>>(keys: impl IntoIterator<Item = K>) -> Result<Self, InvalidKeys> {
        let keys: Vec<Vec<u8>> = keys.into_iter().map(|key| key.as_ref().to_vec()).collect();
        match keys.len() {
            1 | 2 if keys.iter().all(|key| KEY_BYTES.contains(&key.len())) => Ok(Self(keys)),
            1 | 2 => Err(InvalidKeys::Length),
            _ => Err(InvalidKeys::Count),
        }
    }

    /// `{last day}-{mac}`, valid until the end of that day (UTC), counted from 1970.
    pub fn sign(&self, order: &OrderKey, last_day: i64) -> String {
        let mac = self.0.first().map_or([0; MAC_BYTES], |key| mac(key, order, last_day));
        format!("{last_day}-{}", BASE64URL_NOPAD.encode(&mac))
    }

    /// Tries all keys, also after a match, so that the time is the same for each.
    pub fn check(&self, order: &OrderKey, token: &str, now: Timestamp) -> Result<(), TokenError> {
        let (last_day, given) = parse(token).ok_or(TokenError::Wrong)?;
        let matches = self.0.iter().map(|key| mac(key, order, last_day).ct_eq(&given));
        let any = matches.fold(Choice::from(0), |any, matches| any | matches);
        match bool::from(any) {
            false => Err(TokenError::Wrong),
            true if day(now) > last_day => Err(TokenError::Expired),
            true => Ok(()),
        }
    }
}

/// Days since 1970, UTC.
pub(super) fn day(time: Timestamp) -> i64 {
    time.millis().div_euclid(MILLIS_PER_DAY)
}

/// Each token has one spelling.
fn parse(token: &str) -> Option<(i64, [u8; MAC_BYTES])> {
    let (day, mac) = token.split_once('-')?;
    let is_number = (1..=MAX_DAY_DIGITS).contains(&day.len())
        && day.bytes().all(|byte| byte.is_ascii_digit())
        && !day.starts_with('0');
    let day = is_number.then(|| day.parse().ok()).flatten()?;
    Some((day, BASE64URL_NOPAD.decode(mac.as_bytes()).ok()?.try_into().ok()?))
}

/// Parts with their lengths before them do not run together.
fn mac(key: &[u8], OrderKey { account, order }: &OrderKey, last_day: i64) -> [u8; MAC_BYTES] {
    let mut result = [0; MAC_BYTES];
    // HMAC takes keys of any length: this cannot fail.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return result };
    for part in [account.as_ref(), order.as_ref(), &last_day.to_be_bytes()[..]] {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    result.copy_from_slice(&mac.finalize().into_bytes()[..MAC_BYTES]);
    result
}

#[cfg(test)]
mod tests;

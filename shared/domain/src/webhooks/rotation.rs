//! The steps that replace an endpoint's signing secret. Deliveries are signed with both secrets until
//! the last one.

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

pub const NEW_SECRET_BYTES: usize = 32;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RotationStep {
    /// Puts a new secret before the present one.
    Begin,
    /// Replaces the new secret, for instance because it got lost. The old one keeps counting.
    Replace,
    /// Drops the old secret.
    Finish,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RotationRefused {
    #[error("a rotation has begun: finish it, or replace its new secret")]
    Begun,
    #[error("no rotation has begun")]
    NotBegun,
}

/// A secret as receivers get it.
pub fn new_secret(bytes: &[u8; NEW_SECRET_BYTES]) -> String {
    format!("whsec_{}", BASE64.encode(bytes))
}

/// The parameter's next value. `present` has one secret or two, the newer first.
pub fn rotated(step: RotationStep, present: &str, new: &str) -> Result<String, RotationRefused> {
    let secrets: Vec<&str> = present.split_ascii_whitespace().collect();
    match (step, secrets.as_slice()) {
        (RotationStep::Begin, [_, _, ..]) => Err(RotationRefused::Begun),
        (RotationStep::Begin, rest) => Ok([&[new], rest].concat().join(" ")),
        (RotationStep::Replace, [_, old, ..]) => Ok(format!("{new} {old}")),
        (RotationStep::Finish, [newer, _, ..]) => Ok((*newer).to_owned()),
        (RotationStep::Replace | RotationStep::Finish, _) => Err(RotationRefused::NotBegun),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::webhooks::signing::SigningKeys;

    #[test]
    fn the_old_secret_counts_until_the_rotation_is_finished() {
        use RotationStep::{Begin, Finish, Replace};
        for (step, present, expected) in [
            (Begin, "old", Ok("new old")),
            (Begin, "newer old", Err(RotationRefused::Begun)),
            (Replace, "newer old", Ok("new old")),
            (Replace, "old", Err(RotationRefused::NotBegun)),
            (Finish, "newer old", Ok("newer")),
            (Finish, "old", Err(RotationRefused::NotBegun)),
        ] {
            let next = rotated(step, present, "new");
            assert_eq!(next.as_deref().map_err(|error| *error), expected, "{step:?} {present}");
        }
    }

    #[test]
    fn a_new_secret_can_sign() {
        let secret = new_secret(&[7; NEW_SECRET_BYTES]);
        assert!(SigningKeys::parse(&secret).is_ok());
        assert!(
            SigningKeys::parse(&rotated(RotationStep::Begin, &secret, &secret).unwrap()).is_ok()
        );
    }
}

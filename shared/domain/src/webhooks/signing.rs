//! Standard Webhooks 1.0.0 signatures: HMAC-SHA256 over `{id}.{timestamp}.{body}`.

use data_encoding::{BASE64, BASE64_NOPAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::core::timestamp::Timestamp;

/// One key, or two during the rotation of a signing secret, the newer first.
#[derive(Clone)]
pub struct SigningKeys(Vec<Vec<u8>>);

impl std::fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKeys([REDACTED])")
    }
}

/// The messages never quote the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSecret {
    #[error("must be one whsec_ secret, or two separated by a space")]
    Count,
    #[error("must begin with whsec_, followed by base64")]
    Prefix,
    #[error("must be base64 after whsec_")]
    Encoding,
    #[error("must be 24 to 64 bytes long")]
    Length,
}

impl SigningKeys {
    /// `whsec_…`, or two of them separated by a space. The base64 may lack its padding and may have
    /// the URL-safe alphabet: tools that show secrets differ in both.
    pub fn parse(text: &str) -> Result<Self, InvalidSecret> {
        let keys = text.split_ascii_whitespace().map(parse_key).collect::<Result<Vec<_>, _>>()?;
        if matches!(keys.len(), 1 | 2) { Ok(Self(keys)) } else { Err(InvalidSecret::Count) }
    }

    pub fn one(key: Vec<u8>) -> Self {
        Self(vec![key])
    }

    /// The header `webhook-signature` of an attempt at `now`: one `v1,…` per key, separated by
    /// spaces.
    pub fn sign(&self, id: &str, now: Timestamp, body: &[u8]) -> String {
        let signatures: Vec<String> =
            self.0.iter().map(|key| sign(key, id, now.seconds(), body)).collect();
        signatures.join(" ")
    }
}

fn parse_key(text: &str) -> Result<Vec<u8>, InvalidSecret> {
    let encoded = text.strip_prefix("whsec_").ok_or(InvalidSecret::Prefix)?;
    let encoded = encoded.replace('-', "+").replace('_', "/");
    let base64 = if encoded.ends_with('=') { BASE64 } else { BASE64_NOPAD };
    let key = base64.decode(encoded.as_bytes()).map_err(|_| InvalidSecret::Encoding)?;
    if (24..=64).contains(&key.len()) { Ok(key) } else { Err(InvalidSecret::Length) }
}

fn sign(key: &[u8], id: &str, seconds: i64, body: &[u8]) -> String {
    // HMAC takes keys of any length: this cannot fail.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return String::new() };
    mac.update(format!("{id}.{seconds}.").as_bytes());
    mac.update(body);
    format!("v1,{}", BASE64.encode(&mac.finalize().into_bytes()))
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn signed(secret: &str) -> String {
        let now = Timestamp::from_millis(1_614_265_330_999).unwrap();
        SigningKeys::parse(secret).unwrap().sign(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            now,
            br#"{"test": 2432232314}"#,
        )
    }

    /// From the test suites of standard-webhooks/standard-webhooks.
    #[test]
    fn signs_like_the_official_test_vector() {
        assert_eq!(signed(SECRET), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn signs_with_both_secrets_during_rotation() {
        let other = format!("whsec_{}", BASE64.encode(&[7; 32]));
        assert_eq!(
            signed(&format!("{other} {SECRET}")),
            format!("{} {}", signed(&other), signed(SECRET))
        );
    }

    /// `+` and `/` of the standard alphabet are `-` and `_` of the URL-safe one.
    #[test]
    fn reads_one_key_in_every_variant_of_base64() {
        for size in [24, 25, 26, 64] {
            let padded = format!("whsec_{}", BASE64.encode(&vec![0xfb; size]));
            assert!(padded.contains(['+', '/']));
            let url_safe = padded.replacen("whsec_", "", 1).replace('+', "-").replace('/', "_");
            let url_safe = format!("whsec_{url_safe}");
            for text in [&padded, &url_safe] {
                for text in [text.as_str(), text.trim_end_matches('=')] {
                    assert_eq!(signed(text), signed(&padded), "{text}");
                }
            }
        }
    }

    #[test]
    fn rejects_invalid_secrets() {
        let short = format!("whsec_{}", BASE64.encode(&[7; 23]));
        let long = format!("whsec_{}", BASE64.encode(&[7; 65]));
        for (text, expected) in [
            ("", InvalidSecret::Count),
            ("whsec_", InvalidSecret::Length),
            ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", InvalidSecret::Prefix),
            ("WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", InvalidSecret::Prefix),
            ("whsec_!!!", InvalidSecret::Encoding),
            ("whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWQ=", InvalidSecret::Encoding),
            ("whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWQ===", InvalidSecret::Encoding),
            ("whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYW", InvalidSecret::Encoding),
            ("whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWR", InvalidSecret::Encoding), // spare bits
            (&short, InvalidSecret::Length),
            (&long, InvalidSecret::Length),
            (&format!("{SECRET} {SECRET} {SECRET}"), InvalidSecret::Count),
        ] {
            assert_eq!(SigningKeys::parse(text).unwrap_err(), expected, "{text}");
        }
        assert!(InvalidSecret::Prefix.to_string().contains("begin with whsec_"));
        assert_eq!(format!("{:?}", SigningKeys::parse(SECRET).unwrap()), "SigningKeys([REDACTED])");
    }
}

//! HMAC-SHA256 signatures of request bodies.

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

pub fn hmac_bytes(key: &str, body: &[u8]) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.chain_update(body).finalize().into_bytes().to_vec()
}

/// In lower-case hexadecimal digits.
pub fn hmac(key: &str, body: &[u8]) -> String {
    HEXLOWER.encode(&hmac_bytes(key, body))
}

/// A signature in the form of WhatsApp and of signing proxies.
pub fn hmac_signature(key: &str, body: &[u8]) -> String {
    format!("sha256={}", hmac(key, body))
}

//! Authentication of sources with `events/{source}/auth.txt`.
//!
//! The file has an optional line `settings: {...}` and the headers that authenticate a request,
//! e.g. `x-bluebird-signature: sha256={hmac}`. `{secret}` stands for the source's secret and
//! `{hmac}` for the HMAC-SHA256 of the body. `tests/it/samples.rs` sends samples with these
//! headers.

#![expect(clippy::panic, clippy::unwrap_used)]

use std::fs;

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use sources::{AuthError, Request, SOURCES, Setup, Source};

const EVENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events");
const DEFAULT_SETTINGS: &str = r#"{"account":"STORE001"}"#;
const BODY: &[u8] = b"{}";

fn authenticate(
    source: &dyn Source,
    settings: &str,
    headers: &[&str],
    secret: &str,
) -> Result<(), AuthError> {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap().chain_update(BODY);
    let hmac = HEXLOWER.encode(&mac.finalize().into_bytes());
    let headers: Vec<String> = headers
        .iter()
        .map(|line| line.replace("{secret}", secret).replace("{hmac}", &hmac))
        .collect();
    let headers: Vec<(&str, &str)> =
        headers.iter().filter_map(|line| line.split_once(": ")).collect();
    let setup = Setup { settings, secret: Some("secret"), hook: None };
    let authenticator = source.configure(&setup).unwrap_or_else(|error| panic!("{error}"));
    authenticator.authenticate(&Request { headers: &headers, body: BODY, ..Request::default() })
}

#[test]
fn sources_accept_only_their_own_headers() {
    let mut tested = 0;
    for source in SOURCES.iter().copied() {
        let file = format!("{EVENTS}/{}/auth.txt", source.name().as_str());
        let Ok(text) = fs::read_to_string(&file) else { continue };
        let (settings, headers): (Vec<&str>, Vec<&str>) =
            text.lines().partition(|line| line.starts_with("settings: "));
        let settings =
            settings.first().map_or(DEFAULT_SETTINGS, |line| &line["settings: ".len()..]);
        assert_eq!(authenticate(source, settings, &headers, "secret"), Ok(()), "{file}");
        for (headers, secret) in [(&headers[..], "other"), (&[], "secret")] {
            let result = authenticate(source, settings, headers, secret);
            assert_eq!(result, Err(AuthError::Credentials), "{file} {secret}");
        }
        tested += 1;
    }
    assert!(tested > 0, "no source has an auth.txt");
}

#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::sync::Mutex;

use serde_json::{Value, json};
use tracing_subscriber::fmt;

use super::*;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn logs_source_address_and_reason_of_a_refusal() {
    let source = sources::by_path("carrier").unwrap();
    let address = Some("192.0.2.7".parse().unwrap());
    let credentials = "the credentials are missing or wrong";
    let not_listed = "the address is not on the allow list";
    for (hook, source_ip, refusal, mut expected) in [
        (
            None,
            address,
            Refusal::Proof(AuthError::Credentials),
            json!({"hook": false, "address": "192.0.2.7", "reason": credentials}),
        ),
        (
            Some("canary-hook"),
            address,
            Refusal::NoSuchHook,
            json!({"hook": true, "address": "192.0.2.7", "reason": "no such hook"}),
        ),
        (
            None,
            None,
            Refusal::Proof(AuthError::Address),
            json!({"hook": false, "reason": not_listed}),
        ),
    ] {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = fmt().json().with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(subscriber, || {
            log_denied(source, hook, source_ip, &refusal);
        });
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        assert!(text.contains("WARN") && !text.contains("canary"), "{text}");
        expected["message"] = "event.denied".into();
        expected["source"] = "shiprocket".into();
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["fields"], expected);
    }
}

#[test]
fn a_denied_path_shows_the_beginning_of_known_hooks_only() {
    let source = sources::by_path("carrier").unwrap();
    let setup = sources::Setup {
        settings: r#"{"mode":"token","account":"STORE001"}"#,
        secret: Some("token"),
        hook: None,
    };
    let authenticator = source.configure(&setup).unwrap();
    let account = AccountCode::parse("STORE002").ok();
    let of_hook: Gate<'_> = (Tenant::Account(account.clone().unwrap()), &*authenticator);
    for (hook, gate, expected) in [
        (Some("abcdefgh"), Some(&of_hook), (Some("abcd…"), account.clone())),
        (Some("canary"), None, (Some("unknown"), None)),
        (None, Some(&of_hook), (None, account)),
        (None, None, (None, None)),
    ] {
        let path = denied_path(source, hook, gate);
        assert_eq!((path.hook.as_deref(), path.account), expected, "{hook:?}");
        assert_eq!(path.source, "shiprocket");
    }
}

//! Settings and secrets.

use serde_json::Value;
use sources::{Authenticator, Hook, InvalidSetting, Request, SOURCES, Setup, Source};

use super::split;

/// Longest text that an error may share with the input by chance: any word may be part of the
/// message.
const MAX_SHARED: usize = 8;

/// A hook id that is long enough to serve as a secret.
const LONG_ID: &str = "abcdefghij0123456789";

/// Configures every source with the input: settings, an empty line, a secret. No error may quote
/// the input, and no authenticator may accept a request without credentials.
pub fn settings(input: &[u8]) {
    let (settings, secret) = split(input);
    let Ok(settings) = std::str::from_utf8(settings) else { return };
    let Ok(secret) = secret.map(std::str::from_utf8).transpose() else { return };
    let _ = sources::whatsapp::Numbers::read(settings).map_err(|error| error.to_string());
    for source in SOURCES.iter().copied() {
        for hook in [None, hook("short", false), hook("short", true), hook(LONG_ID, false)] {
            configure(source, &Setup { settings, secret, hook });
        }
    }
}

fn hook(id: &str, has_secret: bool) -> Option<Hook<'_>> {
    Some(Hook { id, has_secret })
}

fn configure(source: &dyn Source, setup: &Setup<'_>) {
    match source.configure(setup) {
        Ok(authenticator) => rejects_unauthenticated(source, authenticator.as_ref(), setup),
        Err(error) => never_quotes_input(source, &error, setup),
    }
}

/// Only a hook with a secret path needs no further credentials.
fn rejects_unauthenticated(
    source: &dyn Source,
    authenticator: &dyn Authenticator,
    setup: &Setup<'_>,
) {
    let is_secret_path =
        source.name().as_str() == "shipway" && setup.hook.is_some_and(|hook| hook.id == LONG_ID);
    for body in [&b""[..], b"{}", b"null", br#"{"hash":null}"#] {
        let request = Request { body, ..Request::default() };
        assert_eq!(
            authenticator.authenticate(&request).is_ok(),
            is_secret_path,
            "{}",
            source.name().as_str()
        );
    }
    let _ = (authenticator.tenant(), authenticator.handshake(&[]));
}

/// An error may name fields, but never quotes values.
fn never_quotes_input(source: &dyn Source, error: &InvalidSetting, setup: &Setup<'_>) {
    let message = error.to_string();
    let mut parts = Parts::default();
    parts.add(setup.settings);
    parts.add(setup.secret.unwrap_or_default());
    for content in parts
        .contents
        .iter()
        .filter(|content| content.len() > MAX_SHARED && message.contains(*content))
    {
        if parts.names.iter().any(|name| name.contains(content)) {
            continue;
        }
        let other = rotate(content);
        let (settings, secret) = (
            setup.settings.replace(content, &other),
            setup.secret.map(|secret| secret.replace(content, &other)),
        );
        let changed =
            source.configure(&Setup { settings: &settings, secret: secret.as_deref(), ..*setup });
        let quoted = changed.err().is_some_and(|error| error.to_string().contains(&other));
        assert!(!quoted, "{}: {message}", source.name().as_str());
    }
}

/// The field names and values of a setting.
#[derive(Default)]
struct Parts {
    names: Vec<String>,
    /// Strings and numbers; the whole text if it is not JSON.
    contents: Vec<String>,
}

impl Parts {
    fn add(&mut self, text: &str) {
        match serde_json::from_str(text) {
            Ok(value) => self.collect(value),
            Err(_) => self.contents.push(text.trim().to_owned()),
        }
    }

    fn collect(&mut self, value: Value) {
        match value {
            Value::String(text) => self.contents.push(text),
            Value::Number(number) => self.contents.push(number.to_string()),
            Value::Array(items) => items.into_iter().for_each(|item| self.collect(item)),
            Value::Object(fields) => {
                for (name, field) in fields {
                    self.names.push(name);
                    self.collect(field);
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }
}

/// Another text of the same form. An error quotes the input only if it changes with it.
fn rotate(text: &str) -> String {
    let next = |c: char| match c {
        '0'..='8' | 'a'..='y' | 'A'..='Y' => char::from_u32(u32::from(c) + 1).unwrap_or(c),
        '9' => '1',
        'z' => 'a',
        'Z' => 'A',
        c => c,
    };
    text.chars().map(next).collect()
}

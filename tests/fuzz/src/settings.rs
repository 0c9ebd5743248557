//! Settings and secrets.

use serde_json::Value;
use sources::{Authenticator, Hook, InvalidSetting, Request, SOURCES, Setup, Source};

use super::split;

/// The longest text that an error may have in common with what it is about: any word may be a word of the error.
const TOO_LONG: usize = 8;

/// A hook's id that may stand for a secret.
const LONG_ID: &str = "abcdefghij0123456789";

/// Sets up every source with the input: settings, an empty line, a secret.
///
/// # Panics
/// A source panicked, quoted what it was set up with, or admits a request that shows nothing.
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
        Ok(authenticator) => admits_no_stranger(source, authenticator.as_ref(), setup),
        Err(error) => quotes_nothing(source, &error, setup),
    }
}

/// The one authenticator that asks for nothing is a path that nobody knows.
fn admits_no_stranger(source: &dyn Source, authenticator: &dyn Authenticator, setup: &Setup<'_>) {
    let is_secret_path =
        source.name().as_str() == "shipway" && setup.hook.is_some_and(|hook| hook.id == LONG_ID);
    for body in [&b""[..], b"{}", b"null", br#"{"hash":null}"#] {
        let request = Request { headers: &[], source_ip: None, body };
        assert_eq!(
            authenticator.authenticate(&request).is_ok(),
            is_secret_path,
            "{}",
            source.name().as_str()
        );
        let _ = (authenticator.owner(body), authenticator.handshake(&[]));
    }
}

/// An error may name fields, but never says what stands in them.
fn quotes_nothing(source: &dyn Source, error: &InvalidSetting, setup: &Setup<'_>) {
    let message = error.to_string();
    let mut parts = Parts::default();
    parts.add(setup.settings);
    parts.add(setup.secret.unwrap_or_default());
    for content in parts
        .contents
        .iter()
        .filter(|content| content.len() > TOO_LONG && message.contains(*content))
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

/// What a setting is made of.
#[derive(Default)]
struct Parts {
    names: Vec<String>,
    /// Texts and numbers; of what is no JSON all of it.
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

/// Another text of the same form. An error that has this one in its place quotes it; any other had it by chance.
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

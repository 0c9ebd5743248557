//! A source's checks as its settings make them: one for its plain path, one for each hook.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

use aws::settings::{SettingsError, Values, read_each};
use domain::core::id::AccountCode;
use domain::core::json::Json;
use serde::Deserialize;
use sources::{Denied, Gate, Handshake, Hook, InvalidSetting, Owner, Request, Setup, Source};

/// `sources/{source}/hooks/{hook_id}`: a path of an account's own.
#[derive(Deserialize)]
struct HookSetting {
    account: AccountCode,
    /// A text, or the object that the source's `secret` would be.
    secret: Option<Json>,
}

impl HookSetting {
    fn secret(&self) -> Option<String> {
        let secret = self.secret.as_ref().filter(|secret| secret.as_str() != "null")?;
        Some(secret.to_text().unwrap_or_else(|| secret.as_str().to_owned()))
    }
}

/// The checks of one source.
#[derive(Default)]
pub(crate) struct Gates {
    plain: Option<Box<dyn Gate>>,
    /// By hook id.
    hooks: BTreeMap<String, (AccountCode, Arc<dyn Gate>)>,
}

impl Gates {
    /// From all parameters below `folder`, the source's. Without `settings` the source is not set up: nobody passes.
    pub(crate) fn read(
        source: &dyn Source,
        folder: &str,
        values: &Values,
        last: Option<&Self>,
    ) -> Result<Self, SettingsError> {
        let value = |name: &str| values.get(&format!("{folder}/{name}")).map(String::as_str);
        let Some(settings) = value("settings") else { return Ok(Self::default()) };
        let plain = Setup { settings, secret: value("secret"), hook: None };
        let prefix = format!("{folder}/hooks/");
        let hooks = values.iter().filter_map(|(name, text)| {
            Some((name.strip_prefix(&prefix)?.to_owned(), text.clone()))
        });
        let last = last.map(|gates| &gates.hooks);
        let wrong = |error: InvalidSetting| {
            SettingsError::invalid(format!("{folder}/{}", error.parameter), &error)
        };
        let read = |id: &str, text: &str| {
            let hook_wrong = |problem: &dyn Display| {
                SettingsError::invalid(format!("{prefix}{}", masked(id)), problem)
            };
            let hook: HookSetting = serde_json::from_str(text)
                .map_err(|_| hook_wrong(&"must be {\"account\", \"secret\"?}"))?;
            let own = hook.secret();
            let gate =
                source.configure(&for_hook(plain, id, own.as_deref())).map_err(
                    |error| match error.parameter {
                        "settings" => wrong(error),
                        "secret" if own.is_none() => wrong(error),
                        _ => hook_wrong(&error),
                    },
                )?;
            Ok((hook.account, Arc::from(gate)))
        };
        let hooks = read_each(&hooks.collect::<Values>(), last, read);
        match source.configure(&plain) {
            Ok(gate) => Ok(Self { plain: Some(gate), hooks }),
            // Where there are hooks, the source may do without a secret of its own.
            Err(error)
                if error.parameter == "secret" && plain.secret.is_none() && !hooks.is_empty() =>
            {
                Ok(Self { plain: None, hooks })
            }
            Err(error) => Err(wrong(error)),
        }
    }

    /// Whose this request is.
    pub(crate) fn admit(&self, hook: Option<&str>, request: &Request<'_>) -> Result<Owner, Denied> {
        if let Some(id) = hook {
            let (account, gate) = self.hooks.get(id).ok_or(Denied::Credentials)?;
            return gate.check(request).map(|()| Owner::Account(account.clone()));
        }
        let gate = self.plain.as_ref().ok_or(Denied::Credentials)?;
        gate.check(request).map(|()| gate.owner(request.body))
    }

    /// The answer to a provider that asks whether this is the right address.
    pub(crate) fn handshake(&self, hook: Option<&str>, query: &[(&str, &str)]) -> Handshake {
        let gate = match hook {
            Some(id) => self.hooks.get(id).map(|(_, gate)| gate.as_ref()),
            None => self.plain.as_deref(),
        };
        gate.map_or(Handshake::Unknown, |gate| gate.handshake(query))
    }
}

/// A hook's own secret comes before the source's.
fn for_hook<'a>(plain: Setup<'a>, id: &'a str, own: Option<&'a str>) -> Setup<'a> {
    Setup {
        secret: own.or(plain.secret),
        hook: Some(Hook { id, has_secret: own.is_some() }),
        ..plain
    }
}

/// A hook's id opens its path. In a log its beginning is enough to know it by.
fn masked(id: &str) -> String {
    format!("{}…", id.chars().take(4).collect::<String>())
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    const FOLDER: &str = "sources/shiprocket";

    fn gates(parameters: &[(&str, &str)]) -> Result<Gates, SettingsError> {
        let named =
            parameters.iter().map(|(name, text)| (format!("{FOLDER}/{name}"), (*text).to_owned()));
        Gates::read(sources::by_path("carrier").unwrap(), FOLDER, &named.collect(), None)
    }

    fn admit(gates: &Gates, hook: Option<&str>, key: &str) -> Result<String, Denied> {
        let headers = [("x-api-key", key)];
        let request = Request { headers: &headers, source_ip: None, body: b"" };
        gates.admit(hook, &request).map(|owner| match owner {
            Owner::Account(account) => account.as_str().to_owned(),
            Owner::Several | Owner::Nobody => String::new(),
        })
    }

    const SETTINGS: (&str, &str) = ("settings", r#"{"mode":"token","account":"STORE001"}"#);

    #[test]
    fn a_hook_is_a_path_of_an_accounts_own() {
        let hooks = [
            ("hooks/abc", r#"{"account":"STORE002"}"#),
            ("hooks/def", r#"{"account":"STORE003","secret":"own"}"#),
        ];
        let gates = gates(&[SETTINGS, ("secret", "token"), hooks[0], hooks[1]]).unwrap();
        for (hook, key, expected) in [
            (None, "token", Ok("STORE001")),
            (None, "own", Err(Denied::Credentials)),
            (Some("abc"), "token", Ok("STORE002")),
            (Some("abc"), "own", Err(Denied::Credentials)),
            (Some("def"), "own", Ok("STORE003")),
            (Some("def"), "token", Err(Denied::Credentials)),
            (Some("nobody"), "token", Err(Denied::Credentials)),
        ] {
            assert_eq!(admit(&gates, hook, key), expected.map(str::to_owned), "{hook:?} {key}");
        }
    }

    #[test]
    fn a_hooks_secret_may_be_an_object() {
        for (text, expected) in [
            (r#"{"account":"A","secret":"own"}"#, Some("own")),
            (r#"{"account":"A","secret":{"app_secret":["x"]}}"#, Some(r#"{"app_secret":["x"]}"#)),
            (r#"{"account":"A","secret":null}"#, None),
            (r#"{"account":"A"}"#, None),
        ] {
            assert_eq!(
                serde_json::from_str::<HookSetting>(text).unwrap().secret().as_deref(),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn a_hooks_id_opens_its_path_and_is_in_no_log() {
        assert_eq!(masked("abcdefghijklmnopqrstuvwx"), "abcd…");
        assert_eq!(masked("äb"), "äb…");
    }

    #[test]
    fn what_is_not_set_up_admits_nobody() {
        assert!(admit(&gates(&[]).unwrap(), None, "").is_err());
        assert!(admit(&gates(&[("secret", "token")]).unwrap(), None, "token").is_err());
    }

    #[test]
    fn a_source_that_needs_no_secret_keeps_its_plain_path_beside_hooks() {
        let folder = "sources/esahayak";
        let settings = r#"{"mode":"network","account":"STORE001","allowed_cidrs":["127.0.0.1"]}"#;
        let values = [("settings", settings), ("hooks/abc", r#"{"account":"STORE002"}"#)];
        let named = values.map(|(name, text)| (format!("{folder}/{name}"), text.to_owned()));
        let gates = Gates::read(sources::by_path("esahayak").unwrap(), folder, &named.into(), None)
            .unwrap();
        assert_eq!(gates.hooks.len(), 1);
        assert!(gates.plain.is_some());
    }

    #[test]
    fn what_is_wrong_is_named_and_one_hook_closes_no_other() {
        let error = gates(&[("settings", r#"{"mode":"none"}"#), ("secret", "x")]).err().unwrap();
        assert!(error.to_string().contains("sources/shiprocket/settings"), "{error}");
        let error = gates(&[SETTINGS]).err().unwrap();
        assert!(error.to_string().contains("sources/shiprocket/secret"), "{error}");
        let hooks =
            [("hooks/bad", "{"), ("hooks/good", r#"{"account":"STORE002","secret":"own"}"#)];
        let gates = gates(&[SETTINGS, hooks[0], hooks[1]]).unwrap();
        assert_eq!(admit(&gates, Some("good"), "own"), Ok("STORE002".to_owned()));
        assert!(admit(&gates, Some("bad"), "own").is_err());
        assert!(admit(&gates, None, "own").is_err());
    }
}

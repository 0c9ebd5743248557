//! A source's checks as its settings make them: one for its plain path, one for each hook.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

use aws::settings::{SettingsError, Values, read_each};
use domain::core::id::AccountCode;
use domain::core::raw_json::RawJson;
use serde::Deserialize;
use sources::{
    AuthError, Authenticator, Handshake, Hook, InvalidSetting, Owner, Request, Setup, Source,
};

/// `sources/{source}/hooks/{hook_id}`: a path of an account's own.
#[derive(Deserialize)]
struct HookSetting {
    account: AccountCode,
    /// A text, or the object that the source's `secret` would be.
    secret: Option<RawJson>,
}

impl HookSetting {
    fn secret(&self) -> Option<String> {
        let secret = self.secret.as_ref().filter(|secret| secret.as_str() != "null")?;
        Some(secret.to_text().unwrap_or_else(|| secret.as_str().to_owned()))
    }
}

/// The checks of one source.
#[derive(Default)]
pub(crate) struct Authenticators {
    plain: Option<Box<dyn Authenticator>>,
    /// By hook id.
    hooks: BTreeMap<String, (AccountCode, Arc<dyn Authenticator>)>,
}

impl Authenticators {
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
        let last = last.map(|authenticators| &authenticators.hooks);
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
            let authenticator = source.configure(&for_hook(plain, id, own.as_deref())).map_err(
                |error| match error.parameter {
                    "settings" => wrong(error),
                    "secret" if own.is_none() => wrong(error),
                    _ => hook_wrong(&error),
                },
            )?;
            Ok((hook.account, Arc::from(authenticator)))
        };
        let hooks = read_each(&hooks.collect::<Values>(), last, read);
        match source.configure(&plain) {
            Ok(authenticator) => Ok(Self { plain: Some(authenticator), hooks }),
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
    pub(crate) fn authenticate(
        &self,
        hook: Option<&str>,
        request: &Request<'_>,
    ) -> Result<Owner, AuthError> {
        if let Some(id) = hook {
            let (account, authenticator) = self.hooks.get(id).ok_or(AuthError::Credentials)?;
            return authenticator.authenticate(request).map(|()| Owner::Account(account.clone()));
        }
        let authenticator = self.plain.as_ref().ok_or(AuthError::Credentials)?;
        authenticator.authenticate(request).map(|()| authenticator.owner(request.body))
    }

    /// The answer to a provider that asks whether this is the right address.
    pub(crate) fn handshake(&self, hook: Option<&str>, query: &[(&str, &str)]) -> Handshake {
        let authenticator = match hook {
            Some(id) => self.hooks.get(id).map(|(_, authenticator)| authenticator.as_ref()),
            None => self.plain.as_deref(),
        };
        authenticator.map_or(Handshake::Unknown, |authenticator| authenticator.handshake(query))
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

    fn authenticators(parameters: &[(&str, &str)]) -> Result<Authenticators, SettingsError> {
        let named =
            parameters.iter().map(|(name, text)| (format!("{FOLDER}/{name}"), (*text).to_owned()));
        Authenticators::read(sources::by_path("carrier").unwrap(), FOLDER, &named.collect(), None)
    }

    fn authenticate(
        authenticators: &Authenticators,
        hook: Option<&str>,
        key: &str,
    ) -> Result<String, AuthError> {
        let headers = [("x-api-key", key)];
        let request = Request { headers: &headers, source_ip: None, body: b"" };
        authenticators.authenticate(hook, &request).map(|owner| match owner {
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
        let authenticators =
            authenticators(&[SETTINGS, ("secret", "token"), hooks[0], hooks[1]]).unwrap();
        for (hook, key, expected) in [
            (None, "token", Ok("STORE001")),
            (None, "own", Err(AuthError::Credentials)),
            (Some("abc"), "token", Ok("STORE002")),
            (Some("abc"), "own", Err(AuthError::Credentials)),
            (Some("def"), "own", Ok("STORE003")),
            (Some("def"), "token", Err(AuthError::Credentials)),
            (Some("nobody"), "token", Err(AuthError::Credentials)),
        ] {
            assert_eq!(
                authenticate(&authenticators, hook, key),
                expected.map(str::to_owned),
                "{hook:?} {key}"
            );
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
        assert!(authenticate(&authenticators(&[]).unwrap(), None, "").is_err());
        assert!(
            authenticate(&authenticators(&[("secret", "token")]).unwrap(), None, "token").is_err()
        );
    }

    #[test]
    fn a_source_that_needs_no_secret_keeps_its_plain_path_beside_hooks() {
        let folder = "sources/esahayak";
        let settings = r#"{"mode":"network","account":"STORE001","allowed_cidrs":["127.0.0.1"]}"#;
        let values = [("settings", settings), ("hooks/abc", r#"{"account":"STORE002"}"#)];
        let named = values.map(|(name, text)| (format!("{folder}/{name}"), text.to_owned()));
        let authenticators = Authenticators::read(
            sources::by_path("esahayak").unwrap(),
            folder,
            &named.into(),
            None,
        )
        .unwrap();
        assert_eq!(authenticators.hooks.len(), 1);
        assert!(authenticators.plain.is_some());
    }

    #[test]
    fn what_is_wrong_is_named_and_one_hook_closes_no_other() {
        let error =
            authenticators(&[("settings", r#"{"mode":"none"}"#), ("secret", "x")]).err().unwrap();
        assert!(error.to_string().contains("sources/shiprocket/settings"), "{error}");
        let error = authenticators(&[SETTINGS]).err().unwrap();
        assert!(error.to_string().contains("sources/shiprocket/secret"), "{error}");
        let hooks =
            [("hooks/bad", "{"), ("hooks/good", r#"{"account":"STORE002","secret":"own"}"#)];
        let authenticators = authenticators(&[SETTINGS, hooks[0], hooks[1]]).unwrap();
        assert_eq!(authenticate(&authenticators, Some("good"), "own"), Ok("STORE002".to_owned()));
        assert!(authenticate(&authenticators, Some("bad"), "own").is_err());
        assert!(authenticate(&authenticators, None, "own").is_err());
    }
}

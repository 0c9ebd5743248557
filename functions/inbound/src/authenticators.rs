//! The authenticators of a source: one for its plain path, one for each hook.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

use aws::settings::{SettingsError, Values, read_each};
use domain::core::id::AccountCode;
use domain::core::raw_json::RawJson;
use serde::Deserialize;
use sources::{
    AuthError, Authenticator, Handshake, Hook, InvalidSetting, Request, Setup, Source, Tenant,
};

/// `sources/{source}/hooks/{hook_id}`: a webhook path of one account.
#[derive(Deserialize)]
struct HookSetting {
    account: AccountCode,
    secret: Option<HookSecret>,
}

/// The text of a string, or of an object like the source's `secret`.
#[derive(Deserialize)]
#[serde(try_from = "RawJson")]
struct HookSecret(String);

impl TryFrom<RawJson> for HookSecret {
    type Error = &'static str;

    fn try_from(secret: RawJson) -> Result<Self, Self::Error> {
        let object = || secret.as_str().starts_with('{').then(|| secret.as_str().to_owned());
        secret.to_text().or_else(object).map(Self).ok_or("must be a string or an object")
    }
}

#[derive(Default)]
pub(crate) struct Authenticators {
    plain: Option<Box<dyn Authenticator>>,
    /// By hook id.
    hooks: BTreeMap<String, (AccountCode, Arc<dyn Authenticator>)>,
}

impl Authenticators {
    /// Reads all parameters below `folder`. Without `settings` the source is not set up, and every
    /// request is rejected.
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
        let invalid = |error: InvalidSetting| {
            SettingsError::invalid(format!("{folder}/{}", error.parameter), &error)
        };
        let read = |id: &str, text: &str| {
            let invalid_hook = |problem: &dyn Display| {
                SettingsError::invalid(format!("{prefix}{}", masked(id)), problem)
            };
            let hook: HookSetting = serde_json::from_str(text)
                .map_err(|_| invalid_hook(&"must be {\"account\", \"secret\"?}"))?;
            let own = hook.secret.as_ref().map(|secret| secret.0.as_str());
            let authenticator = source.configure(&for_hook(plain, id, own)).map_err(|error| {
                match error.parameter {
                    "settings" => invalid(error),
                    "secret" if own.is_none() => invalid(error),
                    _ => invalid_hook(&error),
                }
            })?;
            Ok((hook.account, Arc::from(authenticator)))
        };
        let hooks = read_each(&hooks.collect::<Values>(), last, read);
        match source.configure(&plain) {
            Ok(authenticator) => Ok(Self { plain: Some(authenticator), hooks }),
            // With hooks, the plain path may stay closed for lack of a secret.
            Err(error)
                if error.parameter == "secret" && plain.secret.is_none() && !hooks.is_empty() =>
            {
                Ok(Self { plain: None, hooks })
            }
            Err(error) => Err(invalid(error)),
        }
    }

    /// Returns the tenant and the authenticator of a request.
    pub(crate) fn authenticate(
        &self,
        hook: Option<&str>,
        request: &Request<'_>,
    ) -> Result<(Tenant, &dyn Authenticator), AuthError> {
        if let Some(id) = hook {
            let (account, authenticator) = self.hooks.get(id).ok_or(AuthError::Credentials)?;
            authenticator.authenticate(request)?;
            return Ok((Tenant::Account(account.clone()), authenticator.as_ref()));
        }
        let authenticator = self.plain.as_deref().ok_or(AuthError::Credentials)?;
        authenticator.authenticate(request)?;
        Ok((authenticator.tenant(), authenticator))
    }

    /// Why no request to this path can pass.
    pub(crate) fn closed(&self, hook: Option<&str>) -> Option<&'static str> {
        match hook {
            Some(id) if !self.hooks.contains_key(id) => Some("no such hook"),
            None if self.plain.is_none() => Some("the source is not set up"),
            _ => None,
        }
    }

    pub(crate) fn handshake(&self, hook: Option<&str>, query: &[(&str, &str)]) -> Handshake {
        let authenticator = match hook {
            Some(id) => self.hooks.get(id).map(|(_, authenticator)| authenticator.as_ref()),
            None => self.plain.as_deref(),
        };
        authenticator.map_or(Handshake::Unsupported, |authenticator| authenticator.handshake(query))
    }
}

/// A hook's own secret takes precedence over the source's.
fn for_hook<'a>(plain: Setup<'a>, id: &'a str, own: Option<&'a str>) -> Setup<'a> {
    Setup {
        secret: own.or(plain.secret),
        hook: Some(Hook { id, has_secret: own.is_some() }),
        ..plain
    }
}

/// A hook id may be a secret, so logs show only its beginning.
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
        let request = Request { headers: &headers, ..Request::default() };
        authenticators.authenticate(hook, &request).map(|(tenant, _)| match tenant {
            Tenant::Account(account) => account.as_str().to_owned(),
            Tenant::PerUpdate | Tenant::Unassigned => String::new(),
        })
    }

    const SETTINGS: (&str, &str) = ("settings", r#"{"mode":"token","account":"STORE001"}"#);

    #[test]
    fn hook_belongs_to_its_own_account() {
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
    fn closed_paths_have_a_reason() {
        let hook = ("hooks/abc", r#"{"account":"STORE002","secret":"own"}"#);
        let open = authenticators(&[SETTINGS, ("secret", "token"), hook]).unwrap();
        for (authenticators, hook, expected) in [
            (&open, None, None),
            (&open, Some("abc"), None),
            (&open, Some("abd"), Some("no such hook")),
            (&authenticators(&[]).unwrap(), None, Some("the source is not set up")),
            (&authenticators(&[SETTINGS, hook]).unwrap(), None, Some("the source is not set up")),
        ] {
            assert_eq!(authenticators.closed(hook), expected, "{hook:?}");
        }
    }

    #[test]
    fn hook_secret_is_a_string_or_an_object() {
        for (text, expected) in [
            (r#"{"account":"A","secret":"own"}"#, Some("own")),
            (r#"{"account":"A","secret":{"app_secret":["x"]}}"#, Some(r#"{"app_secret":["x"]}"#)),
            (r#"{"account":"A","secret":null}"#, None),
            (r#"{"account":"A"}"#, None),
        ] {
            assert_eq!(
                serde_json::from_str::<HookSetting>(text)
                    .unwrap()
                    .secret
                    .map(|secret| secret.0)
                    .as_deref(),
                expected,
                "{text}"
            );
        }
        for text in [r#"["new","old"]"#, "true"] {
            let text = format!(r#"{{"account":"A","secret":{text}}}"#);
            assert!(serde_json::from_str::<HookSetting>(&text).is_err(), "{text}");
        }
    }

    #[test]
    fn masks_hook_ids() {
        assert_eq!(masked("abcdefghijklmnopqrstuvwx"), "abcd…");
        assert_eq!(masked("äb"), "äb…");
    }

    #[test]
    fn rejects_requests_without_settings() {
        assert!(authenticate(&authenticators(&[]).unwrap(), None, "").is_err());
        assert!(
            authenticate(&authenticators(&[("secret", "token")]).unwrap(), None, "token").is_err()
        );
    }

    #[test]
    fn source_without_secret_keeps_its_plain_path_beside_hooks() {
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
    fn names_the_invalid_parameter_and_keeps_other_hooks() {
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

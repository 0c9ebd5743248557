//! The authenticators of a source: one for its plain path, one for each hook.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws::settings::{Good, SettingsError, Values, good_or_last, read_each};
use domain::core::id::AccountCode;
use domain::core::raw_json::RawJson;
use domain::core::timestamp::Timestamp;
use serde::Deserialize;
use sources::{Authenticator, Hook, InvalidSetting, Setup, Source, Tenant};

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

type Shared = Arc<dyn Authenticator>;

/// The tenant and the authenticator of a path.
pub(crate) type Gate<'a> = (Tenant, &'a dyn Authenticator);

pub(crate) struct Authenticators {
    /// `None` if the path is closed. An error: its settings are invalid, and no earlier ones are in
    /// force.
    plain: Result<Option<Good<Shared>>, SettingsError>,
    /// By hook id.
    hooks: BTreeMap<String, Good<(AccountCode, Shared)>>,
}

impl Authenticators {
    /// Reads all parameters below `folder`. Without `settings` the source is not set up, and every
    /// request is rejected. What a deleted secret opened is closed; what an invalid parameter opened
    /// stays open for an hour.
    pub(crate) fn read(
        source: &dyn Source,
        folder: &str,
        values: &Values,
        last: Option<&Self>,
        now: Timestamp,
    ) -> Self {
        let value = |name: &str| values.get(&format!("{folder}/{name}")).map(String::as_str);
        let Some(settings) = value("settings") else {
            return Self { plain: Ok(None), hooks: BTreeMap::new() };
        };
        let setup = Setup { settings, secret: value("secret"), hook: None };
        let configure = |setup: &Setup<'_>, hook: &str| {
            source.configure(setup).map(Shared::from).map_err(|error| match error.parameter {
                "secret" if setup.secret.is_none() => {
                    SettingsError::missing(format!("{folder}/secret"))
                }
                "settings" => invalid(format!("{folder}/settings"), &error),
                parameter if hook.is_empty() => invalid(format!("{folder}/{parameter}"), &error),
                _ => invalid(hook, &error),
            })
        };
        let prefix = format!("{folder}/hooks/");
        let hooks = values.iter().filter_map(|(name, text)| {
            Some((name.strip_prefix(&prefix)?.to_owned(), text.clone()))
        });
        let read_hook = |id: &str, text: &str| {
            let name = format!("{prefix}{}", masked(id));
            let hook: HookSetting = serde_json::from_str(text)
                .map_err(|_| SettingsError::invalid(&name, "must be {\"account\", \"secret\"?}"))?;
            let own = hook.secret.as_ref().map(|secret| secret.0.as_str());
            Ok((hook.account, configure(&for_hook(setup, id, own), &name)?))
        };
        let last_hooks = last.map(|last| &last.hooks);
        let hooks = read_each(&hooks.collect::<Values>(), last_hooks, now, read_hook);
        let last = last.and_then(|last| last.plain.as_ref().ok()?.as_ref());
        let plain = match good_or_last(configure(&setup, ""), last, now) {
            Ok(authenticator) => Ok(Some(authenticator)),
            Err(SettingsError::Missing { .. }) => Ok(None),
            Err(error) => Err(error),
        };
        Self { plain, hooks }
    }

    /// `None` if no request to the path can pass. An error if that cannot be told.
    pub(crate) fn gate(&self, hook: Option<&str>) -> Result<Option<Gate<'_>>, &SettingsError> {
        if let Some((account, authenticator)) =
            hook.and_then(|id| self.hooks.get(id)).map(|hook| &**hook)
        {
            return Ok(Some((Tenant::Account(account.clone()), authenticator.as_ref())));
        }
        let plain = self.plain.as_ref()?.as_ref().filter(|_| hook.is_none());
        Ok(plain.map(|authenticator| (authenticator.tenant(), authenticator.as_ref())))
    }
}

fn invalid(parameter: impl Into<String>, error: &InvalidSetting) -> SettingsError {
    SettingsError::invalid(parameter, error)
}

/// A hook's own secret takes precedence over the source's.
fn for_hook<'a>(plain: Setup<'a>, id: &'a str, own: Option<&'a str>) -> Setup<'a> {
    Setup {
        secret: own.or(plain.secret),
        hook: Some(Hook { id, has_secret: own.is_some() }),
        ..plain
    }
}

/// A hook id may be a secret, so what operators see shows only its beginning.
pub(crate) fn masked(id: &str) -> String {
    format!("{}…", id.chars().take(4).collect::<String>())
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use sources::Request;

    use super::*;

    const FOLDER: &str = "sources/shiprocket";

    fn read(
        parameters: &[(&str, &str)],
        last: Option<&Authenticators>,
        seconds: i64,
    ) -> Authenticators {
        let named =
            parameters.iter().map(|(name, text)| (format!("{FOLDER}/{name}"), (*text).to_owned()));
        let source = sources::by_path("carrier").unwrap();
        let now = Timestamp::from_millis(seconds * 1000).unwrap();
        Authenticators::read(source, FOLDER, &named.collect(), last, now)
    }

    fn authenticators(parameters: &[(&str, &str)]) -> Authenticators {
        read(parameters, None, 0)
    }

    /// The account that a request with this token is for. `None`: it is rejected. An error is the
    /// parameter that is to blame.
    fn account(
        authenticators: &Authenticators,
        hook: Option<&str>,
        key: &str,
    ) -> Result<Option<String>, String> {
        let headers = [("x-api-key", key)];
        let request = Request { headers: &headers, ..Request::default() };
        let gate = authenticators.gate(hook).map_err(ToString::to_string)?;
        let passed = gate.filter(|(_, authenticator)| authenticator.authenticate(&request).is_ok());
        Ok(passed.map(|(tenant, _)| match tenant {
            Tenant::Account(account) => account.as_str().to_owned(),
            Tenant::PerUpdate | Tenant::Unassigned => String::new(),
        }))
    }

    const SETTINGS: (&str, &str) = ("settings", r#"{"mode":"token","account":"STORE001"}"#);

    #[test]
    fn hook_belongs_to_its_own_account() {
        let hooks = [
            ("hooks/abc", r#"{"account":"STORE002"}"#),
            ("hooks/def", r#"{"account":"STORE003","secret":"own"}"#),
        ];
        let authenticators = authenticators(&[SETTINGS, ("secret", "token"), hooks[0], hooks[1]]);
        for (hook, key, expected) in [
            (None, "token", Some("STORE001")),
            (None, "own", None),
            (Some("abc"), "token", Some("STORE002")),
            (Some("abc"), "own", None),
            (Some("def"), "own", Some("STORE003")),
            (Some("def"), "token", None),
            (Some("nobody"), "token", None),
        ] {
            assert_eq!(
                account(&authenticators, hook, key),
                Ok(expected.map(str::to_owned)),
                "{hook:?} {key}"
            );
        }
    }

    #[test]
    fn a_deleted_parameter_closes_what_it_opened() {
        let hooks = [
            ("hooks/abc", r#"{"account":"STORE002"}"#),
            ("hooks/def", r#"{"account":"STORE003","secret":"own"}"#),
        ];
        let secret = ("secret", "token");
        let all = read(&[SETTINGS, secret, hooks[0], hooks[1]], None, 0);
        let alone = read(&[SETTINGS, secret], None, 0);
        for (last, left, open) in [
            (&all, &[SETTINGS, secret, hooks[0], hooks[1]][..], [true, true, true]),
            (&all, &[SETTINGS, hooks[0], hooks[1]], [false, false, true]),
            (&all, &[SETTINGS, hooks[0]], [false, false, false]),
            (&all, &[SETTINGS, secret, hooks[0]], [true, true, false]),
            (&all, &[secret, hooks[0], hooks[1]], [false, false, false]),
            (&all, &[("settings", "{"), secret, hooks[0]], [true, true, false]),
            (&all, &[], [false, false, false]),
            (&alone, &[SETTINGS], [false, false, false]),
        ] {
            let now = read(left, Some(last), 1);
            let paths = [(None, "token"), (Some("abc"), "token"), (Some("def"), "own")];
            let passes = paths.map(|(hook, key)| account(&now, hook, key).unwrap().is_some());
            assert_eq!(passes, open, "{left:?}");
        }
    }

    #[test]
    fn an_invalid_parameter_keeps_what_it_opened_for_an_hour() {
        let hook = ("hooks/abc", r#"{"account":"STORE002","secret":"own"}"#);
        let secret = ("secret", "token");
        let good = read(&[SETTINGS, secret, hook], None, 0);
        let paths = [(None, "token"), (Some("abc"), "own")];
        for (wrong, after) in [
            ([("settings", "{"), secret, hook], [Err(()), Err(())]),
            ([SETTINGS, ("secret", " "), hook], [Err(()), Ok(true)]),
            ([SETTINGS, ("secret", "a b c"), hook], [Err(()), Ok(true)]),
            ([SETTINGS, secret, ("hooks/abc", "{")], [Ok(true), Ok(false)]),
        ] {
            // The hour counts from the last valid reading, however often it is read since.
            let mut now = read(&wrong, Some(&good), 1800);
            let passes = |now: &Authenticators| {
                paths.map(|(hook, key)| {
                    account(now, hook, key).map(|account| account.is_some()).map_err(|_| ())
                })
            };
            assert_eq!(passes(&now), [Ok(true), Ok(true)], "{wrong:?}");
            now = read(&wrong, Some(&now), 3599);
            assert_eq!(passes(&now), [Ok(true), Ok(true)], "{wrong:?}");
            now = read(&wrong, Some(&now), 3600);
            assert_eq!(passes(&now), after, "{wrong:?}");
            now = read(&[SETTINGS, secret, hook], Some(&now), 3601);
            assert_eq!(passes(&now), [Ok(true), Ok(true)], "{wrong:?}");
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
    fn rejects_requests_without_settings_or_secret() {
        for parameters in [&[][..], &[("secret", "token")], &[SETTINGS]] {
            assert_eq!(account(&authenticators(parameters), None, "token"), Ok(None));
            assert_eq!(account(&authenticators(parameters), None, ""), Ok(None));
        }
    }

    #[test]
    fn source_without_secret_keeps_its_plain_path_beside_hooks() {
        let folder = "sources/esahayak";
        let settings = r#"{"mode":"network","account":"STORE001","allowed_cidrs":["127.0.0.1"]}"#;
        let hook = ("hooks/abcdefghijlmnopq", r#"{"account":"STORE002"}"#);
        let values = [("settings", settings), hook];
        let named = values.map(|(name, text)| (format!("{folder}/{name}"), text.to_owned()));
        let source = sources::by_path("esahayak").unwrap();
        let authenticators =
            Authenticators::read(source, folder, &named.into(), None, Timestamp::EPOCH);
        assert_eq!(authenticators.hooks.len(), 1);
        assert!(authenticators.gate(None).unwrap().is_some());
    }

    #[test]
    fn names_the_invalid_parameter_and_keeps_other_hooks() {
        let wrong = authenticators(&[("settings", r#"{"mode":"none"}"#), ("secret", "x")]);
        for hook in [None, Some("abc")] {
            let error = account(&wrong, hook, "x").unwrap_err();
            assert!(error.contains("sources/shiprocket/settings"), "{error}");
        }
        let error = account(&authenticators(&[SETTINGS, ("secret", " ")]), None, "").unwrap_err();
        assert!(error.contains("sources/shiprocket/secret"), "{error}");
        let hooks =
            [("hooks/bad", "{"), ("hooks/good", r#"{"account":"STORE002","secret":"own"}"#)];
        let authenticators = authenticators(&[SETTINGS, hooks[0], hooks[1]]);
        let account = |hook| account(&authenticators, hook, "own").unwrap();
        assert_eq!(account(Some("good")), Some("STORE002".to_owned()));
        assert_eq!([account(Some("bad")), account(None)], [None, None]);
    }
}

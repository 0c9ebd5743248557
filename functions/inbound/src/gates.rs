//! A source's checks as its settings make them: one for its plain path, one for each hook.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws::settings::{SettingsError, Values, read_each};
use domain::id::AccountCode;
use serde::Deserialize;
use sources::{Denied, Gate, Request, Source};

/// `sources/{source}/hooks/{hook_id}`: a path of an account's own.
#[derive(Deserialize)]
struct Hook {
    account: AccountCode,
    secret: Option<String>,
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
        let configure = |secret: Option<&str>| {
            let gate = source.configure(settings, secret);
            gate.map_err(|error| SettingsError::invalid(format!("{folder}/{}", error.parameter), &error))
        };
        let secret = value("secret");
        let prefix = format!("{folder}/hooks/");
        let hooks =
            values.iter().filter_map(|(name, text)| Some((name.strip_prefix(&prefix)?.to_owned(), text.clone())));
        let last = last.map(|gates| &gates.hooks);
        let read = |id: &str, text: &str| read_hook(&format!("{prefix}{id}"), text, secret, configure);
        let hooks = read_each(&hooks.collect::<Values>(), last, read);
        let mut gates = Self { plain: None, hooks };
        // Where hooks have secrets of their own, the source needs none.
        if secret.is_some() || gates.hooks.is_empty() {
            gates.plain = Some(configure(secret)?);
        }
        Ok(gates)
    }

    /// Whose request this is.
    pub(crate) fn admit(&self, hook: Option<&str>, request: &Request<'_>) -> Result<AccountCode, Denied> {
        let Some(id) = hook else { return self.plain.as_ref().ok_or(Denied::Credentials)?.admit(request) };
        let (account, gate) = self.hooks.get(id).ok_or(Denied::Credentials)?;
        gate.admit(request).map(|_account_of_settings| account.clone())
    }
}

fn read_hook(
    parameter: &str,
    text: &str,
    secret: Option<&str>,
    configure: impl Fn(Option<&str>) -> Result<Box<dyn Gate>, SettingsError>,
) -> Result<(AccountCode, Arc<dyn Gate>), SettingsError> {
    let wrong = |_| SettingsError::invalid(parameter, "must be {\"account\", \"secret\"?}");
    let hook: Hook = serde_json::from_str(text).map_err(wrong)?;
    let gate = configure(hook.secret.as_deref().or(secret))?;
    Ok((hook.account, Arc::from(gate)))
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    const FOLDER: &str = "sources/shiprocket";

    fn gates(parameters: &[(&str, &str)]) -> Result<Gates, SettingsError> {
        let named = parameters.iter().map(|(name, text)| (format!("{FOLDER}/{name}"), (*text).to_owned()));
        Gates::read(sources::by_path("carrier").unwrap(), FOLDER, &named.collect(), None)
    }

    fn admit(gates: &Gates, hook: Option<&str>, key: &str) -> Result<String, Denied> {
        let headers = [("x-api-key", key)];
        let request = Request { headers: &headers, source_ip: None, body: b"" };
        gates.admit(hook, &request).map(|account| account.as_str().to_owned())
    }

    const SETTINGS: (&str, &str) = ("settings", r#"{"mode":"token","account":"STORE001"}"#);

    #[test]
    fn a_hook_is_a_path_of_an_accounts_own() {
        let hooks =
            [("hooks/abc", r#"{"account":"STORE002"}"#), ("hooks/def", r#"{"account":"STORE003","secret":"own"}"#)];
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
    fn what_is_not_set_up_admits_nobody() {
        assert!(admit(&gates(&[]).unwrap(), None, "").is_err());
        assert!(admit(&gates(&[("secret", "token")]).unwrap(), None, "token").is_err());
    }

    #[test]
    fn what_is_wrong_is_named_and_one_hook_closes_no_other() {
        let error = gates(&[("settings", r#"{"mode":"none"}"#), ("secret", "x")]).err().unwrap();
        assert!(error.to_string().contains("sources/shiprocket/settings"), "{error}");
        let error = gates(&[SETTINGS]).err().unwrap();
        assert!(error.to_string().contains("sources/shiprocket/secret"), "{error}");
        let hooks = [("hooks/bad", "{"), ("hooks/good", r#"{"account":"STORE002","secret":"own"}"#)];
        let gates = gates(&[SETTINGS, hooks[0], hooks[1]]).unwrap();
        assert_eq!(admit(&gates, Some("good"), "own"), Ok("STORE002".to_owned()));
        assert!(admit(&gates, Some("bad"), "own").is_err());
        assert!(admit(&gates, None, "own").is_err());
    }
}

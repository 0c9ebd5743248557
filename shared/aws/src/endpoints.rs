//! Endpoints from the settings, without their secrets.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::auth::Accounts;
use domain::core::id::EndpointName;
use domain::core::timestamp::Timestamp;
use domain::webhooks::endpoint::{self, Endpoint};

use crate::settings::{Cached, Good, Settings, SettingsError, Values, read_each};

const FOLDER: &str = "endpoints";

#[derive(Debug, Clone, Default, PartialEq)]
pub struct EndpointSet {
    /// By parameter.
    usable: BTreeMap<String, Good<Endpoint>>,
    /// Endpoints without a last good value in force.
    pub invalid: Vec<InvalidEndpoint>,
    /// Of those, and of endpoints with their last good value in force.
    pub problems: Vec<WrongSettings>,
}

impl EndpointSet {
    pub fn usable(&self) -> impl Iterator<Item = &Endpoint> {
        self.usable.values().map(|endpoint| &**endpoint)
    }

    /// Whether the endpoint has a URL, with usable settings or not.
    pub fn has(&self, endpoint: &EndpointName) -> bool {
        self.usable().any(|usable| usable.name == *endpoint)
            || self.invalid.iter().any(|invalid| invalid.name() == endpoint.as_str())
    }
}

/// An endpoint whose settings are invalid: no delivery can be made for it.
#[derive(Debug, Clone, PartialEq)]
pub struct InvalidEndpoint {
    pub parameter: String,
    /// The accounts that the endpoint may be meant for.
    pub accounts: Accounts,
}

impl InvalidEndpoint {
    pub fn name(&self) -> &str {
        name(&self.parameter)
    }
}

/// Settings that cannot be used as they are.
#[derive(Debug, Clone, PartialEq)]
pub struct WrongSettings {
    pub parameter: String,
    /// Never contains the value.
    pub problem: String,
    /// The accounts that the endpoint may be meant for.
    pub accounts: Accounts,
}

/// All endpoints, cached.
pub struct Endpoints {
    settings: Settings,
    cached: Cached<EndpointSet>,
}

impl Endpoints {
    pub fn new(settings: Settings) -> Self {
        Self { settings, cached: Cached::default() }
    }

    pub async fn all(&self, now: Timestamp) -> Result<Arc<EndpointSet>, SettingsError> {
        let load = |last: Option<Arc<EndpointSet>>| async move {
            Ok(read(&self.settings.read_plain_below(FOLDER).await?, last.as_deref(), now))
        };
        self.cached.get(&self.settings, FOLDER, now, load).await
    }
}

/// An endpoint exists once it has a URL. Without the parameter `settings` it has the defaults.
fn read(values: &Values, last: Option<&EndpointSet>, now: Timestamp) -> EndpointSet {
    let folders = values.keys().filter_map(|path| path.strip_suffix("/url"));
    let settings = folders.map(|folder| {
        let parameter = format!("{folder}/settings");
        let text = values.get(&parameter).cloned().unwrap_or_else(|| "{}".to_owned());
        (parameter, text)
    });
    let settings: Values = settings.collect();
    let usable = read_each(&settings, last.map(|last| &last.usable), now, read_one);
    let problems = settings.iter().filter_map(|(parameter, text)| wrong(parameter, text)).collect();
    let rest = settings.into_iter().filter(|(parameter, _)| !usable.contains_key(parameter));
    let invalid = rest.map(|(parameter, text)| {
        let accounts = endpoint::Settings::accounts_of_unusable(&text);
        InvalidEndpoint { parameter, accounts }
    });
    EndpointSet { invalid: invalid.collect(), usable, problems }
}

fn wrong(parameter: &str, text: &str) -> Option<WrongSettings> {
    let SettingsError::Invalid { parameter, problem } = read_one(parameter, text).err()? else {
        return None;
    };
    let accounts = endpoint::Settings::accounts_of_unusable(text);
    Some(WrongSettings { parameter, problem, accounts })
}

fn name(parameter: &str) -> &str {
    let name = parameter.strip_prefix("endpoints/").and_then(|rest| rest.strip_suffix("/settings"));
    name.unwrap_or_default()
}

fn read_one(parameter: &str, text: &str) -> Result<Endpoint, SettingsError> {
    // Rejects deeper paths too: a name has no `/`.
    let name = EndpointName::parse(name(parameter))
        .map_err(|error| SettingsError::invalid(parameter, error))?;
    let settings = endpoint::Settings::parse(text)
        .map_err(|error| SettingsError::invalid(parameter, error))?;
    Ok(Endpoint { name, settings })
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use domain::core::id::AccountCode;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000).unwrap()
    }

    fn values(settings: &str) -> Values {
        [
            ("endpoints/a/url", "https://a"),
            ("endpoints/a/settings", settings),
            ("endpoints/b/settings", "{}"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }

    #[test]
    fn an_endpoint_exists_once_it_has_a_url() {
        let set = read(&values("{}"), None, at(0));
        let names: Vec<_> = set.usable().map(|endpoint| endpoint.name.as_str()).collect();
        assert_eq!((names, &set.invalid), (vec!["a"], &vec![]));
        let has =
            |set: &EndpointSet| ["a", "b"].map(|name| set.has(&EndpointName::parse(name).unwrap()));
        assert_eq!(has(&set), [true, false]);
        assert_eq!(has(&read(&values("{"), None, at(0))), [true, false]);
    }

    #[test]
    fn keeps_the_last_good_settings_or_reports_the_endpoint_as_invalid() {
        let good = read(&values(r#"{"accounts":["STORE001"]}"#), None, at(0));
        let invalid = |now| read(&values(r#"{"accounts":7}"#), Some(&good), at(now));
        assert_eq!(invalid(3599).usable, good.usable);
        assert_eq!((invalid(3599).invalid.len(), invalid(3599).problems.len()), (0, 1));
        assert!(invalid(3600).problems[0].problem.contains("accounts"));
        assert_eq!((invalid(3600).usable.len(), invalid(3600).invalid.len()), (0, 1));
        for (text, meant_for_ours, meant_for_others) in [
            ("{", true, true),
            (r#"{"accounts":7}"#, true, true),
            (r#"{"accounts":["STORE001"],"format":"fax"}"#, true, false),
            (r#"{"format":"fax"}"#, false, false),
        ] {
            let set = read(&values(text), None, at(0));
            assert!(set.usable.is_empty());
            let invalid = &set.invalid[0];
            let meant = ["STORE001", "STORE002"]
                .map(|code| invalid.accounts.include(&AccountCode::parse(code).unwrap()));
            assert_eq!((invalid.parameter.as_str(), invalid.name()), ("endpoints/a/settings", "a"));
            assert_eq!(meant, [meant_for_ours, meant_for_others], "{text}");
        }
    }

    #[test]
    fn rejects_an_endpoint_in_a_deeper_folder() {
        let values = [("endpoints/a/b/url".to_owned(), "https://a".to_owned())].into();
        let set = read(&values, None, at(0));
        assert!(set.usable.is_empty() && set.invalid.len() == 1);
    }
}

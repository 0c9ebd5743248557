//! The endpoints there are, without their secrets.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::auth::Accounts;
use domain::core::id::EndpointName;
use domain::core::timestamp::Timestamp;
use domain::webhooks::endpoint::{self, Endpoint};

use crate::settings::{Cached, Settings, SettingsError, Values, read_each};

const FOLDER: &str = "endpoints";

/// The endpoints there are.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Known {
    /// Those whose settings can be used, by parameter.
    pub usable: BTreeMap<String, Endpoint>,
    /// Those whose settings cannot be used, and never could since this process began.
    pub unusable: Vec<Unusable>,
}

/// An endpoint that cannot be told anything.
#[derive(Debug, Clone, PartialEq)]
pub struct Unusable {
    /// The parameter at fault.
    pub parameter: String,
    /// Whose orders it may be meant for.
    pub accounts: Accounts,
}

impl Unusable {
    /// Its name.
    pub fn name(&self) -> &str {
        name(&self.parameter)
    }
}

/// All endpoints, kept in memory for a while.
pub struct Endpoints {
    settings: Settings,
    cached: Cached<Known>,
}

impl Endpoints {
    /// Those of these settings.
    pub fn new(settings: Settings) -> Self {
        Self { settings, cached: Cached::default() }
    }

    /// Every one, as the settings have them now.
    ///
    /// # Errors
    /// The settings cannot be read, and were not since this process began.
    pub async fn all(&self, now: Timestamp) -> Result<Arc<Known>, SettingsError> {
        let load = |last: Option<Arc<Known>>| async move {
            Ok(read(&self.settings.read_below(FOLDER, false).await?, last.as_deref()))
        };
        self.cached.get(&self.settings, FOLDER, now, load).await
    }
}

/// An endpoint exists once it has a URL; without settings it has the defaults.
fn read(values: &Values, last: Option<&Known>) -> Known {
    let names = values.keys().filter_map(|path| path.strip_suffix("/url"));
    let settings = names.map(|folder| {
        let parameter = format!("{folder}/settings");
        let text = values.get(&parameter).cloned().unwrap_or_else(|| "{}".to_owned());
        (parameter, text)
    });
    let settings: Values = settings.collect();
    let usable = read_each(&settings, last.map(|known| &known.usable), read_one);
    let rest = settings.into_iter().filter(|(parameter, _)| !usable.contains_key(parameter));
    let unusable = rest.map(|(parameter, text)| {
        let accounts = endpoint::Settings::accounts_of_unusable(&text);
        Unusable { parameter, accounts }
    });
    Known { unusable: unusable.collect(), usable }
}

fn name(parameter: &str) -> &str {
    let name = parameter.strip_prefix("endpoints/").and_then(|rest| rest.strip_suffix("/settings"));
    name.unwrap_or_default()
}

fn read_one(parameter: &str, text: &str) -> Result<Endpoint, SettingsError> {
    // No endpoint's name has a `/`: what lies deeper is none.
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
        let known = read(&values("{}"), None);
        let names: Vec<_> = known.usable.values().map(|endpoint| endpoint.name.as_str()).collect();
        assert_eq!((names, known.unusable), (vec!["a"], vec![]));
    }

    #[test]
    fn wrong_settings_leave_the_last_good_ones_in_force_or_are_named() {
        let good = read(&values(r#"{"accounts":["STORE001"]}"#), None);
        assert_eq!(read(&values(r#"{"accounts":7}"#), Some(&good)), good);
        for (text, meant_for_ours, meant_for_others) in [
            ("{", true, true),
            (r#"{"accounts":7}"#, true, true),
            (r#"{"accounts":["STORE001"],"format":"fax"}"#, true, false),
            (r#"{"format":"fax"}"#, false, false),
        ] {
            let known = read(&values(text), None);
            assert!(known.usable.is_empty());
            let unusable = &known.unusable[0];
            let meant = ["STORE001", "STORE002"]
                .map(|code| unusable.accounts.include(&AccountCode::parse(code).unwrap()));
            assert_eq!(
                (unusable.parameter.as_str(), unusable.name()),
                ("endpoints/a/settings", "a")
            );
            assert_eq!(meant, [meant_for_ours, meant_for_others], "{text}");
        }
    }

    #[test]
    fn what_lies_deeper_is_no_endpoint() {
        let values = [("endpoints/a/b/url".to_owned(), "https://a".to_owned())].into();
        let known = read(&values, None);
        assert!(known.usable.is_empty() && known.unusable.len() == 1);
    }
}

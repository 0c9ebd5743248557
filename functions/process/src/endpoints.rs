//! The endpoints there are, without their secrets.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws::settings::{Cached, Settings, SettingsError, Values, read_each};
use domain::endpoint::{self, Endpoint};
use domain::id::EndpointName;
use domain::timestamp::Timestamp;

const FOLDER: &str = "endpoints";

/// The endpoints there are.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Known {
    /// Those whose settings can be used, by parameter.
    pub(crate) usable: BTreeMap<String, Endpoint>,
    /// The parameters of those whose settings cannot be used, and never could since this process began.
    pub(crate) wrong: Vec<String>,
}

/// All endpoints, kept in memory for a while.
pub(crate) struct Endpoints {
    settings: Settings,
    cached: Cached<Known>,
}

impl Endpoints {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings, cached: Cached::default() }
    }

    pub(crate) async fn all(&self, now: Timestamp) -> Result<Arc<Known>, SettingsError> {
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
    let wrong = settings.into_keys().filter(|parameter| !usable.contains_key(parameter)).collect();
    Known { usable, wrong }
}

fn read_one(parameter: &str, text: &str) -> Result<Endpoint, SettingsError> {
    let name = parameter.strip_prefix("endpoints/").and_then(|rest| rest.strip_suffix("/settings"));
    // No endpoint's name has a `/`: what lies deeper is none.
    let name =
        EndpointName::parse(name.unwrap_or_default()).map_err(|error| SettingsError::invalid(parameter, error))?;
    let settings = endpoint::Settings::parse(text).map_err(|error| SettingsError::invalid(parameter, error))?;
    Ok(Endpoint { name, settings })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(settings: &str) -> Values {
        [("endpoints/a/url", "https://a"), ("endpoints/a/settings", settings), ("endpoints/b/settings", "{}")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    }

    #[test]
    fn an_endpoint_exists_once_it_has_a_url() {
        let known = read(&values("{}"), None);
        let names: Vec<_> = known.usable.values().map(|endpoint| endpoint.name.as_str()).collect();
        assert_eq!((names, known.wrong), (vec!["a"], vec![]));
    }

    #[test]
    fn wrong_settings_leave_the_last_good_ones_in_force_or_are_named() {
        let good = read(&values(r#"{"accounts":["STORE001"]}"#), None);
        assert_eq!(read(&values(r#"{"accounts":7}"#), Some(&good)), good);
        let wrong = vec!["endpoints/a/settings".to_owned()];
        assert_eq!(read(&values("{"), None), Known { usable: BTreeMap::new(), wrong });
    }

    #[test]
    fn what_lies_deeper_is_no_endpoint() {
        let values = [("endpoints/a/b/url".to_owned(), "https://a".to_owned())].into();
        let known = read(&values, None);
        assert!(known.usable.is_empty() && known.wrong.len() == 1);
    }
}

//! The endpoints there are, without their secrets.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws::settings::{Cached, Settings, SettingsError, Values, read_each};
use domain::endpoint::{self, Endpoint};
use domain::id::EndpointName;
use domain::timestamp::Timestamp;

const FOLDER: &str = "endpoints";

/// All endpoints, kept in memory for a while.
pub(crate) struct Endpoints {
    settings: Settings,
    cached: Cached<BTreeMap<String, Endpoint>>,
}

impl Endpoints {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings, cached: Cached::default() }
    }

    pub(crate) async fn all(&self, now: Timestamp) -> Result<Vec<Endpoint>, SettingsError> {
        let load = |last: Option<Arc<BTreeMap<String, Endpoint>>>| async move {
            Ok(read(&self.settings.read_below(FOLDER, false).await?, last.as_deref()))
        };
        let endpoints = self.cached.get(&self.settings, FOLDER, now, load).await?;
        Ok(endpoints.values().cloned().collect())
    }
}

/// An endpoint exists once it has a URL; without settings it has the defaults.
fn read(values: &Values, last: Option<&BTreeMap<String, Endpoint>>) -> BTreeMap<String, Endpoint> {
    let names = values.keys().filter_map(|path| path.strip_suffix("/url"));
    let settings = names.map(|folder| {
        let parameter = format!("{folder}/settings");
        let text = values.get(&parameter).cloned().unwrap_or_else(|| "{}".to_owned());
        (parameter, text)
    });
    let settings: Values = settings.collect();
    read_each(&settings, last, read_one)
}

fn read_one(parameter: &str, text: &str) -> Result<Endpoint, SettingsError> {
    let name = parameter.split('/').nth(1).unwrap_or_default();
    let name = EndpointName::parse(name).map_err(|error| SettingsError::invalid(parameter, error))?;
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
        let endpoints = read(&values("{}"), None);
        let names: Vec<_> = endpoints.values().map(|endpoint| endpoint.name.as_str()).collect();
        assert_eq!(names, ["a"]);
    }

    #[test]
    fn wrong_settings_leave_the_last_good_ones_in_force() {
        let good = read(&values(r#"{"accounts":["STORE001"]}"#), None);
        assert_eq!(read(&values(r#"{"accounts":7}"#), Some(&good)), good);
        assert_eq!(read(&values("{"), None), BTreeMap::new());
    }
}

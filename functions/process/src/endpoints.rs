//! The endpoints there are, without their secrets.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws::settings::{Cached, Settings, SettingsError, Values};
use domain::endpoint::{self, Endpoint};
use domain::id::EndpointName;
use domain::timestamp::Timestamp;

const FOLDER: &str = "endpoints";

/// All endpoints, kept in memory for a while.
pub(crate) struct Endpoints {
    settings: Settings,
    cached: Cached<Vec<Endpoint>>,
}

impl Endpoints {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings, cached: Cached::default() }
    }

    pub(crate) async fn all(&self, now: Timestamp) -> Result<Arc<Vec<Endpoint>>, SettingsError> {
        let load = |last: Option<Arc<Vec<Endpoint>>>| async move {
            let values = self.settings.read_below(FOLDER, false).await?;
            Ok(read(&values, last.as_deref().map_or(&[], Vec::as_slice)))
        };
        self.cached.get(&self.settings, FOLDER, now, load).await
    }
}

/// An endpoint exists once it has a URL. One whose settings are wrong keeps its last good ones and hurts no other.
fn read(values: &Values, last: &[Endpoint]) -> Vec<Endpoint> {
    let named: BTreeMap<&str, EndpointName> = values
        .keys()
        .filter_map(|path| path.strip_prefix(FOLDER)?.strip_prefix('/')?.strip_suffix("/url"))
        .filter_map(|name| Some((name, EndpointName::parse(name).ok()?)))
        .collect();
    named.into_iter().filter_map(|(name, parsed)| read_one(values, name, parsed, last)).collect()
}

fn read_one(values: &Values, name: &str, parsed: EndpointName, last: &[Endpoint]) -> Option<Endpoint> {
    let parameter = format!("{FOLDER}/{name}/settings");
    let text = values.get(&parameter).map_or("{}", String::as_str);
    match endpoint::Settings::parse(text) {
        Ok(settings) => Some(Endpoint { name: parsed, settings }),
        Err(error) => {
            tracing::error!(parameter, %error, "settings.wrong");
            last.iter().find(|endpoint| endpoint.name == parsed).cloned()
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn values(settings: &str) -> Values {
        [("endpoints/a/url", "https://a"), ("endpoints/a/settings", settings), ("endpoints/b/settings", "{}")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    }

    #[test]
    fn an_endpoint_exists_once_it_has_a_url() {
        let names: Vec<_> = read(&values("{}"), &[]).into_iter().map(|endpoint| endpoint.name).collect();
        assert_eq!(names, [EndpointName::parse("a").unwrap()]);
    }

    #[test]
    fn wrong_settings_leave_the_last_good_ones_in_force() {
        let good = read(&values(r#"{"accounts":["STORE001"]}"#), &[]);
        assert_eq!(read(&values(r#"{"accounts":7}"#), &good), good);
        assert_eq!(read(&values("{"), &[]), []);
    }
}

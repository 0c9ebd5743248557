//! The carrier's settings: base URL, rate limit and credentials.

use std::sync::Arc;
use std::time::Duration;

use aws::settings::{Cached, Settings, SettingsError, Values};
use data_encoding::BASE64;
use domain::core::id::{AccountCode, Awb};
use domain::core::timestamp::Timestamp;
use egress::policy::Target;
use egress::{HeaderMap, HeaderValue, LOOPBACK};
use sources::shipway;
use sources::shipway::tracking_api::path_and_query;

const SERVICE: &str = "sources/shipway/settings";
const SECRET: &str = "sources/shipway/secret";
const USER_AGENT: &str = concat!("Waypost/", env!("CARGO_PKG_VERSION"));
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub(crate) struct Service {
    base_url: String,
    /// The rate limit of all workers together.
    pub(crate) calls_per_second: f64,
    /// An order without movement for this long is stalled. `None` disables the check.
    pub(crate) stalled_after: Option<Duration>,
}

impl Service {
    /// Fails only if the whole URL is too long; the base URL was checked before.
    pub(crate) fn target(&self, awbs: &[Awb]) -> Result<Target, SettingsError> {
        parse_target(&self.base_url, &path_and_query(awbs))
    }
}

/// Caches the settings in memory.
pub(crate) struct Carrier {
    settings: Settings,
    service: Cached<Service>,
    /// By parameter.
    headers: Cached<HeaderMap>,
}

impl Carrier {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings, service: Cached::default(), headers: Cached::default() }
    }

    pub(crate) async fn service(&self, now: Timestamp) -> Result<Arc<Service>, SettingsError> {
        let load = |_| async { parse_service(&self.settings.read(&[SERVICE.to_owned()]).await?) };
        self.service.get(&self.settings, SERVICE, now, load).await
    }

    /// The credentials of this account, or of the source. An account whose own ones are gone does
    /// not get those of the source: they may belong to another tenant.
    pub(crate) async fn headers(
        &self,
        account: Option<&AccountCode>,
        now: Timestamp,
    ) -> Result<Arc<HeaderMap>, SettingsError> {
        let own = account.map(|account| format!("accounts/{account}/shipway"));
        let name = own.as_deref().unwrap_or(SECRET);
        let load =
            |_| async { parse_headers(name, &self.settings.read(&[name.to_owned()]).await?) };
        self.headers.get(&self.settings, name, now, load).await
    }
}

fn parse_service(values: &Values) -> Result<Service, SettingsError> {
    let missing = || SettingsError::missing(format!("{SERVICE} (base_url)"));
    let text = values.get(SERVICE).ok_or_else(missing)?;
    let settings =
        shipway::Settings::read(text).map_err(|error| SettingsError::invalid(SERVICE, error))?;
    let base_url = settings.base_url.ok_or_else(missing)?.trim_end_matches('/').to_owned();
    parse_target(&base_url, "")?;
    Ok(Service {
        base_url,
        calls_per_second: settings.calls_per_second.get(),
        stalled_after: settings.stalled_after_days.map(|days| DAY.saturating_mul(days.get())),
    })
}

fn parse_target(base_url: &str, path_and_query: &str) -> Result<Target, SettingsError> {
    let target = Target::parse(&format!("{base_url}{path_and_query}"), LOOPBACK);
    target.map_err(|refused| SettingsError::invalid(SERVICE, format!("base_url: {refused}")))
}

fn parse_headers(name: &str, values: &Values) -> Result<HeaderMap, SettingsError> {
    let invalid = |error: &dyn std::fmt::Display| SettingsError::invalid(name, error);
    let secret = values.get(name).ok_or_else(|| SettingsError::missing(name))?;
    let credentials = shipway::Credentials::read(Some(secret)).map_err(|error| invalid(&error))?;
    let pair = credentials.pair();
    let mut basic = HeaderValue::try_from(format!("Basic {}", BASE64.encode(pair.as_bytes())))
        .map_err(|error| invalid(&error))?;
    basic.set_sensitive(true);
    Ok([
        ("authorization", basic),
        ("accept", HeaderValue::from_static("application/json")),
        ("user-agent", HeaderValue::from_static(USER_AGENT)),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name.parse().ok()?, value)))
    .collect())
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn values(parameters: &[(&str, &str)]) -> Values {
        parameters.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    fn service(text: &str) -> Result<Service, SettingsError> {
        parse_service(&values(&[(SERVICE, text)]))
    }

    #[test]
    fn builds_the_url_from_the_settings() {
        let service =
            service(r#"{"base_url":"https://app.shipway.com/","stalled_after_days":5}"#).unwrap();
        let awbs = ["A1", "B2"].map(|awb| Awb::parse(awb).unwrap());
        let target = service.target(&awbs).unwrap();
        let expected = "https://app.shipway.com/api/tracking?awb_numbers=A1,B2&tracking_history=1";
        assert_eq!(target.url().as_str(), expected);
        assert_eq!(service.stalled_after, Some(Duration::from_secs(432_000)));
    }

    #[test]
    fn rejects_settings_without_a_usable_base_url() {
        let texts = [
            "{}",
            r#"{"base_url":"ftp://x.example"}"#,
            r#"{"base_url":"https://10.0.0.1"}"#,
            "{",
            "null",
        ];
        for text in texts {
            let error = service(text).err().unwrap().to_string();
            assert!(error.contains(SERVICE), "{error}");
        }
        assert!(parse_service(&Values::new()).is_err());
    }

    #[test]
    fn uses_the_credentials_of_one_parameter_only() {
        let own = "accounts/STORE002/shipway";
        let secrets = values(&[
            (own, r#"{"email":"two@example.invalid","license_key":"OWN"}"#),
            (SECRET, r#"{"email":"merchant@example.invalid","license_key":"KEY"}"#),
            ("accounts/STORE003/shipway", "{"),
        ]);
        let basic = |name: &str| {
            let headers = parse_headers(name, &secrets).map_err(|error| error.to_string())?;
            assert!(headers["authorization"].is_sensitive());
            let text = headers["authorization"].to_str().unwrap().strip_prefix("Basic ").unwrap();
            Ok(String::from_utf8(BASE64.decode(text.as_bytes()).unwrap()).unwrap())
        };
        assert_eq!(basic(own), Ok("two@example.invalid:OWN".to_owned()));
        assert_eq!(basic(SECRET), Ok("merchant@example.invalid:KEY".to_owned()));
        for name in ["accounts/STORE003/shipway", "accounts/STORE004/shipway"] {
            let error: String = basic(name).unwrap_err();
            assert!(error.contains(name), "{error}");
        }
    }
}

//! The carrier's settings for planning: its rate limit, and the accounts with credentials of their
//! own.

use std::collections::BTreeSet;
use std::sync::Arc;

use aws::settings::{Cached, Settings, SettingsError, Values};
use domain::core::id::AccountCode;
use domain::core::timestamp::Timestamp;
use sources::shipway;

/// Read without decryption: this function must not see the secrets stored beside it.
const PARAMETER: &str = "sources/shipway/settings";
const ACCOUNTS: &str = "accounts";

/// Caches the settings in memory.
pub(crate) struct Carrier {
    settings: Settings,
    rate: Cached<Option<f64>>,
    owners: Cached<BTreeSet<AccountCode>>,
}

impl Carrier {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings, rate: Cached::default(), owners: Cached::default() }
    }

    /// `None` if the carrier has no base URL, which turns polling off.
    pub(crate) async fn calls_per_second(
        &self,
        now: Timestamp,
    ) -> Result<Option<f64>, SettingsError> {
        let load = |_| async {
            let values = self.settings.read_encrypted(&[PARAMETER.to_owned()]).await?;
            values.get(PARAMETER).map_or(Ok(None), |text| parse_rate(text))
        };
        self.rate.get(&self.settings, PARAMETER, now, load).await.map(|rate| *rate)
    }

    /// The accounts with credentials of their own.
    pub(crate) async fn owners(
        &self,
        now: Timestamp,
    ) -> Result<Arc<BTreeSet<AccountCode>>, SettingsError> {
        // The parameter names suffice, so the values stay encrypted.
        let load =
            |_| async { Ok(parse_owners(&self.settings.read_below(ACCOUNTS, false).await?)) };
        self.owners.get(&self.settings, ACCOUNTS, now, load).await
    }
}

fn parse_rate(text: &str) -> Result<Option<f64>, SettingsError> {
    let settings =
        shipway::Settings::read(text).map_err(|error| SettingsError::invalid(PARAMETER, error))?;
    Ok(settings.base_url.map(|_| settings.calls_per_second.get()))
}

fn parse_owners(values: &Values) -> BTreeSet<AccountCode> {
    let code =
        |name: &str| name.strip_prefix("accounts/")?.strip_suffix("/shipway").map(str::to_owned);
    values.keys().filter_map(|name| AccountCode::parse(&code(name)?).ok()).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn has_no_rate_without_a_base_url() {
        assert_eq!(parse_rate("{}"), Ok(None));
        assert_eq!(parse_rate(r#"{"base_url":"https://app.shipway.com"}"#), Ok(Some(5.0)));
        assert_eq!(
            parse_rate(r#"{"base_url":"https://app.shipway.com","calls_per_second":0.5}"#),
            Ok(Some(0.5))
        );
        let error = parse_rate(r#"{"calls_per_second":0}"#).unwrap_err().to_string();
        assert!(error.contains("sources/shipway/settings"), "{error}");
    }

    #[test]
    fn finds_accounts_by_their_parameter_names() {
        let names = [
            "accounts/STORE001/shipway",
            "accounts/STORE002/other",
            "accounts/STORE003/shipway/x",
            "accounts",
        ];
        let values = names.map(|name| (name.to_owned(), String::new())).into();
        assert_eq!(parse_owners(&values), [AccountCode::parse("STORE001").unwrap()].into());
    }
}

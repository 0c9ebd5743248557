//! What the settings say of asking the carrier: how often, and who asks with credentials of their own.

use std::collections::BTreeSet;
use std::sync::Arc;

use aws::settings::{Cached, Settings, SettingsError, Values};
use domain::core::id::AccountCode;
use domain::core::timestamp::Timestamp;
use sources::shipway;

/// Beside it lie secrets, which are not for this function.
const PARAMETER: &str = "sources/shipway/settings";
const ACCOUNTS: &str = "accounts";

/// The settings, kept in memory for a while.
pub(crate) struct Carrier {
    settings: Settings,
    rate: Cached<Option<f64>>,
    owners: Cached<BTreeSet<AccountCode>>,
}

impl Carrier {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings, rate: Cached::default(), owners: Cached::default() }
    }

    /// How many calls may be made in a second; nothing where the carrier is not asked at all.
    pub(crate) async fn calls_per_second(
        &self,
        now: Timestamp,
    ) -> Result<Option<f64>, SettingsError> {
        let load = |_| async {
            let values = self.settings.read_encrypted(&[PARAMETER.to_owned()]).await?;
            values.get(PARAMETER).map_or(Ok(None), |text| rate(text))
        };
        self.rate.get(&self.settings, PARAMETER, now, load).await.map(|rate| *rate)
    }

    /// The accounts with credentials of their own.
    pub(crate) async fn owners(
        &self,
        now: Timestamp,
    ) -> Result<Arc<BTreeSet<AccountCode>>, SettingsError> {
        // Their names are enough: what they hold stays encrypted.
        let load = |_| async { Ok(owners(&self.settings.read_below(ACCOUNTS, false).await?)) };
        self.owners.get(&self.settings, ACCOUNTS, now, load).await
    }
}

fn rate(text: &str) -> Result<Option<f64>, SettingsError> {
    let settings =
        shipway::Settings::read(text).map_err(|error| SettingsError::invalid(PARAMETER, error))?;
    Ok(settings.base_url.map(|_| settings.calls_per_second.get()))
}

fn owners(values: &Values) -> BTreeSet<AccountCode> {
    let code =
        |name: &str| name.strip_prefix("accounts/")?.strip_suffix("/shipway").map(str::to_owned);
    values.keys().filter_map(|name| AccountCode::parse(&code(name)?).ok()).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn without_an_address_nobody_is_asked() {
        assert_eq!(rate("{}"), Ok(None));
        assert_eq!(rate(r#"{"base_url":"https://app.shipway.com"}"#), Ok(Some(5.0)));
        assert_eq!(
            rate(r#"{"base_url":"https://app.shipway.com","calls_per_second":0.5}"#),
            Ok(Some(0.5))
        );
        let error = rate(r#"{"calls_per_second":0}"#).unwrap_err().to_string();
        assert!(error.contains("sources/shipway/settings"), "{error}");
    }

    #[test]
    fn credentials_are_known_by_their_names() {
        let names = [
            "accounts/STORE001/shipway",
            "accounts/STORE002/other",
            "accounts/STORE003/shipway/x",
            "accounts",
        ];
        let values = names.map(|name| (name.to_owned(), String::new())).into();
        assert_eq!(owners(&values), [AccountCode::parse("STORE001").unwrap()].into());
    }
}

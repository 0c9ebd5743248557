//! The carrier's settings for planning: its rate limit, and the credentials of each account.

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
    source: Cached<shipway::Settings>,
    owners: Cached<BTreeSet<AccountCode>>,
}

/// The accounts that may be polled. Never one with the credentials of another tenant.
pub(crate) struct Credentials {
    pub(crate) source: Arc<shipway::Settings>,
    /// The accounts with credentials of their own.
    pub(crate) owners: Arc<BTreeSet<AccountCode>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Own,
    /// With the credentials of the source.
    Shared,
    None,
}

impl Credentials {
    pub(crate) fn access(&self, account: &AccountCode) -> Access {
        if self.owners.contains(account) {
            Access::Own
        } else if self.source.are_shared_with(account) {
            Access::Shared
        } else {
            Access::None
        }
    }
}

impl Carrier {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings, source: Cached::default(), owners: Cached::default() }
    }

    /// `None` if the carrier has no base URL, which turns polling off.
    pub(crate) async fn calls_per_second(
        &self,
        now: Timestamp,
    ) -> Result<Option<f64>, SettingsError> {
        Ok(rate(self.source(now).await?.as_ref()))
    }

    pub(crate) async fn credentials(&self, now: Timestamp) -> Result<Credentials, SettingsError> {
        Ok(Credentials { source: self.source(now).await?, owners: self.owners(now).await? })
    }

    async fn source(&self, now: Timestamp) -> Result<Arc<shipway::Settings>, SettingsError> {
        let load = |_| async {
            let values = self.settings.read_encrypted(&[PARAMETER.to_owned()]).await?;
            parse_source(values.get(PARAMETER).map_or("{}", String::as_str))
        };
        self.source.get(&self.settings, PARAMETER, now, load).await
    }

    async fn owners(&self, now: Timestamp) -> Result<Arc<BTreeSet<AccountCode>>, SettingsError> {
        // The parameter names suffice, so the values stay encrypted.
        let load =
            |_| async { Ok(parse_owners(&self.settings.read_below(ACCOUNTS, false).await?)) };
        self.owners.get(&self.settings, ACCOUNTS, now, load).await
    }
}

fn parse_source(text: &str) -> Result<shipway::Settings, SettingsError> {
    shipway::Settings::read(text).map_err(|error| SettingsError::invalid(PARAMETER, error))
}

fn rate(source: &shipway::Settings) -> Option<f64> {
    source.base_url.as_ref().map(|_| source.calls_per_second.get())
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
        let rate = |text| rate(&parse_source(text).unwrap());
        assert_eq!(rate("{}"), None);
        assert_eq!(rate(r#"{"base_url":"https://app.shipway.com"}"#), Some(5.0));
        let slow = r#"{"base_url":"https://app.shipway.com","calls_per_second":0.5}"#;
        assert_eq!(rate(slow), Some(0.5));
        let error = parse_source(r#"{"calls_per_second":0}"#).unwrap_err().to_string();
        assert!(error.contains("sources/shipway/settings"), "{error}");
    }

    #[test]
    fn shares_the_sources_credentials_with_listed_accounts_only() {
        let code = |code: &str| AccountCode::parse(code).unwrap();
        let settings = r#"{"account":"STORE001","shared_with":["STORE002","STORE003"]}"#;
        let owners = [code("STORE003"), code("STORE004")].into();
        let source = Arc::new(parse_source(settings).unwrap());
        let credentials = Credentials { source, owners: Arc::new(owners) };
        let accounts = ["STORE001", "STORE002", "STORE003", "STORE004", "STORE005"];
        assert_eq!(
            accounts.map(|account| credentials.access(&code(account))),
            [Access::Shared, Access::Shared, Access::Own, Access::Own, Access::None]
        );
        let source = Arc::new(parse_source("{}").unwrap());
        let nobody = Credentials { source, owners: Arc::default() };
        assert_eq!(nobody.access(&code("STORE001")), Access::None);
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

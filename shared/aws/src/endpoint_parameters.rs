//! The parameters of one endpoint, with its secrets.

use domain::auth::Accounts;
use domain::core::id::EndpointName;
use domain::webhooks::endpoint;
use domain::webhooks::signing::SigningKeys;

use crate::error::IoError;
use crate::settings::{Settings, SettingsError};

/// As stored: each part is parsed when it is asked for.
pub struct EndpointParameters {
    folder: String,
    pub url: String,
    secret: Option<String>,
    /// The value of `x-vendor-server-secret`.
    pub legacy_secret: Option<String>,
    settings: String,
}

impl EndpointParameters {
    /// One call of SSM. `None` for an endpoint without a URL: it does not exist.
    pub async fn read(settings: &Settings, name: &EndpointName) -> Result<Option<Self>, IoError> {
        // SSM refuses to look for other names.
        if !name.as_str().bytes().all(|c| c.is_ascii_alphanumeric() || b"._-".contains(&c)) {
            return Ok(None);
        }
        let folder = format!("endpoints/{name}");
        let names =
            ["url", "secret", "legacy_secret", "settings"].map(|part| format!("{folder}/{part}"));
        let mut values = settings.read(&names).await?;
        let [url, secret, legacy_secret, settings] = names.map(|name| values.remove(&name));
        let settings = settings.unwrap_or_else(|| "{}".to_owned());
        Ok(url.map(|url| Self { folder, url, secret, legacy_secret, settings }))
    }

    /// `Invalid` if they cannot be used.
    pub fn settings(&self) -> Result<endpoint::Settings, SettingsError> {
        endpoint::Settings::parse(&self.settings)
            .map_err(|error| SettingsError::invalid(format!("{}/settings", self.folder), error))
    }

    /// The accounts that the endpoint is told about, or may be meant for if its settings are invalid.
    pub fn accounts(&self) -> Accounts {
        let accounts = self.settings().map(|settings| settings.accounts);
        accounts.unwrap_or_else(|_| endpoint::Settings::accounts_of_unusable(&self.settings))
    }

    /// One secret, or two while one replaces the other.
    pub fn secret(&self) -> Option<&str> {
        self.secret.as_deref()
    }

    pub fn secret_parameter(&self) -> String {
        format!("{}/secret", self.folder)
    }

    /// `Missing` or `Invalid` without a secret that can be used.
    pub fn keys(&self) -> Result<SigningKeys, SettingsError> {
        let parameter = self.secret_parameter();
        let Some(secret) = &self.secret else { return Err(SettingsError::missing(parameter)) };
        SigningKeys::parse(secret).map_err(|error| SettingsError::invalid(parameter, error))
    }
}

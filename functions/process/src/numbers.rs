//! Whose the numbers are that shoppers write to.

use std::sync::Arc;

use aws::settings::{Cached, Settings, SettingsError};
use domain::core::id::AccountCode;
use domain::core::timestamp::Timestamp;
use sources::whatsapp;

/// Beside it lie secrets, which are not for this function.
const PARAMETER: &str = "sources/whatsapp/settings";

/// Our numbers, kept in memory for a while.
pub(crate) struct Numbers {
    settings: Settings,
    cached: Cached<Option<whatsapp::Numbers>>,
}

impl Numbers {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings, cached: Cached::default() }
    }

    /// The account that a number is of, by the provider's id of the number; `None` if it is nobody's.
    ///
    /// # Errors
    /// The settings cannot be read, or were never right.
    pub(crate) async fn account(
        &self,
        number: &str,
        now: Timestamp,
    ) -> Result<Option<AccountCode>, SettingsError> {
        let numbers = self.all(now).await?;
        Ok(numbers.as_ref().as_ref().and_then(|numbers| numbers.account(number)).cloned())
    }

    async fn all(&self, now: Timestamp) -> Result<Arc<Option<whatsapp::Numbers>>, SettingsError> {
        let load = |_| async {
            let values = self.settings.read_encrypted(&[PARAMETER.to_owned()]).await?;
            values.get(PARAMETER).map(|text| read(text)).transpose()
        };
        self.cached.get(&self.settings, PARAMETER, now, load).await
    }
}

fn read(text: &str) -> Result<whatsapp::Numbers, SettingsError> {
    whatsapp::Numbers::read(text).map_err(|error| SettingsError::invalid(PARAMETER, error))
}

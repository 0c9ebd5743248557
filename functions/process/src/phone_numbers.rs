//! Maps WhatsApp phone numbers and business accounts to the accounts that own them.

use std::sync::Arc;

use aws::settings::{Cached, Settings, SettingsError};
use domain::core::id::AccountCode;
use domain::core::timestamp::Timestamp;
use sources::whatsapp;

/// Read without decryption: this function must not see the secrets stored beside it.
const PARAMETER: &str = "sources/whatsapp/settings";

pub(crate) struct PhoneNumberAccounts {
    settings: Settings,
    cached: Cached<Option<whatsapp::Numbers>>,
}

impl PhoneNumberAccounts {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings, cached: Cached::default() }
    }

    /// `number` is the provider's id of the phone number.
    pub(crate) async fn account(
        &self,
        number: &str,
        now: Timestamp,
    ) -> Result<Option<AccountCode>, SettingsError> {
        let numbers = self.load(now).await?;
        Ok(numbers.as_ref().as_ref().and_then(|numbers| numbers.account(number)).cloned())
    }

    /// `id` is the provider's id of the business account.
    pub(crate) async fn account_of_business(
        &self,
        id: &str,
        now: Timestamp,
    ) -> Result<Option<AccountCode>, SettingsError> {
        let numbers = self.load(now).await?;
        Ok(numbers.as_ref().as_ref().and_then(|numbers| numbers.account_of_business(id)).cloned())
    }

    async fn load(&self, now: Timestamp) -> Result<Arc<Option<whatsapp::Numbers>>, SettingsError> {
        let load = |_| async {
            let values = self.settings.read_encrypted(&[PARAMETER.to_owned()]).await?;
            values.get(PARAMETER).map(|text| parse(text)).transpose()
        };
        self.cached.get(&self.settings, PARAMETER, now, load).await
    }
}

fn parse(text: &str) -> Result<whatsapp::Numbers, SettingsError> {
    whatsapp::Numbers::read(text).map_err(|error| SettingsError::invalid(PARAMETER, error))
}

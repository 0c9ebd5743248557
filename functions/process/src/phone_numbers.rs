//! Maps WhatsApp phone numbers and business accounts to the accounts that own them.

use aws::settings::{CachedSetting, Settings, SettingsError};
use domain::core::id::AccountCode;
use domain::core::timestamp::Timestamp;
use sources::whatsapp::Numbers;

pub(crate) struct PhoneNumberAccounts(CachedSetting<Numbers>);

impl PhoneNumberAccounts {
    pub(crate) fn new(settings: Settings) -> Self {
        Self(CachedSetting::new(settings, Numbers::PARAMETER, Numbers::read))
    }

    /// `number` is the provider's id of the phone number.
    pub(crate) async fn account(
        &self,
        number: &str,
        now: Timestamp,
    ) -> Result<Option<AccountCode>, SettingsError> {
        let numbers = self.0.get(now).await?;
        Ok(numbers.as_ref().as_ref().and_then(|numbers| numbers.account(number)).cloned())
    }

    /// `id` is the provider's id of the business account.
    pub(crate) async fn account_of_business(
        &self,
        id: &str,
        now: Timestamp,
    ) -> Result<Option<AccountCode>, SettingsError> {
        let numbers = self.0.get(now).await?;
        Ok(numbers.as_ref().as_ref().and_then(|numbers| numbers.account_of_business(id)).cloned())
    }
}

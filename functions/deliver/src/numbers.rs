//! Resolves the name of a phone number to the Cloud API through which it sends messages.

use aws::error::IoError;
use aws::settings::{Cached, Settings, SettingsError};
use domain::core::id::AccountCode;
use domain::core::timestamp::Timestamp;
use egress::LOOPBACK;
use egress::policy::{Refused, Target};
use sources::whatsapp::CloudApi;

const SETTINGS: &str = "sources/whatsapp/settings";
const SECRET: &str = "sources/whatsapp/secret";

pub(crate) enum Resolution {
    Ready(Number),
    /// No setting names it.
    Removed,
    /// The settings or the secret are invalid until an operator corrects them.
    Unusable,
}

pub(crate) struct Number {
    /// Refused where the SSRF policy forbids the address.
    pub(crate) target: Result<Target, Refused>,
    pub(crate) authorization: String,
    pub(crate) messages_per_second: u32,
}

impl Number {
    /// An answer without the access token: "Malformed access token …" repeats it.
    pub(crate) fn mask_token(&self, answer: &[u8]) -> Vec<u8> {
        let token = self.authorization.trim_start_matches("Bearer ");
        if token.is_empty() {
            return answer.to_vec();
        }
        String::from_utf8_lossy(answer).replace(token, "[REDACTED]").into_bytes()
    }
}

/// Caches the settings in memory.
pub(crate) struct NumberResolver {
    settings: Settings,
    cached: Cached<Option<CloudApi>>,
}

impl NumberResolver {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings, cached: Cached::default() }
    }

    /// `number` is the provider's id of the phone number. One that is not the account's counts as
    /// removed.
    pub(crate) async fn resolve(
        &self,
        number: &str,
        account: Option<&AccountCode>,
        now: Timestamp,
    ) -> Result<Resolution, IoError> {
        let api = self.cached.get(&self.settings, SETTINGS, now, |_last| self.load()).await;
        match api.as_deref() {
            Ok(Some(api)) if account.is_some() && api.numbers.account(number) == account => {
                Ok(Resolution::Ready(Number {
                    target: Target::parse(&api.messages_url(number), LOOPBACK),
                    authorization: api.authorization(),
                    messages_per_second: api.messages_per_second,
                }))
            }
            Ok(_) => Ok(Resolution::Removed),
            Err(SettingsError::Missing { .. } | SettingsError::Invalid { .. }) => {
                Ok(Resolution::Unusable)
            }
            Err(SettingsError::Io(error)) => Err(error.clone()),
        }
    }

    async fn load(&self) -> Result<Option<CloudApi>, SettingsError> {
        let names = [SETTINGS, SECRET].map(str::to_owned);
        let values = self.settings.read(&names).await?;
        let Some(settings) = values.get(SETTINGS) else { return Ok(None) };
        let secret = values.get(SECRET).map(String::as_str);
        let invalid = |error| SettingsError::invalid("sources/whatsapp", error);
        CloudApi::read(settings, secret).map(Some).map_err(invalid)
    }
}

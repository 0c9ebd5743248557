//! Resolves the name of a phone number to the Cloud API through which it sends messages.

use std::time::Duration;

use aws::error::IoError;
use aws::settings::{Cached, Settings, SettingsError};
use domain::core::id::AccountCode;
use domain::core::timestamp::Timestamp;
use domain::webhooks::delivery::Delivery;
use egress::LOOPBACK;
use egress::policy::{Refused, Target};
use sources::whatsapp::CloudApi;

const SETTINGS: &str = "sources/whatsapp/settings";
const SECRET: &str = "sources/whatsapp/secret";
/// The settings are not read again more often than this, though messages are refused.
const OFTEN: Duration = Duration::from_secs(5);

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
    /// removed, by settings that are newer than the message: it may be the first one of the number.
    pub(crate) async fn resolve(
        &self,
        number: &str,
        delivery: &Delivery,
        now: Timestamp,
    ) -> Result<Resolution, IoError> {
        let account = delivery.account.as_ref();
        let resolution = self.look_up(number, account, now).await?;
        let accepted_at = delivery.accepted_at.unwrap_or_else(|| now.before(OFTEN));
        let is_removed = matches!(resolution, Resolution::Removed);
        if is_removed && self.cached.expire_older(SETTINGS, accepted_at).await {
            return self.look_up(number, account, now).await;
        }
        Ok(resolution)
    }

    /// True if the settings have other credentials by now than those that were refused.
    pub(crate) async fn has_others(
        &self,
        number: &str,
        delivery: &Delivery,
        refused: &Number,
        now: Timestamp,
    ) -> Result<bool, IoError> {
        self.cached.expire_older(SETTINGS, now.before(OFTEN)).await;
        Ok(match self.look_up(number, delivery.account.as_ref(), now).await? {
            Resolution::Ready(number) => number.authorization != refused.authorization,
            Resolution::Removed | Resolution::Unusable => false,
        })
    }

    async fn look_up(
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
        let api = CloudApi::read(settings, secret).map_err(invalid)?;
        let target = Target::parse(&api.messages_url("0"), LOOPBACK);
        let invalid = |problem| SettingsError::invalid("sources/whatsapp/settings", problem);
        target.map_err(|refused| invalid(format!("graph_url: {refused}")))?;
        Ok(Some(api))
    }
}

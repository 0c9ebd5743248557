//! What has happened since a rule created its message: it may have waited for the morning, for a
//! retry or for its number.

use std::time::Duration;

use aws::clock::now;
use aws::error::IoError;
use aws::settings::{Cached, Settings, SettingsError};
use aws::tables::deliveries::Lease;
use aws::tables::messages::Messages;
use domain::core::id::AccountCode;
use domain::core::timestamp::Timestamp;
use domain::messaging::cloud_api::recipient_of;
use domain::messaging::rules::MessageRules;
use domain::messaging::send::Unsent;
use domain::webhooks::delivery::Delivery;

pub(crate) struct RuleChecks {
    messages: Messages,
    settings: Settings,
    cached: Cached<Option<MessageRules>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Send,
    /// It is night where the shopper is.
    Wait(Duration),
    End(Unsent),
}

impl RuleChecks {
    pub(crate) fn new(messages: Messages, settings: Settings) -> Self {
        Self { messages, settings, cached: Cached::default() }
    }

    /// A message that a request sends may always go.
    pub(crate) async fn check(
        &self,
        delivery: &Delivery,
        lease: &Lease,
    ) -> Result<Verdict, IoError> {
        let (Some(expires_at), Some(account)) = (lease.expires_at, &delivery.account) else {
            return Ok(Verdict::Send);
        };
        let now = now();
        let put_off = self.end_of_night(account, now).await?.filter(|end| *end > now);
        if expires_at < put_off.unwrap_or(now) {
            return Ok(Verdict::End(Unsent::TooOld));
        }
        if let Some(to) = recipient_of(&lease.body)
            && self.messages.is_opted_out(account, &to).await?
        {
            return Ok(Verdict::End(Unsent::OptedOut));
        }
        Ok(put_off.map_or(Verdict::Send, |end| Verdict::Wait(end.since(now))))
    }

    /// When messages of the account may go: now, or at the end of the quiet hours.
    async fn end_of_night(
        &self,
        account: &AccountCode,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, IoError> {
        let parameter = format!("accounts/{account}/messages");
        let load = |_last| async {
            let values = self.settings.read(std::slice::from_ref(&parameter)).await?;
            let parse = |text: &String| {
                MessageRules::parse(text)
                    .map_err(|error| SettingsError::invalid(parameter.clone(), error))
            };
            values.get(&parameter).map(parse).transpose()
        };
        match self.cached.get(&self.settings, account.as_str(), now, load).await {
            Ok(rules) => Ok(rules.as_ref().as_ref().map(|rules| rules.slot(now).not_before)),
            Err(SettingsError::Io(error)) => Err(error),
            // Rules that cannot be read put nothing off: the message was planned by them.
            Err(SettingsError::Missing { .. } | SettingsError::Invalid { .. }) => Ok(None),
        }
    }
}

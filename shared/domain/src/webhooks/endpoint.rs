//! Endpoint settings: format, accounts, subscriptions, timeout, backoff, headers.

mod error;
mod format;
mod headers;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::auth::Accounts;
use crate::core::deserialize::Object;
use crate::core::id::EndpointName;
use crate::core::request_body::field_path;
use crate::tracking::status::Status;
use crate::webhooks::retry::Schedule;

pub use error::EndpointSettingError;
pub use format::{EventType, Format};
use headers::{check_headers, effective};

/// An item of `events`. Without `events`, an endpoint is subscribed to all status changes only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Subscription {
    /// All events of this type.
    Every(EventType),
    /// Status changes to this status.
    To(Status),
}

/// Within the 15 to 30 s that Standard Webhooks recommends; a slower endpoint occupies a worker.
pub const MAX_TIMEOUT: Duration = Duration::from_secs(30);
/// Earlier versions took timeouts up to this: such settings stay valid and mean [`MAX_TIMEOUT`].
const MAX_STORED_TIMEOUT: Duration = Duration::from_secs(60);
pub const MAX_RETRIES: u32 = 50;
/// A worker gets ten messages at once.
const IN_FLIGHT: std::ops::RangeInclusive<usize> = 1..=10;
const DEFAULT_IN_FLIGHT: usize = 5;
/// The longest wait between two attempts.
pub const MAX_BACKOFF: Duration = Duration::from_secs(24 * 60 * 60);
/// The longest sum of all waits. SQS keeps a message for 14 days: a delivery must end before that.
pub const MAX_SCHEDULE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawSettings {
    format: Format,
    accounts: Option<Accounts>,
    events: Option<Vec<Subscription>>,
    timeout_seconds: Option<u64>,
    retry_count: Option<u32>,
    backoff: Option<Vec<u32>>,
    retry_4xx: Option<bool>,
    max_in_flight: Option<usize>,
    latest_only: bool,
    headers: BTreeMap<String, String>,
    enabled: Option<bool>,
}

/// `endpoints/{name}/settings` with its defaults.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    pub format: Format,
    /// The endpoint gets deliveries of these accounts only.
    pub accounts: Accounts,
    events: Option<Vec<Subscription>>,
    /// Of one attempt, including the answer; at most [`MAX_TIMEOUT`]. Stored values of 31 to 60 s,
    /// which earlier versions took, are read as [`MAX_TIMEOUT`].
    pub timeout: Duration,
    pub schedule: Schedule,
    /// Retries answers of 3xx and 4xx, except 410.
    pub retry_4xx: bool,
    /// The requests that one worker sends at the same time.
    pub max_in_flight: usize,
    /// A retry is superseded by a newer delivery of the same type about the same order or parcel.
    pub latest_only: bool,
    /// Additional headers; reserved names are rejected, or ignored if earlier versions took them.
    pub headers: BTreeMap<String, String>,
    /// If false, deliveries become dead letters with the reason `endpoint_disabled`.
    pub enabled: bool,
}

impl Settings {
    /// Parses the parameter `endpoints/{name}/settings`.
    pub fn parse(text: &str) -> Result<Self, EndpointSettingError> {
        serde_json::from_str::<&RawValue>(text)
            .map_err(|_| EndpointSettingError::new(".", "must be JSON"))?;
        let reader = &mut serde_json::Deserializer::from_str(text);
        let Object(raw): Object<RawSettings> =
            serde_path_to_error::deserialize(reader).map_err(|error| {
                EndpointSettingError::new(field_path(&error), "has the wrong type or value")
            })?;
        let format = raw.format;
        let timeout = raw.timeout_seconds.map_or(format.timeout(), Duration::from_secs);
        if timeout.is_zero() || timeout > MAX_STORED_TIMEOUT {
            return Err(EndpointSettingError::new("timeout_seconds", "must be 1 to 30"));
        }
        let max_in_flight = raw.max_in_flight.unwrap_or(DEFAULT_IN_FLIGHT);
        if !IN_FLIGHT.contains(&max_in_flight) {
            return Err(EndpointSettingError::new("max_in_flight", "must be 1 to 10"));
        }
        check_headers(&raw.headers)?;
        check_format(&raw)?;
        Ok(Self {
            format,
            accounts: raw.accounts.unwrap_or_default(),
            events: raw.events,
            timeout: timeout.min(MAX_TIMEOUT),
            schedule: schedule(format, raw.retry_count, raw.backoff)?,
            retry_4xx: raw.retry_4xx.unwrap_or(format.retries_4xx()),
            max_in_flight,
            latest_only: raw.latest_only,
            headers: effective(raw.headers),
            enabled: raw.enabled.unwrap_or(true),
        })
    }

    /// The accounts in settings that [`Settings::parse`] rejects; all accounts if they cannot be
    /// read.
    pub fn accounts_of_unusable(text: &str) -> Accounts {
        #[derive(Deserialize)]
        struct Readable {
            #[serde(default)]
            accounts: Accounts,
        }
        serde_json::from_str(text).map_or(Accounts::All, |Readable { accounts }| accounts)
    }

    /// True if the endpoint is subscribed to changes to this status.
    pub fn is_subscribed_to(&self, status: Status) -> bool {
        let matches = |subscription: &Subscription| match subscription {
            Subscription::Every(event) => *event == EventType::StatusChanged,
            Subscription::To(subscribed) => *subscribed == status,
        };
        self.events.as_ref().is_none_or(|events| events.iter().any(matches))
    }

    /// True if `events` names this type. Those beside `order.status_changed` are opt-in: older
    /// receivers do not know them.
    pub fn asks_for(&self, event: EventType) -> bool {
        let named = Subscription::Every(event);
        self.events.as_ref().is_some_and(|events| events.contains(&named))
    }
}

/// `status_update` is a batch: none of its rows can be superseded alone, and it has no words for
/// answers and for events of endpoints. `order.status_changed` has the body of an order.
fn check_format(raw: &RawSettings) -> Result<(), EndpointSettingError> {
    if raw.latest_only && raw.format == Format::StatusUpdate {
        let message = "cannot be true with the format status_update, whose bodies are batches";
        return Err(EndpointSettingError::new("latest_only", message));
    }
    let mut events = raw.events.iter().flatten();
    let is_standard_only =
        |it: &Subscription| matches!(it, Subscription::Every(event) if event.is_standard_only());
    if raw.format != Format::Standard && events.any(is_standard_only) {
        let message = "may name message.received, endpoint.paused, endpoint.disabled and \
                       endpoint.recovered only with the format standard";
        return Err(EndpointSettingError::new("events", message));
    }
    Ok(())
}

fn schedule(
    format: Format,
    count: Option<u32>,
    backoff: Option<Vec<u32>>,
) -> Result<Schedule, EndpointSettingError> {
    let is_custom = backoff.is_some();
    let backoff = backoff.unwrap_or_else(|| format.backoff().to_vec());
    let backoff: Vec<Duration> =
        backoff.into_iter().map(|s| Duration::from_secs(s.into())).collect();
    if backoff.is_empty() || backoff.iter().any(|wait| *wait > MAX_BACKOFF) {
        return Err(EndpointSettingError::new(
            "backoff",
            "must be a list of waits of at most 86400 seconds",
        ));
    }
    let default = if is_custom { backoff.len() } else { format.backoff().len() };
    let retries = count.unwrap_or(u32::try_from(default).unwrap_or(MAX_RETRIES));
    if retries > MAX_RETRIES {
        return Err(EndpointSettingError::new("retry_count", "must be at most 50"));
    }
    let schedule = Schedule { retries, backoff, jitter: format == Format::Standard };
    if schedule.total() > MAX_SCHEDULE {
        return Err(EndpointSettingError::new("backoff", "must add up to at most 7 days"));
    }
    Ok(schedule)
}

/// An endpoint without its URL and secrets, as `process` needs it.
#[derive(Debug, Clone, PartialEq)]
pub struct Endpoint {
    pub name: EndpointName,
    pub settings: Settings,
}

#[cfg(test)]
mod tests;

//! A customer's endpoint: what it wants to be told, in which form, and how patiently.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use strum::{EnumString, IntoStaticStr};

use crate::auth::Accounts;
use crate::core::deserialize::Object;
use crate::core::id::EndpointName;
use crate::core::request_body::field_path;
use crate::tracking::status::Status;
use crate::webhooks::retry::Schedule;

/// The body and headers a customer's server expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[derive(IntoStaticStr, EnumString)]
#[strum(serialize_all = "snake_case")]
pub enum Format {
    /// One body for up to 50 orders.
    StatusUpdate,
    /// One body for an order, with legacy headers.
    #[serde(rename = "order.status_changed")]
    #[strum(serialize = "order.status_changed")]
    OrderStatusChanged,
    /// The Standard Webhooks payload.
    #[default]
    Standard,
}

impl Format {
    /// As it stands in settings and rows.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// From a row.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    /// How long one attempt may take.
    fn timeout(self) -> Duration {
        Duration::from_secs(match self {
            Self::StatusUpdate => 30,
            Self::OrderStatusChanged => 10,
            Self::Standard => 15,
        })
    }

    /// Waits between attempts, in seconds.
    fn backoff(self) -> &'static [u32] {
        const MINUTE: u32 = 60;
        const HOUR: u32 = 60 * MINUTE;
        match self {
            Self::StatusUpdate => &[1, 2, 4],
            Self::OrderStatusChanged => &[1, 2, 3],
            Self::Standard => &[
                5,
                30,
                2 * MINUTE,
                10 * MINUTE,
                30 * MINUTE,
                HOUR,
                3 * HOUR,
                6 * HOUR,
                12 * HOUR,
                24 * HOUR,
            ],
        }
    }
}

/// What can be told of an order.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, IntoStaticStr, EnumString,
)]
pub enum EventType {
    /// Its status changed.
    #[default]
    #[serde(rename = "order.status_changed")]
    #[strum(serialize = "order.status_changed")]
    StatusChanged,
    /// Its parcel has not moved for too long.
    #[serde(rename = "order.stalled")]
    #[strum(serialize = "order.stalled")]
    Stalled,
}

impl EventType {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// From a row.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

/// What an endpoint can ask to be told. Absent means every change of status, and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Subscription {
    /// Every one of these.
    Every(EventType),
    /// Changes to this status.
    To(Status),
}

/// The longest that one attempt may be allowed to take: `deliver` has to answer before its own timeout.
pub const MAX_TIMEOUT: Duration = Duration::from_secs(60);
/// The most retries that can be asked for.
pub const MAX_RETRIES: u32 = 50;
/// The longest wait between two attempts.
pub const MAX_BACKOFF: Duration = Duration::from_secs(24 * 60 * 60);

/// The longest that all waits may take together: a message lives for 14 days, and no delivery may end with it unseen.
pub const MAX_SCHEDULE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// `endpoints/{name}/settings`, as written.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Written {
    format: Format,
    accounts: Option<Accounts>,
    events: Option<Vec<Subscription>>,
    timeout_seconds: Option<u64>,
    retry_count: Option<u32>,
    backoff: Option<Vec<u32>>,
    headers: BTreeMap<String, String>,
    enabled: Option<bool>,
}

/// A setting's value cannot be used. The message never quotes it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct InvalidSetting {
    /// The field at fault.
    pub field: String,
    /// The rule it breaks.
    pub message: &'static str,
}

impl InvalidSetting {
    /// A field that breaks a rule.
    pub fn new(field: impl Into<String>, message: &'static str) -> Self {
        Self { field: field.into(), message }
    }
}

/// `endpoints/{name}/settings` with its defaults.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Body and headers.
    pub format: Format,
    /// Whose orders it may see.
    pub accounts: Accounts,
    events: Option<Vec<Subscription>>,
    /// How long one attempt may take, answer included.
    pub timeout: Duration,
    /// When a failed attempt is repeated.
    pub schedule: Schedule,
    /// Sent along, after the headers that this project sets.
    pub headers: BTreeMap<String, String>,
    /// Whether anything is sent at all.
    pub enabled: bool,
}

impl Settings {
    /// Reads the parameter's JSON text.
    ///
    /// # Errors
    /// Names the field at fault.
    pub fn parse(text: &str) -> Result<Self, InvalidSetting> {
        serde_json::from_str::<&RawValue>(text)
            .map_err(|_| InvalidSetting::new(".", "is not JSON"))?;
        let reader = &mut serde_json::Deserializer::from_str(text);
        let Object(written): Object<Written> =
            serde_path_to_error::deserialize(reader).map_err(|error| {
                InvalidSetting::new(field_path(&error), "has the wrong type or value")
            })?;
        let format = written.format;
        let timeout = written.timeout_seconds.map_or(format.timeout(), Duration::from_secs);
        if timeout.is_zero() || timeout > MAX_TIMEOUT {
            return Err(InvalidSetting::new("timeout_seconds", "must be 1 to 60"));
        }
        check_headers(&written.headers)?;
        Ok(Self {
            format,
            accounts: written.accounts.unwrap_or_default(),
            events: written.events,
            timeout,
            schedule: schedule(format, written.retry_count, written.backoff)?,
            headers: written.headers,
            enabled: written.enabled.unwrap_or(true),
        })
    }

    /// Whose orders an endpoint may be meant for whose settings cannot be used: all, unless they can still be told.
    pub fn accounts_of_unusable(text: &str) -> Accounts {
        #[derive(Deserialize)]
        struct Readable {
            #[serde(default)]
            accounts: Accounts,
        }
        serde_json::from_str(text).map_or(Accounts::All, |Readable { accounts }| accounts)
    }

    /// Whether a change to this status is wanted.
    pub fn wants(&self, status: Status) -> bool {
        let matches = |wanted: &Subscription| match wanted {
            Subscription::Every(event) => *event == EventType::StatusChanged,
            Subscription::To(wanted) => *wanted == status,
        };
        self.events.as_ref().is_none_or(|events| events.iter().any(matches))
    }

    /// Whether it is to be told of orders that stand still. Only who asks is: receivers of old know no such event.
    pub fn wants_stalled(&self) -> bool {
        self.events
            .as_ref()
            .is_some_and(|events| events.contains(&Subscription::Every(EventType::Stalled)))
    }
}

fn schedule(
    format: Format,
    count: Option<u32>,
    backoff: Option<Vec<u32>>,
) -> Result<Schedule, InvalidSetting> {
    let own = backoff.is_some();
    let backoff = backoff.unwrap_or_else(|| format.backoff().to_vec());
    let backoff: Vec<Duration> =
        backoff.into_iter().map(|s| Duration::from_secs(s.into())).collect();
    if backoff.is_empty() || backoff.iter().any(|wait| *wait > MAX_BACKOFF) {
        return Err(InvalidSetting::new(
            "backoff",
            "must be a list of waits of at most 86400 seconds",
        ));
    }
    let default = if own { backoff.len() } else { format.backoff().len() };
    let retries = count.unwrap_or(u32::try_from(default).unwrap_or(MAX_RETRIES));
    if retries > MAX_RETRIES {
        return Err(InvalidSetting::new("retry_count", "must be at most 50"));
    }
    let schedule = Schedule { retries, backoff, jitter: format == Format::Standard };
    if schedule.total() > MAX_SCHEDULE {
        return Err(InvalidSetting::new(
            "backoff",
            "the waits must not be longer than 7 days together",
        ));
    }
    Ok(schedule)
}

/// RFC 9110 tokens as names, visible ASCII as values, and nothing that this project or HTTP itself decides.
fn check_headers(headers: &BTreeMap<String, String>) -> Result<(), InvalidSetting> {
    const OURS: [&str; 14] = [
        "accept-encoding",
        "connection",
        "content-length",
        "content-type",
        "expect",
        "host",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "x-vendor-server-secret",
    ];
    let token = |c: u8| c.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&c);
    for (name, value) in headers {
        let lower = name.to_ascii_lowercase();
        let ours = OURS.contains(&lower.as_str())
            || lower.starts_with("webhook-")
            || lower.starts_with("x-webhook-");
        if name.is_empty() || !name.bytes().all(token) || ours {
            return Err(InvalidSetting::new(
                format!("headers.{name}"),
                "is no header that can be set",
            ));
        }
        if !value.bytes().all(|c| c == b' ' || c.is_ascii_graphic()) {
            return Err(InvalidSetting::new(format!("headers.{name}"), "must be visible ASCII"));
        }
    }
    Ok(())
}

/// What `process` knows of an endpoint: enough to write for it, and no secret.
#[derive(Debug, Clone, PartialEq)]
pub struct Endpoint {
    /// Its name.
    pub name: EndpointName,
    /// Its settings.
    pub settings: Settings,
}

#[cfg(test)]
mod tests;

//! The status of a message: a join of all reported statuses, so neither out-of-order nor duplicate
//! reports change the result.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

use crate::core::id::AccountCode;
use crate::core::timestamp::Timestamp;
use crate::messaging::channel::{ChannelError, ProviderMessageId, StatusUpdate};
use crate::messaging::pricing::Pricing;
use crate::messaging::send::SendId;
use crate::tracking::timeline::plausible_time;

/// Longer texts are cut off, in characters.
const STATUS_CHARS: usize = 64;
const CODE_CHARS: usize = 64;
const TITLE_CHARS: usize = 256;
const DETAILS_CHARS: usize = 1024;

/// By rank: the highest reported status is the status of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[derive(IntoStaticStr, EnumString, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum ProviderStatus {
    /// On its way to the provider.
    Sending,
    /// The provider refused the request for it, or it was given up. A replay may still send it. People
    /// see `failed`.
    NotSent,
    /// The provider may have it: the request for it has no result.
    Unknown,
    /// The provider took it.
    Accepted,
    Sent,
    /// The provider could not deliver it. Ranks below `Delivered`: a message that was delivered after all has not failed.
    Failed,
    Delivered,
    Read,
    /// A voice message.
    Played,
}

impl ProviderStatus {
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// As the API shows it.
    pub fn shown(self) -> &'static str {
        match self {
            Self::NotSent => Self::Failed.as_str(),
            status => status.as_str(),
        }
    }

    /// A provider's word, or a partner's. `None` for words without a mapping, e.g. `deleted`.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok().filter(|status| *status != Self::NotSent)
    }

    /// Of a result of ours under our own id, which no provider uses, every status is meant.
    fn of(update: &StatusUpdate) -> Option<Self> {
        match SendId::parse(update.message.as_str()) {
            Some(_) => update.status.parse().ok(),
            None => Self::parse(&update.status),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Failure {
    at: Timestamp,
    error: ChannelError,
}

/// A status without a mapping.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Unmapped {
    at: Timestamp,
    #[serde(rename = "word")]
    status: String,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Priced {
    at: Timestamp,
    pricing: Pricing,
}

/// The statuses of a message. The size is bounded, whatever the provider reports.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MessageTracking {
    /// The earliest time of each status.
    #[serde(rename = "seen")]
    statuses: BTreeMap<ProviderStatus, Timestamp>,
    /// The earliest error; of errors with the same time, the least.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<Failure>,
    /// The latest unmapped status; of those with the same time, the greatest.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(rename = "other")]
    unmapped: Option<Unmapped>,
    /// The earliest: the statuses that have one say the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    priced: Option<Priced>,
}

impl MessageTracking {
    /// Returns true if the update changed anything.
    pub fn merge(&mut self, update: &StatusUpdate, received_at: Timestamp) -> bool {
        let at = plausible_time(update.at, received_at);
        let Some(status) = ProviderStatus::of(update) else {
            return self.record_unknown(at, &update.status);
        };
        let has_failed = matches!(status, ProviderStatus::NotSent | ProviderStatus::Failed);
        let error = update.error.as_ref().filter(|_| has_failed);
        let has_new_error = error.is_some_and(|error| self.record_failure(at, error));
        let has_new_price = update.pricing.is_some_and(|pricing| self.record_price(at, pricing));
        self.observe(status, at) || has_new_error || has_new_price
    }

    /// Returns true if the status is new or earlier than known.
    pub fn observe(&mut self, status: ProviderStatus, at: Timestamp) -> bool {
        let is_earliest = self.statuses.get(&status).is_none_or(|known| at < *known);
        if is_earliest {
            self.statuses.insert(status, at);
        }
        is_earliest
    }

    fn record_failure(&mut self, at: Timestamp, error: &ChannelError) -> bool {
        let failure = Failure { at, error: clipped(error) };
        let is_earliest = self.failure.as_ref().is_none_or(|known| failure < *known);
        if is_earliest {
            self.failure = Some(failure);
        }
        is_earliest
    }

    fn record_price(&mut self, at: Timestamp, pricing: Pricing) -> bool {
        let priced = Priced { at, pricing };
        let is_earliest = self.priced.as_ref().is_none_or(|known| priced < *known);
        if is_earliest {
            self.priced = Some(priced);
        }
        is_earliest
    }

    fn record_unknown(&mut self, at: Timestamp, status: &str) -> bool {
        let unmapped = Unmapped { at, status: clip(status, STATUS_CHARS) };
        let is_latest = self.unmapped.as_ref().is_none_or(|known| unmapped > *known);
        if is_latest {
            self.unmapped = Some(unmapped);
        }
        is_latest
    }

    /// Joins what was noted about the same message elsewhere. Returns true if that changes anything.
    pub fn join(&mut self, other: &Self) -> bool {
        let before = self.clone();
        for (status, at) in &other.statuses {
            self.observe(*status, *at);
        }
        let failures = [self.failure.take(), other.failure.clone()];
        self.failure = failures.into_iter().flatten().min();
        self.unmapped = self.unmapped.take().max(other.unmapped.clone());
        let prices = [self.priced.take(), other.priced.clone()];
        self.priced = prices.into_iter().flatten().min();
        *self != before
    }

    /// `None` before the first mapped status.
    pub fn status(&self) -> Option<ProviderStatus> {
        self.statuses.keys().next_back().copied()
    }

    pub fn has(&self, status: ProviderStatus) -> bool {
        self.statuses.contains_key(&status)
    }

    /// Kept also if the message was delivered after all.
    pub fn error(&self) -> Option<&ChannelError> {
        self.failure.as_ref().map(|failure| &failure.error)
    }

    pub fn pricing(&self) -> Option<Pricing> {
        self.priced.as_ref().map(|priced| priced.pricing)
    }

    /// All reported statuses by rank, with the earliest time of each.
    pub fn statuses(&self) -> impl Iterator<Item = (ProviderStatus, Timestamp)> {
        self.statuses.iter().map(|(status, at)| (*status, *at))
    }
}

fn clipped(error: &ChannelError) -> ChannelError {
    let clip = |text: &Option<String>, max| text.as_deref().map(|text| clip(text, max));
    ChannelError {
        code: clip(&error.code, CODE_CHARS),
        title: clip(&error.title, TITLE_CHARS),
        details: clip(&error.details, DETAILS_CHARS),
    }
}

fn clip(text: &str, max: usize) -> String {
    text.chars().take(max).collect()
}

/// Provider ids are unique within an account only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProviderMessageKey {
    /// The account of the sending number.
    pub account: AccountCode,
    pub message: ProviderMessageId,
}

#[cfg(test)]
mod tests;

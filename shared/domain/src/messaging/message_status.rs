//! How a message fares at its provider: a join of everything that was reported of it, so that neither the order of
//! arrival nor repeats matter.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

use crate::core::id::AccountCode;
use crate::core::timestamp::Timestamp;
use crate::messaging::channel::{ChannelError, ProviderMessageId, StatusUpdate};
use crate::tracking::timeline::plausible_time;

/// The longest word, code, title and details that are kept, in characters.
const WORD_CHARS: usize = 64;
const CODE_CHARS: usize = 64;
const TITLE_CHARS: usize = 256;
const DETAILS_CHARS: usize = 1024;

/// What a provider can say of a message, least first: the highest that was ever said is its status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[derive(IntoStaticStr, EnumString, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum ProviderStatus {
    /// It is on its way to the provider.
    Sending,
    /// The provider has sent it.
    Sent,
    /// It could not be sent or delivered. One that was delivered after all has not failed.
    Failed,
    /// It is on the shopper's phone.
    Delivered,
    /// The shopper has seen it.
    Read,
    /// The shopper has listened to it: a voice message.
    Played,
}

impl ProviderStatus {
    /// The provider's word.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The word of this spelling; `None` for those without a meaning, e.g. `deleted`.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

/// Why a message failed, and when.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Failure {
    at: Timestamp,
    error: ChannelError,
}

/// A word without a meaning.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Other {
    at: Timestamp,
    word: String,
}

/// How a message fares. Its size is bounded, whatever is reported.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MessageTracking {
    /// When each word was first true.
    seen: BTreeMap<ProviderStatus, Timestamp>,
    /// The first error that anybody named; among those of one time the least.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<Failure>,
    /// The latest word without a meaning; among those of one time the greatest.
    #[serde(skip_serializing_if = "Option::is_none")]
    other: Option<Other>,
}

impl MessageTracking {
    /// Takes one piece of news, received at this time; whether that changed anything.
    pub fn join(&mut self, news: &StatusUpdate, received_at: Timestamp) -> bool {
        let at = plausible_time(news.at, received_at);
        let Some(word) = ProviderStatus::parse(&news.status) else {
            return self.record_unknown(at, &news.status);
        };
        let error = news.error.as_ref().filter(|_| word == ProviderStatus::Failed);
        let blamed = error.is_some_and(|error| self.record_failure(at, error));
        self.observe(word, at) || blamed
    }

    /// Takes a word that was true at this time; whether that changed anything.
    pub fn observe(&mut self, word: ProviderStatus, at: Timestamp) -> bool {
        let first = self.seen.get(&word).is_none_or(|seen| at < *seen);
        if first {
            self.seen.insert(word, at);
        }
        first
    }

    fn record_failure(&mut self, at: Timestamp, error: &ChannelError) -> bool {
        let failure = Failure { at, error: clipped(error) };
        let first = self.failure.as_ref().is_none_or(|known| failure < *known);
        if first {
            self.failure = Some(failure);
        }
        first
    }

    fn record_unknown(&mut self, at: Timestamp, word: &str) -> bool {
        let other = Other { at, word: clip(word, WORD_CHARS) };
        let latest = self.other.as_ref().is_none_or(|known| other > *known);
        if latest {
            self.other = Some(other);
        }
        latest
    }

    /// The message's status; `None` if nothing with a meaning was reported.
    pub fn status(&self) -> Option<ProviderStatus> {
        self.seen.keys().next_back().copied()
    }

    /// Why it failed, also if it was delivered after all.
    pub fn error(&self) -> Option<&ChannelError> {
        self.failure.as_ref().map(|failure| &failure.error)
    }

    /// All statuses it had, least first, and when each was first true.
    pub fn statuses(&self) -> impl Iterator<Item = (ProviderStatus, Timestamp)> {
        self.seen.iter().map(|(word, at)| (*word, *at))
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

/// Identifies a provider's message: nothing names one by its id alone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProviderMessageKey {
    /// Whose number sent it.
    pub account: AccountCode,
    /// The provider's id.
    pub message: ProviderMessageId,
}

#[cfg(test)]
mod tests;

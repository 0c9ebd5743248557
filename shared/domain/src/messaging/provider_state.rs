//! What a messaging provider says about its business accounts, phone numbers and templates, apart
//! from messages: the latest statement about each aspect, in any order of arrival.

mod standing;
mod template;
mod view;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

use crate::core::timestamp::Timestamp;
use crate::tracking::timeline::plausible_time;

pub use standing::{NO_RESTRICTION, Standing, is_connection};
pub use template::{TemplateId, TemplateRefusal, usable};
pub use view::{SenderView, TemplateView};

/// Longest text that is kept, in characters.
const TEXT_CHARS: usize = 512;

/// What the provider's statement is about. Whole business accounts and their phone numbers send
/// messages; templates are what is sent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// The provider's id of a business account, in digits.
    BusinessAccount(String),
    /// The digits of one of the business's own phone numbers: the provider does not tell its id.
    Number(String),
    Template(TemplateId),
}

/// A question with one answer at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[derive(IntoStaticStr, EnumString, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Aspect {
    /// The last event of any kind about an account or number.
    Event,
    /// `DISABLE`, `SCHEDULE_FOR_DISABLE` or `REINSTATE`.
    Ban,
    /// What a business account must not do, or `NONE`.
    Restriction,
    /// The policy that a business account violated.
    Violation,
    /// Whether the account exists and is shared with this app.
    Connection,
    /// Of a business account against the provider's policies.
    Review,
    Alert,
    /// `FLAGGED` or `UNFLAGGED`.
    Flag,
    /// `GREEN`, `YELLOW`, `RED` or `UNKNOWN`, of a number or template.
    Quality,
    /// How many shoppers may be written to a day, e.g. `TIER_2K`.
    Limit,
    /// The decision about a number's display name.
    Name,
    /// Of a template, e.g. `APPROVED` or `PAUSED`.
    Status,
    Category,
}

/// One statement of the provider, in its own words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Told {
    /// First: the latest statement is the greatest.
    pub at: Timestamp,
    pub value: String,
    pub reason: Option<String>,
    /// A name or id that the statement is about.
    pub subject: Option<String>,
    /// When it ends by itself, or takes effect.
    pub until: Option<Timestamp>,
}

/// A statement as it is read from a body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Statement {
    pub about: Subject,
    pub aspect: Aspect,
    /// `None` counts as the time of receipt.
    pub at: Option<Timestamp>,
    pub value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

impl Statement {
    /// True if by itself it keeps an account or number from sending, or threatens to.
    pub fn is_grave(&self, received_at: Timestamp) -> bool {
        let mut alone = ProviderState::default();
        alone.merge(self, received_at);
        let is_template = matches!(self.about, Subject::Template(_));
        !is_template && alone.standing(received_at).is_alarming()
    }

    fn told(&self, received_at: Timestamp) -> Told {
        let clip = |text: &Option<String>| text.as_deref().map(clip);
        Told {
            at: plausible_time(self.at, received_at),
            value: self::clip(&self.value),
            reason: clip(&self.reason),
            subject: clip(&self.subject),
            until: self.until,
        }
    }
}

fn clip(text: &str) -> String {
    text.chars().take(TEXT_CHARS).collect()
}

/// The latest statement about each aspect; of several at one time, the greatest. A join, so neither
/// out-of-order nor repeated statements change the result. The size is bounded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProviderState(BTreeMap<Aspect, Told>);

/// What a statement did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merged {
    /// It is now the latest.
    New,
    /// It was the latest already.
    Known,
    /// A later one stands.
    Outdated,
}

impl ProviderState {
    pub fn merge(&mut self, statement: &Statement, received_at: Timestamp) -> Merged {
        let told = statement.told(received_at);
        match self.0.get(&statement.aspect) {
            Some(latest) if *latest == told => Merged::Known,
            Some(latest) if *latest > told => Merged::Outdated,
            _ => {
                self.0.insert(statement.aspect, told);
                Merged::New
            }
        }
    }

    pub fn get(&self, aspect: Aspect) -> Option<&Told> {
        self.0.get(&aspect)
    }

    fn value(&self, aspect: Aspect) -> Option<&str> {
        self.get(aspect).map(|told| told.value.as_str())
    }

    pub fn updated_at(&self) -> Option<Timestamp> {
        self.0.values().map(|told| told.at).max()
    }
}

#[cfg(test)]
mod tests;

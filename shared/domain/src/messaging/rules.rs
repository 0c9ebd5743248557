//! Rules of an account: which change of an order sends which WhatsApp template to the shopper.

mod check;
mod components;
mod decision;
mod error;
mod quiet_hours;
mod settings;
mod values;
mod words;
mod zone;

use std::time::Duration;

use crate::core::timestamp::Timestamp;
use crate::messaging::cloud_api::LanguageCode;
use crate::messaging::message_details::TemplateName;
use crate::messaging::recipient::{CountryCode, Recipient};
use crate::orders::order::Order;
use crate::tracking::entry::Transition;
use crate::tracking::status::Status;
use components::Components;
use quiet_hours::QuietHours;

pub use check::RuleCheck;
pub use decision::{Decision, Occasion, PlannedMessage, Shopper, SkipReason};
pub use error::MessageSettingError;
pub use values::Placeholder;
pub use words::OptOutWords;
pub use zone::{LocalDay, Zone};

/// `accounts/{code}/messages`. Without this parameter, changes of orders send nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageRules {
    /// WhatsApp's id of the sending number.
    pub phone_number_id: String,
    rules: Vec<Rule>,
    quiet_hours: Option<QuietHours>,
    /// Of the shoppers: for quiet hours, days and dates.
    zone: Zone,
    /// Messages to a shopper in a day of the zone.
    pub daily_cap: Option<u32>,
    pub words: OptOutWords,
    country_code: CountryCode,
    /// Nothing is sent.
    pub dry_run: bool,
}

/// One template for one status.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// The status that the order changes to.
    pub on: Status,
    pub template: TemplateName,
    pub language: LanguageCode,
    components: Option<Components>,
    /// Older changes are not told.
    pub max_age: Duration,
}

/// When a message may go that is ready now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// Now, or the end of the quiet hours.
    pub not_before: Timestamp,
    /// The shopper's day of that time, by which messages are counted.
    pub day: LocalDay,
}

impl MessageRules {
    /// Parses the parameter `accounts/{code}/messages`.
    pub fn parse(text: &str) -> Result<Self, MessageSettingError> {
        settings::parse(text)
    }

    /// The rule for a change of the order's status. Changes of its parcels or attempts alone have
    /// none.
    pub fn rule_for(&self, transition: &Transition) -> Option<&Rule> {
        let has_changed = transition.status != transition.previous_status;
        self.rules.iter().find(|rule| has_changed && rule.on == transition.status)
    }

    /// True if a rule sends this template for the status.
    pub fn has_rule(&self, on: Status, template: &TemplateName, language: &LanguageCode) -> bool {
        self.rules
            .iter()
            .any(|it| it.on == on && it.template == *template && it.language == *language)
    }

    /// The order's shopper.
    pub fn recipient(&self, order: &Order) -> Option<Recipient> {
        Recipient::parse(order.profile.customer.phone.as_deref()?, &self.country_code)
    }

    pub fn slot(&self, now: Timestamp) -> Slot {
        let not_before =
            self.quiet_hours.map_or(now, |quiet_hours| quiet_hours.not_before(now, &self.zone));
        Slot { not_before, day: self.zone.day(not_before) }
    }
}

#[cfg(test)]
mod tests;

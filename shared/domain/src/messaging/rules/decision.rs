//! Whether a change of an order sends a message: by the account's rules, the order and the shopper.

use super::components::MissingValue;
use super::values::{Placeholder, Values};
use super::zone::LocalDay;
use super::{MessageRules, Rule};
use crate::core::hash::Fingerprint;
use crate::core::id::OrderKey;
use crate::core::timestamp::Timestamp;
use crate::messaging::cloud_api::{Template, TemplateRequest};
use crate::messaging::send::SendId;
use crate::webhooks::notification::{Change, Notification};

/// What the decision needs besides the rules.
#[derive(Debug, Clone, Copy)]
pub struct Occasion<'a> {
    pub change: Change<'a>,
    pub shopper: Shopper,
    pub tracking_url: Option<&'a str>,
    /// Why the rule's template cannot be used.
    pub unavailable: Option<&'a str>,
}

/// What is known of the order's shopper.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Shopper {
    pub has_opted_out: bool,
    /// Messages of rules on the day of [`MessageRules::slot`].
    pub sent_that_day: u32,
}

/// What a change sends.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision<'a> {
    /// No rule is about this change.
    Nothing,
    Send {
        rule: &'a Rule,
        message: Box<PlannedMessage>,
    },
    Skip {
        rule: &'a Rule,
        reason: SkipReason,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedMessage {
    pub request: TemplateRequest,
    /// The end of the quiet hours, or the time of the decision.
    pub not_before: Timestamp,
    /// Later it is too old to be sent.
    pub expires_at: Timestamp,
    /// The shopper's day that it counts for.
    pub day: LocalDay,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SkipReason {
    /// The change is older than the rule's limit, or will be after the quiet hours.
    TooOld,
    NoPhone,
    OptedOut,
    DailyCap,
    /// The order has no value for a parameter.
    MissingValue(Placeholder),
    TemplateUnavailable(String),
    /// What would be sent.
    DryRun(Box<PlannedMessage>),
}

impl SkipReason {
    /// The name in logs and rows.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::TooOld => "too_old",
            Self::NoPhone => "no_phone",
            Self::OptedOut => "opted_out",
            Self::DailyCap => "daily_cap",
            Self::MissingValue(_) => "missing_value",
            Self::TemplateUnavailable(_) => "template_unavailable",
            Self::DryRun(_) => "dry_run",
        }
    }

    /// The name of the missing value, or why the template cannot be used.
    pub fn detail(&self) -> Option<&str> {
        match self {
            Self::MissingValue(placeholder) => Some(placeholder.as_str()),
            Self::TemplateUnavailable(reason) => Some(reason),
            _ => None,
        }
    }
}

/// The id of the message of a change: there is at most one. An order that was erased and created
/// again counts its versions from the start.
pub(super) fn message_id(order: &OrderKey, created_at: Timestamp, version: u64) -> SendId {
    let hash = Fingerprint::of("whatsapp_message")
        .with(&order.account)
        .with(&order.order)
        .with(created_at.millis().to_be_bytes())
        .with(version.to_be_bytes());
    SendId::new(hash.with("rule"))
}

impl MessageRules {
    /// Total: equal arguments have equal decisions, and there is one for every change.
    pub fn decide(&self, occasion: &Occasion<'_>, now: Timestamp) -> Decision<'_> {
        let Some(rule) = self.rule_for(occasion.change.transition) else {
            return Decision::Nothing;
        };
        match self.plan(rule, occasion, now) {
            Ok(message) if self.dry_run => {
                Decision::Skip { rule, reason: SkipReason::DryRun(message) }
            }
            Ok(message) => Decision::Send { rule, message },
            Err(reason) => Decision::Skip { rule, reason },
        }
    }

    fn plan(
        &self,
        rule: &Rule,
        occasion: &Occasion<'_>,
        now: Timestamp,
    ) -> Result<Box<PlannedMessage>, SkipReason> {
        let Occasion { change, shopper, tracking_url, unavailable } = occasion;
        let notification = Notification::of_change(change);
        let occurred_at = notification.occurred_at;
        let slot = self.slot(now);
        if slot.not_before.since(occurred_at) > rule.max_age {
            return Err(SkipReason::TooOld);
        }
        let recipient = self.recipient(change.order).ok_or(SkipReason::NoPhone)?;
        if shopper.has_opted_out {
            return Err(SkipReason::OptedOut);
        }
        if let Some(reason) = unavailable {
            return Err(SkipReason::TemplateUnavailable((*reason).to_owned()));
        }
        let values = Values { notification, tracking_url: *tracking_url, zone: &self.zone };
        let template = rule.template(&values)?;
        if self.daily_cap.is_some_and(|cap| shopper.sent_that_day >= cap) {
            return Err(SkipReason::DailyCap);
        }
        let id =
            message_id(&change.order.key, change.order.state.created_at, change.transition.version);
        Ok(Box::new(PlannedMessage {
            request: TemplateRequest::new(&recipient, template, id.as_str()),
            not_before: slot.not_before,
            expires_at: occurred_at.after(rule.max_age),
            day: slot.day,
        }))
    }
}

impl Rule {
    fn template(&self, values: &Values<'_>) -> Result<Template, SkipReason> {
        let components = self.components.as_ref().map(|components| components.render(values));
        let components = components
            .transpose()
            .map_err(|MissingValue(placeholder)| SkipReason::MissingValue(placeholder))?;
        // The parts were JSON and the values are escaped: this cannot fail.
        let components = components.map(|json| serde_json::from_str(&json)).transpose();
        let components = components.map_err(|_| {
            SkipReason::TemplateUnavailable("its components are no JSON".to_owned())
        })?;
        Ok(Template::new(self.template.clone(), self.language.clone(), components))
    }
}

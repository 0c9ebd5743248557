//! How an account or number stands with its provider, by all that was told about it.

use std::time::Duration;

use serde::Serialize;
use strum::IntoStaticStr;

use super::{Aspect, ProviderState};
use crate::core::timestamp::Timestamp;

/// Nothing lifts a violation: it stops warning after a month.
const VIOLATION_WARNS: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The value of [`Aspect::Restriction`] without any.
pub const NO_RESTRICTION: &str = "NONE";
const ACCOUNT_DELETED: &str = "ACCOUNT_DELETED";
/// Events after which the app has no access to the account.
const DISCONNECTED: [&str; 3] =
    ["ACCOUNT_OFFBOARDED", "PARTNER_REMOVED", "PARTNER_APP_UNINSTALLED"];
/// Events after which it has access again.
const CONNECTED: [&str; 3] = ["ACCOUNT_RECONNECTED", "PARTNER_ADDED", "PARTNER_APP_INSTALLED"];

/// True for an event that is about [`Aspect::Connection`].
pub fn is_connection(event: &str) -> bool {
    event == ACCOUNT_DELETED || DISCONNECTED.contains(&event) || CONNECTED.contains(&event)
}

/// How a business account or a number stands with the provider, from good to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Standing {
    Active,
    /// It violated a policy, or is about to be disabled.
    Warned,
    /// A number whose messages shoppers block or report.
    Flagged,
    Restricted,
    Disconnected,
    Disabled,
    Deleted,
}

impl Standing {
    /// True if somebody has to do something.
    pub fn is_alarming(self) -> bool {
        self != Self::Active
    }

    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl ProviderState {
    /// How a business account or a number stands with the provider.
    pub fn standing(&self, now: Timestamp) -> Standing {
        let is = |aspect, values: &[&str]| {
            self.value(aspect).is_some_and(|value| values.contains(&value))
        };
        if is(Aspect::Connection, &[ACCOUNT_DELETED]) {
            Standing::Deleted
        } else if is(Aspect::Connection, &DISCONNECTED) {
            Standing::Disconnected
        } else if is(Aspect::Ban, &["DISABLE"]) {
            Standing::Disabled
        } else if self.is_restricted(now) {
            Standing::Restricted
        } else if is(Aspect::Flag, &["FLAGGED"]) || is(Aspect::Quality, &["RED"]) {
            Standing::Flagged
        } else if is(Aspect::Ban, &["SCHEDULE_FOR_DISABLE"]) || self.is_in_violation(now) {
            Standing::Warned
        } else {
            Standing::Active
        }
    }

    fn is_restricted(&self, now: Timestamp) -> bool {
        self.get(Aspect::Restriction).is_some_and(|told| {
            told.value != NO_RESTRICTION && told.until.is_none_or(|until| now < until)
        })
    }

    /// Not after the account was reinstated.
    fn is_in_violation(&self, now: Timestamp) -> bool {
        let reinstated = self.get(Aspect::Ban).filter(|ban| ban.value == "REINSTATE");
        self.get(Aspect::Violation).is_some_and(|violation| {
            now < violation.at.after(VIOLATION_WARNS)
                && reinstated.is_none_or(|ban| ban.at < violation.at)
        })
    }
}

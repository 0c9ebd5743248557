//! Accounts, numbers and templates as the API shows them.

use serde::Serialize;

use super::{Aspect, ProviderState, Standing, Subject, Told, usable};
use crate::core::timestamp::Timestamp;

/// A business account or number in answers of the API.
#[derive(Debug, Serialize)]
pub struct SenderView<'a> {
    kind: &'static str,
    id: &'a str,
    standing: Standing,
    event: Option<&'a Told>,
    ban: Option<&'a Told>,
    restriction: Option<&'a Told>,
    violation: Option<&'a Told>,
    connection: Option<&'a Told>,
    review: Option<&'a Told>,
    alert: Option<&'a Told>,
    flag: Option<&'a Told>,
    quality: Option<&'a Told>,
    limit: Option<&'a Told>,
    name: Option<&'a Told>,
    updated_at: Option<Timestamp>,
}

impl<'a> SenderView<'a> {
    /// `None` for a template.
    pub fn new(about: &'a Subject, state: &'a ProviderState, now: Timestamp) -> Option<Self> {
        let (kind, id) = match about {
            Subject::BusinessAccount(id) => ("business_account", id),
            Subject::Number(digits) => ("number", digits),
            Subject::Template(_) => return None,
        };
        Some(Self {
            kind,
            id,
            standing: state.standing(now),
            event: state.get(Aspect::Event),
            ban: state.get(Aspect::Ban),
            restriction: state.get(Aspect::Restriction),
            violation: state.get(Aspect::Violation),
            connection: state.get(Aspect::Connection),
            review: state.get(Aspect::Review),
            alert: state.get(Aspect::Alert),
            flag: state.get(Aspect::Flag),
            quality: state.get(Aspect::Quality),
            limit: state.get(Aspect::Limit),
            name: state.get(Aspect::Name),
            updated_at: state.updated_at(),
        })
    }
}

/// A template in answers of the API.
#[derive(Debug, Serialize)]
pub struct TemplateView<'a> {
    name: &'a str,
    language: &'a str,
    usable: bool,
    status: Option<&'a Told>,
    quality: Option<&'a Told>,
    category: Option<&'a Told>,
    updated_at: Option<Timestamp>,
}

impl<'a> TemplateView<'a> {
    /// `None` for an account or a number.
    pub fn new(about: &'a Subject, state: &'a ProviderState) -> Option<Self> {
        let Subject::Template(id) = about else { return None };
        Some(Self {
            name: id.name(),
            language: id.language(),
            usable: usable(state).is_ok(),
            status: state.get(Aspect::Status),
            quality: state.get(Aspect::Quality),
            category: state.get(Aspect::Category),
            updated_at: state.updated_at(),
        })
    }
}

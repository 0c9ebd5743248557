//! What Meta says about a phone number of the business, which these changes name by its digits alone.
//!
//! Sources: Meta's WhatsApp documentation, "Webhooks reference": `phone_number_quality_update`,
//! `phone_number_name_update`. Older versions of the former tell `FLAGGED` and `UNFLAGGED`, and
//! `current_limit` for `max_daily_conversations_per_business`.

use domain::core::timestamp::Timestamp;
use domain::messaging::conversation::Contact;
use domain::messaging::provider_state::{Aspect, Statement, Subject};

use super::{TITLE, statement, word};
use crate::text::Fields;

/// Events that are about [`Aspect::Flag`].
const FLAG: [&str; 2] = ["FLAGGED", "UNFLAGGED"];
const LIMITS: [&str; 2] = ["max_daily_conversations_per_business", "current_limit"];
const QUALITIES: [&str; 3] = ["quality_rating", "new_quality_rating", "new_quality_score"];

/// Reads `phone_number_quality_update`. `None` without a number; empty if it tells nothing.
pub(super) fn read_quality(fields: &Fields, at: Option<Timestamp>) -> Option<Vec<Statement>> {
    let about = number(fields)?;
    let event = word(fields, "event");
    let first = |names: &[&str]| names.iter().find_map(|name| word(fields, name));
    let told = [
        (Aspect::Flag, event.clone().filter(|event| FLAG.contains(&event.as_str()))),
        (Aspect::Event, event),
        (Aspect::Limit, first(&LIMITS)),
        (Aspect::Quality, first(&QUALITIES)),
    ];
    let told = told.into_iter().filter_map(|(aspect, value)| Some((aspect, value?)));
    Some(told.map(|(aspect, value)| statement(&about, aspect, at, value)).collect())
}

/// Reads `phone_number_name_update`. `None` without a number or a decision.
pub(super) fn read_name(fields: &Fields, at: Option<Timestamp>) -> Option<Vec<Statement>> {
    let decision = statement(&number(fields)?, Aspect::Name, at, word(fields, "decision")?);
    let subject = fields.words("requested_verified_name", TITLE);
    Some(vec![Statement { reason: word(fields, "rejection_reason"), subject, ..decision }])
}

fn number(fields: &Fields) -> Option<Subject> {
    let number = Contact::of_phone(&fields.digits("display_phone_number")?)?;
    Some(Subject::Number(number.as_str().to_owned()))
}

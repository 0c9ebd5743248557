//! What Meta says about a business account as a whole.
//!
//! Sources: Meta's WhatsApp documentation, "Webhooks reference": `account_update`, `account_alerts`,
//! `account_review_update`; the events that `pywa` 4.5 (`pywa/types/account_update.py`) knows.

use domain::core::timestamp::Timestamp;
use domain::messaging::provider_state::{
    Aspect, NO_RESTRICTION, Statement, Subject, is_connection,
};

use super::envelope::is_id;
use super::statuses::seconds;
use super::{REMARK, TITLE, statement, word};
use crate::text::Fields;

/// Maximum number of restrictions that are kept.
const MAX_RESTRICTIONS: usize = 10;
/// Instead of a type that is missing.
const UNKNOWN: &str = "UNKNOWN";

/// Reads `account_update`. `None` without an event.
pub(super) fn read_update(
    fields: &Fields,
    about: &Subject,
    at: Option<Timestamp>,
) -> Option<Vec<Statement>> {
    let event = word(fields, "event")?;
    let of = |aspect, value: String| statement(about, aspect, at, value);
    let phone = fields.words("phone_number", TITLE);
    let mut told = vec![Statement { subject: phone, ..of(Aspect::Event, event.clone()) }];
    if is_connection(&event) {
        // A partner is told about the accounts of its customers.
        let named = fields.object("waba_info").digits("waba_id").filter(|id| is_id(id));
        let about = named.map_or_else(|| about.clone(), Subject::BusinessAccount);
        told.push(statement(&about, Aspect::Connection, at, event.clone()));
    }
    let ban = fields.object("ban_info");
    if let Some(state) = word(&ban, "waba_ban_state") {
        let date = ban.words("waba_ban_date", TITLE);
        told.push(Statement { reason: date, ..of(Aspect::Ban, state) });
    }
    if event == "ACCOUNT_VIOLATION" {
        let violation = word(&fields.object("violation_info"), "violation_type");
        told.push(of(Aspect::Violation, violation.unwrap_or_else(|| UNKNOWN.to_owned())));
    }
    if event == "ACCOUNT_RESTRICTION" {
        let (value, until) = restrictions(fields);
        told.push(Statement { until, ..of(Aspect::Restriction, value) });
    }
    Some(told)
}

/// The types of all restrictions, and when the last of them ends; not if one has no end.
fn restrictions(fields: &Fields) -> (String, Option<Timestamp>) {
    if !fields.has("restriction_info") {
        return (UNKNOWN.to_owned(), None);
    }
    let all = fields.list("restriction_info");
    let end = |it: &Fields| it.digits("expiration").and_then(|end| seconds(&end));
    let ends: Option<Vec<Timestamp>> = all.iter().map(end).collect();
    let mut types: Vec<String> =
        all.iter().filter_map(|it| word(it, "restriction_type")).take(MAX_RESTRICTIONS).collect();
    types.sort();
    types.dedup();
    let value = match (all.is_empty(), types.is_empty()) {
        (true, _) => NO_RESTRICTION.to_owned(),
        (_, true) => UNKNOWN.to_owned(),
        _ => types.join(", "),
    };
    (value, ends.and_then(|ends| ends.into_iter().max()))
}

/// Reads `account_alerts`. Older bodies have no object `alert_info`.
pub(super) fn read_alert(
    fields: &Fields,
    about: &Subject,
    at: Option<Timestamp>,
) -> Option<Vec<Statement>> {
    let info = fields.object("alert_info");
    let of = |name: &str| word(&info, name).or_else(|| word(fields, name));
    let alert = statement(about, Aspect::Alert, at, of("alert_type")?);
    let subject = fields.words("entity_id", REMARK);
    Some(vec![Statement { reason: of("alert_severity"), subject, ..alert }])
}

/// Reads `account_review_update`.
pub(super) fn read_review(
    fields: &Fields,
    about: &Subject,
    at: Option<Timestamp>,
) -> Option<Vec<Statement>> {
    Some(vec![statement(about, Aspect::Review, at, word(fields, "decision")?)])
}

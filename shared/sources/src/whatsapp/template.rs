//! What Meta says about a template.
//!
//! Sources: Meta's WhatsApp documentation, "Webhooks reference": `message_template_status_update`,
//! `message_template_quality_update`, `template_category_update`; `pywa` 4.5
//! (`pywa/types/templates.py`). Meta's own example of the second has the field of the first, so that
//! only the members of a value tell what it is about.

use domain::core::timestamp::Timestamp;
use domain::messaging::provider_state::{Aspect, Statement, Subject, TemplateId};

use super::statuses::seconds;
use super::{statement, word};
use crate::text::Fields;

/// The reason of a template without one.
const NONE: &str = "NONE";

/// `None` without a name or language; empty if it tells nothing.
pub(super) fn read(fields: &Fields, at: Option<Timestamp>) -> Option<Vec<Statement>> {
    let name = fields.text("message_template_name")?;
    let id = TemplateId::new(&name, &fields.text("message_template_language")?)?;
    let about = Subject::Template(id);
    let of = |aspect, value| statement(&about, aspect, at, value);
    let category = || word(fields, "message_template_category");
    let told = [
        word(fields, "event")
            .map(|event| Statement { reason: reason(fields), ..of(Aspect::Status, event) }),
        word(fields, "new_quality_score").map(|score| of(Aspect::Quality, score)),
        word(fields, "new_category")
            .map(|category| Statement {
                // A change that is announced for a day later.
                subject: word(fields, "correct_category"),
                until: fields.digits("category_update_timestamp").and_then(|at| seconds(&at)),
                ..of(Aspect::Category, category)
            })
            .or_else(|| category().map(|category| of(Aspect::Category, category))),
    ];
    Some(told.into_iter().flatten().collect())
}

/// Why it was paused or locked, or else rejected.
fn reason(fields: &Fields) -> Option<String> {
    let title = word(&fields.object("other_info"), "title");
    title.or_else(|| word(fields, "reason")).filter(|reason| reason != NONE)
}

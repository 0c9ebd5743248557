//! Orders in the words of a story.

use domain::core::id::ReportId;
use domain::tracking::entry::{Fact, ReportFacts, TimelineEntry};

use super::orders::StoredOrder;

/// The order's facts, oldest first, and its names.
pub(super) fn timeline(order: &StoredOrder) -> Vec<String> {
    let mut entries: Vec<&TimelineEntry> = order.entries.iter().collect();
    entries.sort_by_key(|entry| entry.rev);
    let name = order.name();
    let facts = entries.into_iter().map(|entry| format!("{name}: {}", fact(entry)));
    let names: Vec<String> = order.names().iter().map(|name| format!("{name:?}")).collect();
    facts.chain([format!("{name} has {}", names.join(", "))]).collect()
}

fn fact(entry: &TimelineEntry) -> String {
    let what = match &entry.fact {
        Fact::Report(facts) => report(&entry.id, facts),
        Fact::Withdrawal { report_id } => format!("withdrawal of {report_id}"),
        Fact::Answer(answer) => format!("{answer:?}"),
        Fact::Parcel(fact) => format!("{:?} at rev {}", fact.change, fact.rev),
    };
    let told = entry.transition.as_ref().map(|it| format!(", version {}", it.version));
    format!("rev {}: {what}, event {}{}", entry.rev, entry.event_id, told.unwrap_or_default())
}

fn report(id: &ReportId, facts: &ReportFacts) -> String {
    let names: Vec<String> = facts.names().map(|name| format!("{name:?}")).collect();
    let (source, status) = (facts.source.as_str(), facts.status.as_str());
    let spelled = facts.spelled_id.as_ref().map(|id| format!(", as {id}"));
    let (names, spelled) = (names.join(" "), spelled.unwrap_or_default());
    format!("{id} of {source}: {status} of {names}{spelled}")
}

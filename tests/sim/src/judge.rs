//! Holds what callers were promised against what happened.
//!
//! Lost: an accepted fact that is not in its order's timeline, a change that an endpoint is not told
//! of. Unexpected: a fact or a change that nothing caused. Doubled: a change told under two ids, a
//! report in two orders. Also broken: an order that is not the fold of its facts, a row that
//! disagrees with its order, a queue that does not empty, a delivery that neither arrived nor is
//! visibly dead.

use timeline::timeline;

use crate::world::State;

mod crowd;
mod deliveries;
mod expiry;
mod facts;
pub(crate) mod messages;
pub(crate) mod names;
pub(crate) mod orders;
mod polling;
mod rows;
mod rules;
mod sends;
mod shop;
mod sockets;
mod timeline;
mod triggers;

/// Faults after which a call may arrive when nobody waits for it any more, or the second run of a
/// message may fail after the first one removed it from the queue.
const MAY_LEAVE_PARKED: [&str; 8] =
    ["kill", "timeout", "hang", "freeze", "lose_answer", "throttle", "fail_before", "conflict"];

/// Judges a run that has settled.
pub(crate) fn judge(state: &mut State) {
    let stored = orders::stored_orders(state);
    let names = names::Names::read(state);
    let mut findings = queues(state);
    findings.extend(orders::judge(state, &stored));
    let leftovers = MAY_LEAVE_PARKED.iter().any(|kind| state.struck.contains_key(kind));
    findings.extend(names::judge(&names, &stored, leftovers));
    findings.extend(rows::judge(state, &stored));
    findings.extend(facts::judge(state, &stored, &names));
    findings.extend(shop::judge(state, &stored, &names));
    findings.extend(deliveries::judge(state, &stored));
    findings.extend(triggers::judge(state, &stored));
    findings.extend(polling::judge(state, &stored));
    findings.extend(messages::judge(state, &stored));
    findings.extend(sends::judge(state));
    findings.extend(crowd::judge(state));
    findings.extend(rules::judge(state, &stored));
    findings.extend(sockets::judge(state, &stored));
    findings.extend(expiry::judge(state));
    if !findings.is_empty() {
        stored.values().flat_map(timeline).for_each(|line| state.tell("timeline", || line));
    }
    for finding in findings {
        state.ledger.violation(finding);
    }
}

/// Work that is left over, or given up although nothing is wrong with it.
fn queues(state: &State) -> Vec<String> {
    let left = state.work_queues().filter(|(_, messages)| *messages > 0);
    let left = left.map(|(queue, messages)| format!("{messages} messages are left in {queue}"));
    let letters = ["EventsDlq", "ShardsDlq"];
    let letters = letters.map(|queue| (queue, state.sqs.messages(queue).count()));
    let letters = letters.into_iter().filter(|(_, messages)| *messages > 0);
    let given_up =
        letters.map(|(queue, count)| format!("{count} messages are given up in {queue}"));
    left.chain(given_up).collect()
}

impl State {
    /// The queues that must empty, with the number of their messages.
    pub(crate) fn work_queues(&self) -> impl Iterator<Item = (&str, usize)> {
        let sources = self.topology.functions().iter().flat_map(|function| &function.queues);
        sources.map(|it| (it.queue.as_str(), self.sqs.messages(&it.queue).count()))
    }

    /// Events and deliveries that `sweep` has to queue, its jobs, and what WhatsApp has to report.
    pub(crate) fn waiting_rows(&self) -> usize {
        let count = |table, attribute| {
            self.dynamodb.rows(table).filter(|row| row.contains_key(attribute)).count()
        };
        let is_running = |row: &&doubles::dynamodb::Item| {
            row["pk"]["S"] == "jobs" && row.get("state").is_some_and(|it| it["S"] == "running")
        };
        let jobs = self.dynamodb.rows("StateTable").filter(is_running).count();
        let unreported = self.cloud_api.unreported();
        count("InboundTable", "pending") + count("DeliveriesTable", "due") + jobs + unreported
    }
}

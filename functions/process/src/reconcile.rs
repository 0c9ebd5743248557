//! Reconciliation: after an order is created or patched, or has learnt a name, writes the facts of
//! the request, takes over the reports of names that it took from other orders, and applies the
//! unmatched reports parked under its names.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use aws::clock::now;
use aws::error::IoError;
use aws::tables::inbound::{EventState, Progress};
use aws::tables::orders::{OrderAndTimeline, UnmatchedReport};
use domain::core::id::{AccountCode, EventId, OrderKey, ReportId};
use domain::orders::api_event::Reconciliation;
use domain::tracking::report::Ref;
use domain::tracking::timeline::{Origin, plausible_time};

use crate::apply::{AppliedFact, ApplyOutcome, Via};
use crate::copies::Copied;
use crate::fan_out::Undeliverable;
use crate::park::reconciled_event_id;
use crate::reason::FailReason;
use crate::{Process, Run};

/// Parked reports in work at once. Each may have fifty scans.
const MAX_UNMATCHED: usize = 200;

impl Process {
    pub(crate) async fn reconcile(
        &self,
        run: &Run<'_>,
        reconciliation: &Reconciliation,
    ) -> Result<Option<Progress>, IoError> {
        let Some(account) = run.event.account.clone() else {
            return Ok(Some(FailReason::NoAccount.into()));
        };
        let key = OrderKey { account, order: reconciliation.order_id.clone() };
        let mut undeliverable = match self.take_names(run, &key, reconciliation).await? {
            Copied::All(undeliverable) => undeliverable,
            Copied::OutOfTime => return Ok(None),
        };
        let Some(order) = self.orders.load_with_timeline(&key).await? else {
            return Ok(Some(FailReason::NoSuchOrder.into()));
        };
        let Unmatched { reports, has_more } = self.find_unmatched(&key, &order).await?;
        let (mut reconciled, mut error) = (Vec::new(), None);
        for unmatched in newest_first(reports) {
            // The next run goes on: reports that were applied are no longer parked.
            if !run.has_time() {
                return Ok(None);
            }
            // Since it was read, another run may have applied it and told endpoints.
            if !self.orders.is_parked(&key.account, &unmatched).await? {
                continue;
            }
            // An earlier run may have applied it here, and its names may lead elsewhere by now.
            let is_here = order.1.iter().any(|entry| entry.id == unmatched.report.id);
            let owner = is_here.then_some(&key);
            match self.reconcile_report(&key.account, &unmatched, owner).await {
                Ok(report) => {
                    undeliverable = report.undeliverable.or(undeliverable);
                    reconciled.extend(report.applied);
                }
                // The other reports do not wait for this one.
                Err(failed) => error = error.or(Some(failed)),
            }
        }
        self.follow_up_all(&reconciled, run.deadline).await;
        if let Some(error) = error {
            return Err(error);
        }
        if has_more && !reconciled.is_empty() && undeliverable.is_none() {
            return Ok(None);
        }
        Ok(Some(undeliverable.map_or_else(
            || EventState::Processed.into(),
            |undeliverable| FailReason::Undeliverable(undeliverable).into(),
        )))
    }

    /// Writes the facts of the request, and takes over the names and reports of other orders.
    async fn take_names(
        &self,
        run: &Run<'_>,
        key: &OrderKey,
        reconciliation: &Reconciliation,
    ) -> Result<Copied, IoError> {
        if reconciliation.is_new {
            self.take_spelled_reports(run, key).await?;
        }
        let mut undeliverable = self.write_facts(run.event, key, reconciliation).await?;
        for name in reconciliation.taken.iter().filter(|name| name.with_reports) {
            let failed = if self.is_back(key, name).await? {
                self.settle_names_along(key, name).await?;
                self.tell_of_reports(key, name).await?
            } else {
                match self.copy_reports(run, key, name).await? {
                    Copied::All(failed) => failed,
                    Copied::OutOfTime => return Ok(Copied::OutOfTime),
                }
            };
            undeliverable = failed.or(undeliverable);
        }
        Ok(Copied::All(undeliverable))
    }

    /// A report parked under several names of the order is returned once.
    async fn find_unmatched(
        &self,
        key: &OrderKey,
        (order, entries): &OrderAndTimeline,
    ) -> Result<Unmatched, IoError> {
        let mut names = order.names(entries);
        names.insert(Ref::Order(key.order.clone()));
        let mut found = Unmatched::default();
        for name in &names {
            if found.reports.len() >= MAX_UNMATCHED {
                found.has_more = true;
                break;
            }
            let (parked, has_more) = self.orders.unmatched_reports(&key.account, name).await?;
            found.has_more |= has_more;
            let by_id = |it: UnmatchedReport| ((it.report.id.clone(), it.event_id.clone()), it);
            found.reports.extend(parked.into_iter().map(by_id));
        }
        Ok(found)
    }

    /// An unmatched report becomes an event of its own, and is applied to the order that already
    /// has it or the one that its names lead to. It stays parked while an endpoint cannot be
    /// notified.
    pub(crate) async fn reconcile_report(
        &self,
        account: &AccountCode,
        unmatched: &UnmatchedReport,
        owner: Option<&OrderKey>,
    ) -> Result<Reconciled, IoError> {
        let origin = Origin {
            event_id: reconciled_event_id(&unmatched.report),
            logged_as: Some(unmatched.event_id.clone()),
            received_at: unmatched.received_at,
        };
        let report = &unmatched.report;
        let outcome = match owner {
            Some(order) => self.apply_to_order(order, report, &origin, Via::Push).await?,
            None => self.apply(account, report, &origin).await?,
        };
        let mut reconciled = Reconciled::default();
        match outcome {
            ApplyOutcome::Applied(mut applied) => {
                // A run of the report's own event may have added it, and ended before it told
                // endpoints, when another run had settled the event as unmatched.
                let event = match applied.entry.event_id == unmatched.event_id {
                    true => unmatched.event_id.clone(),
                    false => origin.event_id,
                };
                applied.act_for(&event);
                let applied = [*applied];
                reconciled.undeliverable = self.fan_out(&event, &applied, now()).await?;
                [reconciled.applied] = applied.map(Some);
            }
            // It will never apply.
            ApplyOutcome::Full | ApplyOutcome::Withdrawn => {}
            ApplyOutcome::Unmatched => return Ok(reconciled),
        }
        if reconciled.undeliverable.is_none() {
            self.events.mark_reconciled(&unmatched.event_id, &unmatched.report.id, now()).await?;
            self.orders.unpark(account, unmatched).await?;
        }
        Ok(reconciled)
    }
}

/// What became of a report that was parked.
#[derive(Default)]
pub(crate) struct Reconciled {
    applied: Option<AppliedFact>,
    pub(crate) undeliverable: Option<Undeliverable>,
}

/// Some of the reports that are parked under an order's names.
#[derive(Default)]
struct Unmatched {
    reports: BTreeMap<(ReportId, EventId), UnmatchedReport>,
    /// More are parked.
    has_more: bool,
}

/// The newest report decides the status, and endpoints are notified of it. The older ones then fill
/// in the timeline, whatever order their rows were read in.
fn newest_first(unmatched: BTreeMap<(ReportId, EventId), UnmatchedReport>) -> Vec<UnmatchedReport> {
    let mut reports: Vec<UnmatchedReport> = unmatched.into_values().collect();
    // Stable: reports of one time and status stay sorted by id.
    reports.sort_by_key(|unmatched| {
        let report = &unmatched.report;
        Reverse((plausible_time(report.occurred_at, unmatched.received_at), report.status))
    });
    reports
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use domain::core::timestamp::Timestamp;
    use domain::tracking::report::{Report, SourceName};
    use domain::tracking::status::{Leg, Status};

    use super::*;

    fn at(hour: u32) -> Timestamp {
        Timestamp::parse(&format!("2026-01-20T{hour:02}:00:00Z")).unwrap()
    }

    fn unmatched(id: &str, status: Status, occurred_at: Option<u32>) -> UnmatchedReport {
        let report = Report {
            id: ReportId::parse(id).unwrap(),
            source: SourceName::new("shiprocket"),
            awb: None,
            return_awb: None,
            provider_id: None,
            order_id: None,
            leg: Leg::Outbound,
            status,
            source_status: None,
            occurred_at: occurred_at.map(at),
            location: None,
            note: None,
            eta: None,
            attempts: None,
            carrier_name: None,
            scans: Vec::new(),
        };
        UnmatchedReport { report, event_id: EventId::parse("e").unwrap(), received_at: at(12) }
    }

    #[test]
    fn applies_the_newest_report_first() {
        let reports = [
            unmatched("a", Status::PickedUp, Some(1)),
            unmatched("b", Status::InTransit, None),
            unmatched("c", Status::Delivered, Some(9)),
            unmatched("d", Status::OutForDelivery, Some(9)),
            unmatched("e", Status::InTransit, Some(3)),
            unmatched("f", Status::InTransit, Some(3)),
        ];
        let by_id = reports.map(|it| ((it.report.id.clone(), it.event_id.clone()), it));
        let sorted = newest_first(BTreeMap::from(by_id));
        let ids: Vec<&str> = sorted.iter().map(|it| it.report.id.as_str()).collect();
        assert_eq!(ids, ["b", "c", "d", "e", "f", "a"]);
    }
}

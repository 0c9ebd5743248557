//! For erasing: events that no entry of an order names, and reports about an order without its
//! shopper.

use aws::clock::now;
use aws::error::IoError;
use domain::core::id::OrderKey;
use domain::orders::order::Order;
use domain::tracking::entry::{Fact, TimelineEntry};
use domain::tracking::report::Scan;
use domain::tracking::timeline::{Commit, NewFact, Origin};

use crate::Process;
use crate::apply::{ApplyOutcome, Placed, Via};

/// Carriers write names into notes and scans: an order without its shopper keeps neither, nor what the
/// shopper answered. Returns the scans that are left.
pub(crate) fn forget_words(fact: &mut NewFact) -> &'static [Scan] {
    fact.fact.forget_words();
    &[]
}

impl Process {
    /// The body of the event that brought a report or an answer goes with the shopper of its order, whichever run
    /// ends the event.
    pub(crate) async fn forget_body(
        &self,
        order: &Order,
        fact: &NewFact,
        origin: &Origin,
    ) -> Result<(), IoError> {
        let has_body = matches!(fact.fact, Fact::Report(_) | Fact::Answer(_));
        if order.is_erased() && has_body {
            self.events.erase(origin.log_id(), now()).await?;
        }
        Ok(())
    }

    /// Another event had brought the report, or it was not stored.
    pub(crate) async fn trace_without_entry(
        &self,
        key: &OrderKey,
        placed: &Placed,
        origin: &Origin,
        via: Via,
    ) -> Result<(), IoError> {
        // Results of polling have no body in the log.
        if via == Via::Poll {
            return Ok(());
        }
        let has_entry = match placed {
            Placed::Here(ApplyOutcome::Applied(applied)) => applied.added_by_event(),
            Placed::Here(ApplyOutcome::Full | ApplyOutcome::Withdrawn) => false,
            Placed::Here(ApplyOutcome::Unmatched) | Placed::OtherOrder(_) => true,
        };
        match has_entry {
            true => Ok(()),
            false => self.orders.trace(key, origin.log_id(), [], now()).await,
        }
    }

    /// The entry that made room named the event with its body.
    pub(crate) async fn trace_dropped(
        &self,
        key: &OrderKey,
        entries: &[TimelineEntry],
        commit: &Commit,
    ) -> Result<(), IoError> {
        let Some(dropped) = &commit.dropped else { return Ok(()) };
        match entries.iter().find(|entry| entry.id == *dropped) {
            Some(entry) => self.orders.trace(key, entry.log_id(), [], now()).await,
            None => Ok(()),
        }
    }
}

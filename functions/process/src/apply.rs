//! One report meets its order.

use aws::clock::now;
use aws::contention::pause;
use aws::error::IoError;
use aws::orders::{Committed, Waiting};
use domain::delivery::Change;
use domain::id::{AccountCode, OrderKey};
use domain::order::Order;
use domain::report::{Report, Scan};
use domain::status::Status;
use domain::timeline::{Arrival, Bringer, Entry, Settled, Transition};

use crate::Process;

/// How often an order is read again because others wrote it in between, before the event has to come back.
const TRIES: u32 = 12;

/// What became of a report.
pub(crate) enum Fate {
    /// It is in a timeline.
    Applied(Arrived),
    /// Nobody knows its order.
    Unmatched,
}

/// A report in its timeline.
pub(crate) struct Arrived {
    /// Whether this event brought it there.
    ours: bool,
    /// What has to be told, if it did and that changed the status.
    pub(crate) told: Option<Box<Told>>,
}

/// A change that this event caused.
pub(crate) struct Told {
    order: Order,
    entry: Entry,
    transition: Transition,
}

impl Told {
    /// Whose order it is.
    pub(crate) fn account(&self) -> &AccountCode {
        &self.order.key.account
    }

    pub(crate) fn change(&self) -> Change<'_> {
        Change { order: &self.order, report_id: self.entry.report_id(), transition: &self.transition }
    }
}

impl Arrived {
    fn new(mut order: Order, entry: &Entry, bringer: &Bringer, settled: Option<&Settled>) -> Self {
        if let Some(settled) = settled {
            order.state.clone_from(&settled.state);
        }
        let ours = entry.event_id == bringer.event_id;
        let transition = entry.transition.clone().filter(|_| ours);
        let told = transition.map(|transition| Box::new(Told { order, entry: entry.clone(), transition }));
        Self { ours, told }
    }
}

impl Process {
    /// Applies a report, or keeps it until its order is known.
    pub(crate) async fn apply_or_hold(
        &self,
        account: &AccountCode,
        report: &Report,
        bringer: &Bringer,
    ) -> Result<Fate, IoError> {
        let first = self.apply(account, report, bringer).await?;
        if matches!(first, Fate::Applied(_)) {
            return Ok(first);
        }
        let waiting =
            Waiting { report: report.clone(), event_id: bringer.event_id.clone(), received_at: bringer.received_at };
        self.orders.hold(account, &waiting).await?;
        // Its order may have been created since: then nobody else would come for it. Where an adoption was faster,
        // the waiting row stays until that has told what it did.
        let second = self.apply(account, report, bringer).await?;
        if matches!(second, Fate::Applied(Arrived { ours: true, .. })) {
            self.orders.release(account, &waiting).await?;
        }
        Ok(second)
    }

    /// Applies a report to the order that one of its names means.
    pub(crate) async fn apply(
        &self,
        account: &AccountCode,
        report: &Report,
        bringer: &Bringer,
    ) -> Result<Fate, IoError> {
        let Some(order) = self.orders.find(account, &report.refs()).await? else { return Ok(Fate::Unmatched) };
        let key = OrderKey { account: account.clone(), order };
        if report.status == Status::Unknown {
            let word = report.source_status.as_deref();
            tracing::warn!(source = report.source.as_str(), word, event_id = %bringer.event_id, "report.unknown_status");
        }
        let arrive = |order: &Order| Arrival::of_report(&order.state, order.profile.parcels(), report, bringer);
        self.arrive(&key, bringer, &report.scans, arrive).await
    }

    /// Writes an entry and the state it leads to, whoever else writes the order at the same time.
    pub(crate) async fn arrive(
        &self,
        key: &OrderKey,
        bringer: &Bringer,
        scans: &[Scan],
        arrive: impl Fn(&Order) -> Arrival,
    ) -> Result<Fate, IoError> {
        for attempt in 0..TRIES {
            let Some(order) = self.orders.load(key).await? else { return Ok(Fate::Unmatched) };
            let settled = match arrive(&order) {
                Arrival::Next(next) => Some(next.settle(&order.state, now())),
                Arrival::Late(late) => late.settle(&order.state, self.orders.entries(key).await?, now()),
            };
            let Some(settled) = settled else {
                pause(attempt).await;
                continue;
            };
            let newest = (!settled.entry.late).then_some(scans);
            match self.orders.commit(key, &settled, newest).await? {
                Committed::Done => {
                    log(key, &settled);
                    return Ok(Fate::Applied(Arrived::new(order, &settled.entry, bringer, Some(&settled))));
                }
                Committed::AlreadyThere(entry) => {
                    return Ok(Fate::Applied(Arrived::new(order, &entry, bringer, None)));
                }
                Committed::Stale => pause(attempt).await,
            }
        }
        Err(IoError::Transient { call: "dynamodb:TransactWriteItems", code: "contention".to_owned() })
    }
}

fn log(key: &OrderKey, settled: &Settled) {
    let entry = &settled.entry;
    tracing::info!(
        account = %key.account,
        order_id = %key.order,
        report_id = %entry.report_id(),
        event_id = %entry.event_id,
        status = entry.claimed.claim.status().as_str(),
        verdict = ?settled.verdict,
        late = entry.late,
        version = settled.state.version,
        "report.applied"
    );
}

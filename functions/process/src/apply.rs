//! One report meets its order.

use aws::clock::now;
use aws::error::IoError;
use aws::tables::contention::pause;
use aws::tables::orders::{Committed, Touch, Waiting};
use domain::core::id::{AccountCode, OrderKey};
use domain::orders::api_event::Reshipment;
use domain::orders::order::Order;
use domain::tracking::report::{Report, Scan, SourceName};
use domain::tracking::status::Status;
use domain::tracking::timeline::{Arrival, Bringer, Entry, Settled};
use domain::webhooks::delivery::Change;
use sources::Source;
use sources::shipway::Shipway;

use crate::Process;

/// How often an order is read again because others wrote it in between, before the event has to come back.
const TRIES: u32 = 12;

/// What became of a report.
pub(crate) enum Fate {
    /// It is in a timeline.
    Applied(Box<Arrived>),
    /// Nobody knows its order.
    Unmatched,
}

/// A report in its timeline.
pub(crate) struct Arrived {
    /// As it stands after the report.
    order: Order,
    entry: Entry,
    /// Whether this event brought the report there.
    ours: bool,
}

impl Arrived {
    fn new(
        mut order: Order,
        entry: Entry,
        bringer: &Bringer,
        settled: Option<Settled>,
    ) -> Box<Self> {
        if let Some(settled) = settled {
            order.state = settled.state;
        }
        let ours = entry.event_id == bringer.event_id;
        Box::new(Self { order, entry, ours })
    }

    /// What has to be told: the change of status that this event caused, if any.
    pub(crate) fn change(&self) -> Option<Change<'_>> {
        let transition = self.entry.transition.as_ref().filter(|_| self.ours)?;
        Some(Change { order: &self.order, report_id: self.entry.report_id(), transition })
    }

    /// What there is to note for the next time that the carrier is asked about the order.
    fn touch(&self, heard: Heard) -> Touch<'_> {
        let entry = &self.entry;
        let source = &entry.claimed.source;
        // What was pushed late is not what the carrier answers; what it answered is, however old.
        let newest = heard == Heard::ByAsking || !entry.late;
        // What the shop says does not show that the carrier's webhooks come.
        let by_webhook = heard == Heard::FromOutside && *source != SourceName::API;
        Touch {
            seen: (newest && source.as_str() == Shipway.name().as_str()).then(|| entry.report_id()),
            heard_at: by_webhook.then_some(entry.received_at),
            moved_at: self.ours.then_some(entry.received_at),
        }
    }
}

/// How we came to know of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    /// Somebody told us.
    FromOutside,
    /// We asked.
    ByAsking,
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
        let waiting = Waiting {
            report: report.clone(),
            event_id: bringer.event_id.clone(),
            received_at: bringer.received_at,
        };
        self.orders.hold(account, &waiting).await?;
        // Its order may have been created since: then nobody else would come for it. Where an adoption was faster,
        // the waiting row stays until that has told what it did.
        let second = self.apply(account, report, bringer).await?;
        if matches!(&second, Fate::Applied(arrived) if arrived.ours) {
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
        let Some(order) = self.orders.find(account, &report.refs()).await? else {
            return Ok(Fate::Unmatched);
        };
        let key = OrderKey { account: account.clone(), order };
        self.apply_to(&key, report, bringer, Heard::FromOutside).await
    }

    /// Applies a report to this order.
    pub(crate) async fn apply_to(
        &self,
        key: &OrderKey,
        report: &Report,
        bringer: &Bringer,
        heard: Heard,
    ) -> Result<Fate, IoError> {
        if report.status == Status::Unknown {
            let word = report.source_status.as_deref();
            tracing::warn!(source = report.source.as_str(), word, event_id = %bringer.event_id, "report.unknown_status");
        }
        let arrive = |order: &Order| {
            Arrival::of_report(&order.state, order.profile.parcels(), report, bringer)
        };
        let fate = self.arrive(key, bringer, &report.scans, arrive).await?;
        if let Fate::Applied(arrived) = &fate {
            self.orders.touch(&arrived.order, arrived.touch(heard)).await?;
        }
        Ok(fate)
    }

    /// A new parcel starts the order's way anew.
    pub(crate) async fn reship(
        &self,
        key: &OrderKey,
        reshipment: &Reshipment,
        bringer: &Bringer,
    ) -> Result<Fate, IoError> {
        let (id, at) = (&reshipment.report_id, reshipment.at);
        let arrive = |order: &Order| Arrival::of_reshipment(&order.state, id.clone(), at, bringer);
        let fate = self.arrive(key, bringer, &[], arrive).await?;
        if let Fate::Applied(arrived) = &fate {
            self.orders.touch(&arrived.order, arrived.touch(Heard::FromOutside)).await?;
        }
        Ok(fate)
    }

    /// Writes an entry and the state it leads to, whoever else writes the order at the same time.
    async fn arrive(
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
                Arrival::Late(late) => {
                    late.settle(&order.state, self.orders.entries(key).await?, now())
                }
            };
            let Some(settled) = settled else {
                pause(attempt).await;
                continue;
            };
            let newest = (!settled.entry.late).then_some(scans);
            match self.orders.commit(key, &settled, newest).await? {
                Committed::Done => {
                    log(key, &settled);
                    let entry = settled.entry.clone();
                    return Ok(Fate::Applied(Arrived::new(order, entry, bringer, Some(settled))));
                }
                Committed::AlreadyThere(entry) => {
                    return Ok(Fate::Applied(Arrived::new(order, *entry, bringer, None)));
                }
                Committed::Stale => pause(attempt).await,
            }
        }
        Err(IoError::Transient {
            call: "dynamodb:TransactWriteItems",
            code: "contention".to_owned(),
        })
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

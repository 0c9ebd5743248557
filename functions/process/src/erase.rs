//! Erases a shopper's data, or an order, in all tables.
//!
//! The work is done in passes. A pass repeats every step, and a step that was done before has no
//! effect: a killed pass loses its counts only. One more pass comes after all runs that may have
//! read the order before it was erased.

use std::collections::BTreeSet;
use std::time::Duration;

use aws::clock::now;
use aws::error::IoError;
use aws::lambda::sqs_batch::RecordOutcome;
use aws::tables::concurrency::run_all;
use aws::tables::contention::{Try, retry};
use aws::tables::deliveries::ErasedBody;
use aws::tables::inbound::{ErasedEvent, EventState, Progress};
use aws::tables::messages::ErasableMessages;
use aws::tables::orders::{Deletion, ENTRIES_AT_ONCE, Links, Orders, UnmatchedReport};
use domain::core::id::{EventId, OrderKey};
use domain::messaging::conversation::Contact;
use domain::orders::erasure::{Counts, Erasure, Scope, contacts_of};
use domain::tracking::entry::TimelineEntry;
use domain::tracking::report::Ref;

use crate::apply::{TRIES, contended};
use crate::reason::FailReason;
use crate::{OUT_OF_TIME, Process, Run, log_progress};

/// A run that read the order before it was erased ends earlier: ten seconds before the function's
/// timeout of a minute.
const LAST_PASS: Duration = Duration::from_secs(55);
/// The pauses while something is in use grow from the first to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(15);
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);
/// Work between two looks at the clock.
const CHUNK: usize = 100;

/// One pass over all tables.
struct Pass<'a> {
    run: &'a Run<'a>,
    key: OrderKey,
    erasure: &'a Erasure,
    counts: Counts,
    /// Something was in use, and is left for another pass.
    is_busy: bool,
}

impl Process {
    pub(crate) async fn erase(
        &self,
        run: &Run<'_>,
        erasure: &Erasure,
    ) -> Result<RecordOutcome, IoError> {
        let Some(key) = run.order(&erasure.order_id) else {
            let progress = FailReason::NoAccount.into();
            self.events.mark(&run.event.id, &progress, now()).await?;
            log_progress(run.event, &progress);
            return Ok(RecordOutcome::Ack);
        };
        let counts = Counts::default();
        let mut pass = Pass { run, key, erasure, counts, is_busy: false };
        let is_whole = self.erase_once(&mut pass).await;
        let is_done = matches!(is_whole, Ok(true)) && !pass.is_busy;
        let Pass { key, counts, .. } = pass;
        let at = is_done.then(now);
        let erased_at =
            self.orders.add_to_receipt(&key, erasure.scope, &run.event.id, &counts, at).await?;
        if !is_whole? {
            return Ok(OUT_OF_TIME);
        }
        let age = now().since(run.event.received_at);
        let pause = match erased_at {
            _ if !is_done => age.clamp(FIRST_PAUSE, LONGEST_PAUSE),
            Some(at) => LAST_PASS.saturating_sub(now().since(at)),
            // The receipt is of a later request.
            None => Duration::ZERO,
        };
        if !pause.is_zero() {
            return Ok(RecordOutcome::RetryAfter(pause));
        }
        // The request has the phone number: it goes with the mark.
        let progress = Progress { is_erasable: true, ..EventState::Processed.into() };
        self.events.mark(&run.event.id, &progress, now()).await?;
        log_progress(run.event, &progress);
        Ok(RecordOutcome::Ack)
    }

    /// `false` if the time did not suffice.
    async fn erase_once(&self, pass: &mut Pass<'_>) -> Result<bool, IoError> {
        let Some(names) = self.close_order(pass).await? else { return Ok(true) };
        let mut links = self.orders.links(&pass.key, now()).await?;
        let noted = links.events.iter().map(async |id| self.events.deliveries(id, now()).await);
        links.deliveries.extend(run_all(noted).await?.into_iter().flatten());
        if !self.erase_deliveries(pass, &links).await? {
            return Ok(false);
        }
        let waiting = self.waiting(pass, names.clone()).await?;
        let mut events = links.events;
        events.extend(waiting.iter().map(|report| report.event_id.clone()));
        if !self.erase_events(pass, events).await? || !self.erase_messages(pass).await? {
            return Ok(false);
        }
        for report in &waiting {
            self.orders.unpark(&pass.key.account, report).await?;
            pass.counts.unmatched_reports += 1;
        }
        self.delete_rows(pass, &names).await?;
        Ok(true)
    }

    /// The first step, so that personal data is no longer copied from the order. Returns its
    /// names; none if a later order has its id by now.
    async fn close_order(&self, pass: &mut Pass<'_>) -> Result<Option<BTreeSet<Ref>>, IoError> {
        let closed = retry(TRIES, || self.close_order_once(pass)).await?;
        let (names, rows) = closed.ok_or_else(contended)?;
        pass.counts.order_rows += rows;
        Ok(names)
    }

    async fn close_order_once(
        &self,
        Pass { run, key, erasure, .. }: &Pass<'_>,
    ) -> Result<Try<(Option<BTreeSet<Ref>>, u64)>, IoError> {
        let Some((order, entries)) = self.orders.load_with_timeline(key).await? else {
            let names = match self.orders.deletion(key).await? {
                Deletion::Begun { names } => names,
                Deletion::None => BTreeSet::new(),
                Deletion::Existing => return Ok(Try::Contended),
            };
            return Ok(Try::Done((Some(names), 0)));
        };
        if order.state.created_at != erasure.created_at {
            return Ok(Try::Done((None, 0)));
        }
        // Since the request, it may have got another one. Its row loses it first.
        if erasure.with_conversation
            && let Some(phone) = &order.profile.customer.phone
            && erasure.phone.as_ref() != Some(phone)
        {
            self.events.note_phone(&run.event.id, phone).await?;
        }
        self.note_senders(run, erasure, &entries).await?;
        let names = order.names(&entries);
        if erasure.scope == Scope::Order {
            let is_begun = self.orders.begin_deletion(&order, &names, now()).await?;
            return Ok(if is_begun { Try::Done((Some(names), 0)) } else { Try::Contended });
        }
        let mut rows = 0;
        let noted: Vec<TimelineEntry> =
            entries.iter().filter_map(TimelineEntry::without_words).collect();
        let is_clean = order.is_erased() && order.profile.personal_field().is_none();
        if is_clean && noted.is_empty() {
            return Ok(Try::Done((Some(names), 0)));
        }
        let words = |entry: &TimelineEntry| entry.without_words().unwrap_or_else(|| entry.clone());
        let entries: Vec<TimelineEntry> = entries.iter().map(words).collect();
        let mut before = order;
        let chunks = noted.chunks(ENTRIES_AT_ONCE).chain(noted.is_empty().then_some(&[][..]));
        for chunk in chunks {
            let after = before.without_customer(now());
            let erased = self.orders.erase_customer(&before, &after, &entries, chunk).await?;
            let Some(erased) = erased else { return Ok(Try::Contended) };
            rows += erased;
            before = after;
        }
        Ok(Try::Done((Some(names), rows)))
    }

    /// Who answered messages about the order may have a conversation under another id than the order's
    /// phone number. The entries lose it first.
    async fn note_senders(
        &self,
        run: &Run<'_>,
        erasure: &Erasure,
        entries: &[TimelineEntry],
    ) -> Result<(), IoError> {
        let answers = entries.iter().filter_map(TimelineEntry::answer);
        let senders: BTreeSet<&String> = answers.filter_map(|it| it.from.as_ref()).collect();
        for sender in senders.into_iter().filter(|_| erasure.with_conversation) {
            self.events.note_phone(&run.event.id, sender).await?;
        }
        Ok(())
    }

    async fn erase_deliveries(&self, pass: &mut Pass<'_>, links: &Links) -> Result<bool, IoError> {
        let all: Vec<_> = links.deliveries.iter().collect();
        for chunk in all.chunks(CHUNK) {
            if !pass.run.has_time() {
                return Ok(false);
            }
            let key = &pass.key;
            let erased =
                run_all(chunk.iter().map(async |it| self.bodies.erase(it, key, now()).await));
            for outcome in erased.await? {
                pass.counts.deliveries += u64::from(outcome == ErasedBody::Erased);
                pass.is_busy |= outcome == ErasedBody::Busy;
            }
        }
        Ok(true)
    }

    async fn erase_events(
        &self,
        pass: &mut Pass<'_>,
        events: BTreeSet<EventId>,
    ) -> Result<bool, IoError> {
        let all: Vec<_> = events.into_iter().filter(|id| *id != pass.run.event.id).collect();
        for chunk in all.chunks(CHUNK) {
            if !pass.run.has_time() {
                return Ok(false);
            }
            let erased =
                run_all(chunk.iter().map(async |id| {
                    self.events.erase(id, now()).await.map(|outcome| (id, outcome))
                }));
            for (id, outcome) in erased.await? {
                use ErasedEvent::{Erased, Noted, Reopened, Unsettled};
                pass.counts.events += u64::from(matches!(outcome, Erased | Noted | Reopened));
                pass.is_busy |= match outcome {
                    Reopened => {
                        self.end_reopened(pass.run, id).await?;
                        true
                    }
                    outcome => matches!(outcome, Noted | Unsettled),
                };
            }
        }
        Ok(true)
    }

    /// Processes a failed event once more, and then erases its body whatever came of it. One at a
    /// time: it has no share of the memory budget. Its reports and messages may be stored only now, so
    /// another pass has to look for them.
    async fn end_reopened(&self, run: &Run<'_>, id: &EventId) -> Result<(), IoError> {
        self.follow_up(id, run.deadline).await;
        self.events.erase(id, now()).await.map(drop)
    }

    /// The rows name the events with the same content, so they go after these.
    async fn erase_messages(&self, pass: &mut Pass<'_>) -> Result<bool, IoError> {
        let erasable = self.messages.erasable_of_order(&pass.key).await?;
        // Noted first: the rows that name them go.
        let recipients = erasable.recipients.iter().filter(|_| pass.erasure.with_conversation);
        for recipient in recipients {
            self.events.note_phone(&pass.run.event.id, recipient.as_str()).await?;
        }
        let Some(rows) = self.erase_with_events(pass, erasable).await? else { return Ok(false) };
        pass.counts.messages += rows;
        let phones = self.events.noted_phones(&pass.run.event.id).await?;
        let phones: BTreeSet<&String> = pass.erasure.phone.iter().chain(&phones).collect();
        let contacts: BTreeSet<Contact> = phones.into_iter().flat_map(contacts).collect();
        for contact in contacts {
            let account = &pass.key.account;
            let erasable = self.messages.erasable_conversation(account, &contact).await?;
            let Some(rows) = self.erase_with_events(pass, erasable).await? else {
                return Ok(false);
            };
            pass.counts.conversation += rows;
        }
        Ok(true)
    }

    /// Returns the number of rows; `None` if the time did not suffice.
    async fn erase_with_events(
        &self,
        pass: &mut Pass<'_>,
        mut erasable: ErasableMessages,
    ) -> Result<Option<u64>, IoError> {
        let events = std::mem::take(&mut erasable.events);
        if !self.erase_events(pass, events).await? {
            return Ok(None);
        }
        let sends =
            erasable.sends.iter().map(async |send| self.bodies.erase_send(send, now()).await);
        for outcome in run_all(sends).await? {
            pass.counts.deliveries += u64::from(outcome == ErasedBody::Erased);
            pass.is_busy |= outcome == ErasedBody::Busy;
        }
        let rows = if pass.is_busy { 0 } else { self.messages.erase(&erasable).await? };
        Ok(Some(rows))
    }

    /// The reports that wait under the order's names, and would come to a later order with them.
    async fn waiting(
        &self,
        pass: &Pass<'_>,
        names: BTreeSet<Ref>,
    ) -> Result<Vec<UnmatchedReport>, IoError> {
        let mut waiting = Vec::new();
        for name in Orders::waiting_under(&pass.key, names) {
            let account = &pass.key.account;
            waiting.extend(self.orders.unmatched_reports(account, &name).await?.0);
        }
        Ok(waiting)
    }

    async fn delete_rows(&self, pass: &mut Pass<'_>, names: &BTreeSet<Ref>) -> Result<(), IoError> {
        if pass.is_busy {
            return Ok(());
        }
        pass.counts.order_rows += match pass.erasure.scope {
            Scope::Customer => self.orders.delete_beside(&pass.key, false).await?,
            Scope::Order => match self.orders.deletion(&pass.key).await? {
                Deletion::Begun { .. } => self.orders.finish_deletion(&pass.key, names).await?,
                Deletion::None => self.orders.delete_beside(&pass.key, true).await?,
                // A later order has the id by now.
                Deletion::Existing => 0,
            },
        };
        Ok(())
    }
}

/// A shopper without a phone number has the provider's id of a user.
fn contacts(phone_or_user: &String) -> Vec<Contact> {
    let contacts = contacts_of(phone_or_user);
    if contacts.is_empty() { Contact::parse(phone_or_user).into_iter().collect() } else { contacts }
}

//! Planted bugs: realistic mistakes, of which the simulation must find every one.
//!
//! The functions have no switch for them. A bug changes what the system does where the simulation
//! meets it: a call on its way to AWS, its answer, a POST, the template, the clock. The change is
//! what the mistake in the code would show there.

use std::collections::BTreeMap;
use std::fmt;

use crate::call::Call;
use crate::sandbox::SandboxId;

mod calls;
mod deployment;
mod edits;
mod effects;
pub mod hunt;
mod invocations;
mod posts;
pub mod table;

pub(crate) use effects::ignore_error;

macro_rules! bugs {
    ($($(#[doc = $doc:literal])+ $name:ident: $($finding:literal),+;)*) => {
        /// A mistake that the simulation can make.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Bug { $($(#[doc = $doc])+ $name,)* }

        impl Bug {
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// What the code would do wrong.
            pub fn mistake(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc, "\n",)+),)* }
            }

            /// The judge finds the bug by a violation that contains one of these.
            fn findings(self) -> &'static [&'static str] {
                match self { $(Self::$name => &[$($finding),+],)* }
            }
        }
    };
}

bugs! {
    /// `deliver` records an outcome without the condition that it still owns the row, as the
    /// idempotency layer of Powertools does (no owner token).
    OutcomeWithoutOwner: "posted again without need", "ends as";
    /// A claim does not look at the lease of another worker.
    ClaimIgnoresLease: "is posted again without need";
    /// A claim does not look at when the next attempt is due.
    ClaimIgnoresSchedule: "too early";
    /// `sweep` marks a due delivery as queued, but does not send it.
    DueNotQueued: "ends as";
    /// The lease is written in seconds and compared with milliseconds
    /// (aws-powertools/powertools-lambda-java#1281).
    LeaseInSeconds: "is posted again without need", "ends as";
    /// A commit is not conditional on the `rev` that it read.
    CommitIgnoresRev: "is lost", "is not the fold", "entries, its state says", "answers 503", "its changes are";
    /// A patch is not conditional on the `rev` that it read.
    PatchIgnoresRev: "answers 503", "is not the fold", "entries, its state says", "its changes are", "is lost";
    /// A name is claimed without a look at whether another order has it.
    NameTakenOver: "has the name";
    /// The update of a polled parcel's row creates a row that is no longer there.
    TouchUpserts: "is left over";
    /// Rows that change together with an order's state are written after it, not in one transaction.
    NoTransaction: "is lost", "are given up in EventsDlq";
    /// The keys of a tenant are those of another: its code is missing in them.
    KeysWithoutTenant: "is lost";
    /// The lookup of a name is eventually consistent (rmyndharis/OpenWA#464).
    StaleLookup: "waits, though", "is lost";
    /// A report that was parked is not looked for once more: its order may have been created
    /// between lookup and parking.
    ParkedWithoutSecondLook: "waits, though", "is lost";
    /// An order is created without the event that reconciles the reports parked for it
    /// (opengovsg/postmangovsg#2151).
    NoReconciliation: "waits, though", "is lost";
    /// The deliveries of a change are sent before the change is committed.
    AnnounceBeforeCommit: "which never was";
    /// An event is marked as settled before its deliveries are sent.
    MarkBeforeAnnounce: "is not told of";
    /// An event is queued before it is stored.
    QueueBeforeStore: "are given up in EventsDlq";
    /// `sweep` marks an event as sent before it sends it.
    SweepMarksBeforeSend: "the work goes on";
    /// The event is not marked as pending when the queue refuses it
    /// (ColeMurray/background-agents#1806).
    NoPendingMark: "is lost";
    /// A delivery is dead before its copy is in the dead-letter queue.
    DeadBeforeLetter: "is dead without a dead letter";
    /// A message is not sent back to its queue with a wait: it comes again only after the
    /// visibility timeout.
    NoRetryWait: "too late";
    /// `sync` saves its cursor before it sends the batches of the page.
    CursorBeforePage: "is not closed", "not every batch has ended", "lacks";
    /// `poll` counts a batch before it sends what it brought.
    CountBeforeReports: "were queued";
    /// A batch that comes again is counted again.
    BatchCountedTwice: "not every batch is counted once";
    /// An hour's run is opened again by every fire of the schedule.
    RunOpenedTwice: "finishes twice";
    /// The status of a message is written without a look at what was written since
    /// (chatwoot/chatwoot#14529).
    MessageStatusOverwritten: "the statuses of";
    /// What a message adds to the figures is not conditional on the message that was read.
    MessageCountedWithoutRev: "the figures of";
    /// A dead delivery is not copied to the dead-letter queue.
    NoDeadLetter: "is dead without a dead letter";
    /// An error of the send of deliveries is logged, and the event settled.
    SendErrorIgnored: "is not told of";
    /// `SendMessageBatch` is taken for all or nothing: its failed entries are ignored.
    FailedEntriesIgnored: "is not told of";
    /// A failed condition of a commit is taken for success: somebody else must have done it.
    FailedConditionIsSuccess: "is lost";
    /// A webhook is answered 200 whatever happens, so that its sender does not try again.
    ErrorsAnsweredWith200: "is lost";
    /// Messages are deleted when they are received, not when they are handled.
    DeletedOnReceive: "is lost", "is not told of", "ends as";
    /// The id of a delivery is made at its send, so that a repeat has another
    /// (documenso/documenso#3204).
    FreshDeliveryId: " ids";
    /// The id of a delivery is its order and its place in the batch, not its content.
    DeliveryIdByNumber: "is not told of";
    /// The body of an attempt is rendered again, with the time of this attempt.
    FreshBody: "has other bytes than before";
    /// Each attempt has a `webhook-id` of its own.
    FreshWebhookId: "of no delivery reaches";
    /// A retry repeats the headers of the first attempt: its timestamp grows old.
    OldTimestamp: "timestamp";
    /// The signature covers the body before it is serialized once more for the POST
    /// (octokit/webhooks.js#1155).
    SignsOtherBytes: "has a wrong signature";
    /// A redirect counts as delivered.
    RedirectIsSuccess: "did not take it";
    /// A `Retry-After` that is not a plain number panics, as in svix.
    RetryAfterPanics: "ends as", "a batch is dead";
    /// A change is told to the endpoints of another account too.
    ForeignAccount: "which never was";
    /// A function logs the events that it gets, with their headers and bodies.
    LogsEvents: "has personal data";
    /// The clock of a function is that of Indian time, read as UTC.
    LocalTime: "timestamp";
    /// The expiry of rows is written in milliseconds (gchq/sleeper#450).
    ExpiryInMilliseconds: "expires";
    /// The template has no `ReportBatchItemFailures`: Lambda deletes what failed
    /// (ministackorg/ministack#287).
    NoItemFailures: "is lost", "is not told of", "ends as";
    /// The visibility timeout of a queue is shorter than the timeout of its function.
    ShortVisibility: "takes longer than its messages are invisible";
    /// A queue gives a message up after one failed receive.
    OneReceive: "ends as";
    /// Dead letters are deleted before anybody can look at them.
    ShortRetentionOfLetters: "is dead without a dead letter";
    /// The rate limit of the carrier is not that of the settings.
    RateIgnored: "asks the carrier too often";
    /// The carrier's answer is matched with the question by position, not by AWB.
    AnswersByPosition: "has a scan of";
    /// The lease of a message that has no result passes to the next worker, as that of a webhook does:
    /// it sends the message again.
    MessageResentAfterLease: "is sent twice", "though it may have been sent";
    /// The outcome of a message is told after its row says that it has ended.
    ResultToldAfterRecord: "nobody was told";
    /// A message is sent again on a new connection if the first one is closed, as a webhook is.
    MessageRepeatedWhenClosed: "is sent twice", "though it may have been sent";
    /// A status that comes after the outcome of a message became unknown does not settle its delivery.
    UnknownNotSettled: "ends as unknown, but its status";
    /// A message without an answer in time counts as not sent.
    TimeoutIsRefusal: "is sent twice", "though it may have been sent";
    /// The updates that a client missed begin one version too late.
    SinceOneTooLate: "does not know";
    /// A ticket is read when a socket opens, and stays.
    TicketOpensTwice: "opens a second socket";
    /// A socket that API Gateway does not know is not forgotten.
    GoneNotForgotten: "is gone, but its row stays";
    /// The socket of one order registers for its whole account.
    ScopeWidened: "which it may not see";
    /// The daily cap of a shopper's messages is not looked at.
    DailyCapIgnored: "in a day, at most";
    /// A check of the rules that is repeated makes its message again.
    RuleCheckedTwice: "is made twice", "is sent twice";
    /// The check of the rules is queued before the change is committed.
    CheckedBeforeCommit: "sends no message";
    /// A role lacks a permission that is seldom needed.
    MissingPermission: "may not";
}

/// What a planted bug has to remember during a run.
#[derive(Default)]
pub(crate) struct Memory {
    /// Calls that were answered and will have their effect later.
    held: Vec<(SandboxId, Call)>,
    /// By sandbox: partitions that its records were parked in.
    parked: BTreeMap<SandboxId, Vec<String>>,
    /// The headers of the first attempt of each delivery.
    first_attempts: BTreeMap<String, (String, String)>,
}

impl fmt::Display for Bug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl Bug {
    /// Whether this is what the bug does.
    pub fn explains(self, violation: &str) -> bool {
        self.findings().iter().any(|finding| violation.contains(finding))
    }

    /// The bug of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|bug| bug.to_string() == name)
    }
}

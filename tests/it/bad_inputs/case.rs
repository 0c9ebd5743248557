//! A case: a request, and what has to come of it.

use aws::tables::inbound::{EventState, InboundEvent, InboundLog};
use futures::StreamExt;
use futures::stream::iter;
use serde_json::{Value, json};

use super::post::{Answered, Door, Post};
use super::surface::Surface;
use crate::support::{Calls, eventually, stack};

/// So many cases of a table are tried side by side.
const AT_ONCE: usize = 8;

/// What comes of a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    status: u16,
    code: Option<String>,
    field: Option<String>,
    /// The state in which the log has it in the end.
    pub kept: Option<EventState>,
    /// Why, where a case asks for it.
    reason: Option<String>,
    /// Whether the order or message that it is about is another than before.
    moved: bool,
}

/// It is answered 200, and ends in this state.
pub fn taken(state: EventState) -> Outcome {
    let moved = state == EventState::Processed;
    Outcome { status: 200, code: None, field: None, kept: Some(state), reason: None, moved }
}

/// It is answered with this error, and nothing is kept of it.
pub fn refused(status: u16) -> Outcome {
    let code = match status {
        400 => "malformed",
        401 => "unauthorized",
        403 => "forbidden",
        404 => "not_found",
        413 => "too_large",
        other => panic!("what is {other}?"),
    };
    Outcome {
        status,
        code: Some(code.to_owned()),
        field: None,
        kept: None,
        reason: None,
        moved: false,
    }
}

/// It is answered 400, and kept for us to look at.
pub fn unreadable() -> Outcome {
    Outcome { kept: Some(EventState::Failed), ..refused(400) }
}

impl Outcome {
    /// The error names this field.
    pub fn about(self, field: &str) -> Self {
        Self { field: Some(field.to_owned()), ..self }
    }

    /// The log gives this reason.
    pub fn because(self, reason: &str) -> Self {
        Self { reason: Some(reason.to_owned()), ..self }
    }

    /// It changes nothing all the same.
    pub fn moving_nothing(self) -> Self {
        Self { moved: false, ..self }
    }
}

/// An order that a good request would move, and what it would show then.
#[derive(Debug, Clone)]
pub struct Subject {
    /// As it is created.
    pub order: Value,
    /// The provider's id of a message about it: then the message's status is what moves.
    pub message: Option<String>,
    pub moved: &'static str,
}

impl Subject {
    /// Makes the order, and the message.
    pub async fn make(&self) {
        let created =
            stack().user("admin", "POST", "/api/external/orders", Some(&self.order)).await;
        assert_eq!(created.status, 201, "{}", created.json);
        let Some(message) = &self.message else { return };
        let body = json!({"order_id": self.order["orderId"], "account_code": self.order["accountCode"],
                          "message_status": "pending", "message_id": message});
        let recorded =
            stack().user("admin", "POST", "/api/orders/message-tracking", Some(&body)).await;
        assert_eq!(recorded.status, 201, "{}", recorded.json);
    }

    /// The order as it stands.
    pub async fn seen(&self) -> Value {
        let (order, account) =
            (self.order["orderId"].as_str().unwrap(), self.order["accountCode"].as_str().unwrap());
        let escaped: String = order.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let path = format!("/api/external/orders/{escaped}?accountCode={account}");
        let seen = stack().user("admin", "GET", &path, None).await;
        assert_eq!(seen.status, 200, "{}", seen.json);
        seen.json
    }

    /// Whether it shows what a good request says. Anything but that or the beginning is a mistake.
    pub async fn has_moved(&self) -> bool {
        let order = self.seen().await;
        let (shown, before) = match &self.message {
            Some(_) => (&order["latestMessageStatus"], "pending"),
            None => (&order["status"], "pending"),
        };
        assert!(shown == before || shown == self.moved, "{shown}");
        assert_eq!(
            order["version"],
            if self.message.is_none() && shown == self.moved { 2 } else { 1 }
        );
        shown == self.moved
    }
}

/// One line of a table.
pub struct Case<'a> {
    pub name: String,
    pub post: Post,
    pub door: Door<'a>,
    pub subject: Option<Subject>,
    pub expected: Outcome,
}

impl<'a> Case<'a> {
    /// By the front door.
    pub fn new(name: impl Into<String>, post: Post, expected: Outcome) -> Self {
        Self { name: name.into(), post, door: Door::Front, subject: None, expected }
    }

    pub fn by(self, door: Door<'a>) -> Self {
        Self { door, ..self }
    }

    pub fn on(self, subject: Subject) -> Self {
        Self { subject: Some(subject), ..self }
    }
}

/// Tries all of them, and fails with those that end otherwise.
pub async fn check(surface: &Surface, cases: &[Case<'_>]) {
    let events = stack().events(&Calls::default());
    let complaints =
        iter(cases.iter().map(|case| complaint(surface, &events, case))).buffer_unordered(AT_ONCE);
    let complaints: Vec<String> = complaints.filter_map(std::future::ready).collect().await;
    assert!(
        complaints.is_empty(),
        "{} of {}:\n{}",
        complaints.len(),
        cases.len(),
        complaints.join("\n")
    );
}

async fn complaint(surface: &Surface, events: &InboundLog, case: &Case<'_>) -> Option<String> {
    if let Some(subject) = &case.subject {
        subject.make().await;
    }
    let answer = case.door.send(&case.post).await;
    let row = settled(events, surface, &case.post, &answer).await;
    let (code, field) = answer.error();
    let reason = row.as_ref().and_then(|row| row.reason.clone());
    let seen = Outcome {
        status: answer.status,
        code: code.map(str::to_owned),
        field: field.map(str::to_owned),
        kept: row.as_ref().map(|row| row.state),
        // Whatever is wrong with a body is said, but not everywhere in the same words.
        reason: if case.expected.reason.is_some() { reason } else { None },
        moved: match &case.subject {
            Some(subject) => subject.has_moved().await,
            None => case.expected.moved,
        },
    };
    let name = &case.name;
    (seen != case.expected)
        .then(|| format!("{name}:\n  expected {:?}\n  but saw  {seen:?}", case.expected))
}

/// The row that has the request to the byte, once somebody has worked on it. It is there before the answer is.
pub async fn settled(
    events: &InboundLog,
    surface: &Surface,
    post: &Post,
    answer: &Answered,
) -> Option<InboundEvent> {
    for id in surface.event_ids(post, answer) {
        let Some(row) = events.load(&id).await.unwrap().filter(|row| row.body == post.body) else {
            continue;
        };
        if row.state != EventState::Received {
            return Some(row);
        }
        let worked_on = async || {
            events.load(&id).await.unwrap().filter(|row| row.state != EventState::Received)
        };
        return Some(eventually("somebody to work on an event", worked_on).await);
    }
    None
}

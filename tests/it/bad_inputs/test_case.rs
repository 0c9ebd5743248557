//! A test case: a webhook request and its expected outcome.

use aws::tables::inbound::{EventState, InboundEvent, InboundLog};
use futures::StreamExt;
use futures::stream::iter;

use super::request::{Transport, WebhookRequest};
use super::source_fixture::SourceFixture;
use super::test_order::TestOrder;
use crate::support::{Answer, Calls, eventually, stack};

/// Cases in parallel.
const CONCURRENCY: usize = 8;

#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    http_status: u16,
    error_code: Option<String>,
    error_field: Option<String>,
    /// The final state of the event in the inbound log; none if the request is not stored.
    pub stored: Option<EventState>,
    /// The reason in the inbound log; not compared if the case expects none.
    reason: Option<String>,
    order_changed: bool,
}

/// Answered 200. The event ends in this state.
pub fn accepted(state: EventState) -> Outcome {
    Outcome {
        http_status: 200,
        error_code: None,
        error_field: None,
        stored: Some(state),
        reason: None,
        order_changed: state == EventState::Processed,
    }
}

/// Answered 200 with an empty body, and not stored.
pub fn probed() -> Outcome {
    Outcome { http_status: 200, error_code: None, ..rejected(400) }
}

/// Answered with this error, without a stored event.
pub fn rejected(http_status: u16) -> Outcome {
    let code = match http_status {
        400 => "malformed",
        401 => "unauthorized",
        403 => "forbidden",
        404 => "not_found",
        413 => "too_large",
        other => panic!("no error code for status {other}"),
    };
    Outcome {
        http_status,
        error_code: Some(code.to_owned()),
        error_field: None,
        stored: None,
        reason: None,
        order_changed: false,
    }
}

/// Answered 400. The event is stored as failed, for operators.
pub fn unreadable() -> Outcome {
    Outcome { stored: Some(EventState::Failed), ..rejected(400) }
}

impl Outcome {
    pub fn with_field(self, field: &str) -> Self {
        Self { error_field: Some(field.to_owned()), ..self }
    }

    pub fn with_reason(self, reason: &str) -> Self {
        Self { reason: Some(reason.to_owned()), ..self }
    }

    pub fn without_change(self) -> Self {
        Self { order_changed: false, ..self }
    }
}

pub struct TestCase<'a> {
    pub name: String,
    pub request: WebhookRequest,
    pub transport: Transport<'a>,
    pub order: Option<TestOrder>,
    pub expected: Outcome,
}

impl<'a> TestCase<'a> {
    /// A case over HTTP.
    pub fn new(name: impl Into<String>, request: WebhookRequest, expected: Outcome) -> Self {
        Self { name: name.into(), request, transport: Transport::Http, order: None, expected }
    }

    pub fn via(self, transport: Transport<'a>) -> Self {
        Self { transport, ..self }
    }

    pub fn for_order(self, order: TestOrder) -> Self {
        Self { order: Some(order), ..self }
    }
}

/// Runs all cases and reports every unexpected outcome.
pub async fn check(source: &SourceFixture, cases: &[TestCase<'_>]) {
    let events = stack().events(&Calls::default());
    let mismatches = iter(cases.iter().map(|case| mismatch(source, &events, case)))
        .buffer_unordered(CONCURRENCY);
    let mismatches: Vec<String> = mismatches.filter_map(std::future::ready).collect().await;
    assert!(
        mismatches.is_empty(),
        "{} of {}:\n{}",
        mismatches.len(),
        cases.len(),
        mismatches.join("\n")
    );
}

async fn mismatch(
    source: &SourceFixture,
    events: &InboundLog,
    case: &TestCase<'_>,
) -> Option<String> {
    if let Some(order) = &case.order {
        order.create().await;
    }
    let answer = case.transport.send(&case.request).await;
    let event = settled_event(events, source, &case.request, &answer).await;
    let error = &answer.json["error"];
    let reason = event.as_ref().and_then(|event| event.reason.clone());
    let actual = Outcome {
        http_status: answer.status,
        error_code: error["code"].as_str().map(str::to_owned),
        error_field: error["field"].as_str().map(str::to_owned),
        stored: event.as_ref().map(|event| event.state),
        reason: reason.filter(|_| case.expected.reason.is_some()),
        order_changed: match &case.order {
            Some(order) => order.has_changed().await,
            None => case.expected.order_changed,
        },
    };
    let (name, expected) = (&case.name, &case.expected);
    (actual != *expected)
        .then(|| format!("{name}:\n  expected {expected:?}\n  actual   {actual:?}"))
}

/// Sends a request over HTTP and waits until its event is processed.
pub async fn send_and_settle(
    source: &SourceFixture,
    request: &WebhookRequest,
) -> (Answer, InboundEvent) {
    let answer = Transport::Http.send(request).await;
    let events = stack().events(&Calls::default());
    let event = settled_event(&events, source, request, &answer).await.unwrap();
    (answer, event)
}

/// The event with exactly the body of the request, but for its credentials, once it is no longer `received`. `inbound`
/// stores events before it answers, so a missing row stays missing.
pub async fn settled_event(
    events: &InboundLog,
    source: &SourceFixture,
    request: &WebhookRequest,
    answer: &Answer,
) -> Option<InboundEvent> {
    let body = source.stored_body(request);
    for id in source.event_ids(request, answer) {
        let Some(event) = events.load(&id).await.unwrap().filter(|event| event.body == *body)
        else {
            continue;
        };
        if event.state != EventState::Received {
            return Some(event);
        }
        let settled = async || {
            events.load(&id).await.unwrap().filter(|event| event.state != EventState::Received)
        };
        return Some(eventually("an event to settle", settled).await);
    }
    None
}

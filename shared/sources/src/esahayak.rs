//! eSahayak's webhook: whether an order's stamp was made, and what became of the order.
//!
//! What it sends: eSahayak's webhook guide. The guide shows no body of a failure, a delivery or a cancellation; of
//! those only what its sample code reads is read here.

mod auth;

use domain::core::id::{ProviderId, ReportId};
use domain::core::request_body::read_object;
use domain::tracking::report::{Report, SourceName};
use domain::tracking::status::{Leg, Status};

use crate::text::{Fields, LABEL, REMARK};
use crate::{
    Authenticator, DedupKey, InvalidSetting, Reading, Received, Request, Setup, Source, Unreadable,
};

/// The longest id of an event, in bytes.
const EVENT_ID: usize = 256;

/// eSahayak.
pub struct Esahayak;

impl Source for Esahayak {
    fn name(&self) -> SourceName {
        SourceName::new("esahayak")
    }

    fn path(&self) -> &'static str {
        "esahayak"
    }

    fn configure(&self, setup: &Setup<'_>) -> Result<Box<dyn Authenticator>, InvalidSetting> {
        auth::configure(setup)
    }

    /// A header repeats the body's type. A body without one is no envelope, and has nothing to contradict.
    fn dedup_key(&self, request: &Request<'_>) -> DedupKey {
        let Ok(body) = read_object::<Fields>(request.body) else { return DedupKey::Body };
        let kind = body.verbatim("type");
        if kind.is_some() && kind.as_deref() != request.header("x-esahayak-event") {
            return DedupKey::Contradictory("event_header");
        }
        event_id(&body).map_or(DedupKey::Body, DedupKey::ProviderId)
    }

    fn attempt<'a>(&self, request: &Request<'a>) -> Option<&'a str> {
        request.header("x-esahayak-delivery")
    }

    fn read(&self, received: &Received<'_>) -> Result<Reading, Unreadable> {
        let body: Fields = read_object(received.body)?;
        require_envelope(&body)?;
        let kind = body.verbatim("type").unwrap_or_default();
        let Some(status) = status(&kind) else { return Ok(Reading::Ignored("unknown_type")) };
        let data = body.object("data");
        let order = data.object("order");
        let Some(provider_id) = order.id("id", ProviderId::parse) else {
            return Ok(Reading::Ignored("no_order_named"));
        };
        let source = self.name();
        let report = Report {
            id: report_id(received, &source, &body),
            source,
            awb: None,
            return_awb: None,
            provider_id: Some(provider_id),
            order_id: None,
            leg: Leg::Outbound,
            status,
            source_status: order.words("status", LABEL).or(Some(kind)),
            occurred_at: body.time("created_at"),
            location: None,
            note: note(status, &data),
            eta: None,
            scans: Vec::new(),
        };
        Ok(Reading::Reports(vec![report].into()))
    }
}

/// What each event has. Of whatever kind the values are: odd content is no error.
fn require_envelope(body: &Fields) -> Result<(), Unreadable> {
    for name in ["id", "type", "created_at"] {
        if !body.has(name) || body.is_blank(name) {
            return Err(Unreadable::Missing(name));
        }
    }
    if body.has("data") { Ok(()) } else { Err(Unreadable::Missing("data")) }
}

/// The status that a type of event stands for. Types are compared as they are written.
fn status(kind: &str) -> Option<Status> {
    match kind {
        "stamp.uploaded" => Some(Status::Completed),
        "stamp.failed" => Some(Status::Failed),
        "order.delivered" => Some(Status::Delivered),
        "order.cancelled" => Some(Status::Cancelled),
        _ => None,
    }
}

/// Why something went wrong, where the body says so.
fn note(status: Status, data: &Fields) -> Option<String> {
    match status {
        Status::Failed => data.object("error").words("message", REMARK),
        Status::Cancelled => data.object("cancellation").words("reason", REMARK),
        _ => None,
    }
}

/// eSahayak's id of the event, to the letter: two spellings are two events.
fn event_id(body: &Fields) -> Option<String> {
    body.verbatim("id").filter(|id| id.len() <= EVENT_ID && !id.contains(char::is_control))
}

/// An event is one claim. One whose id cannot be used is told from others by its bytes, as [`Source::dedup_key`] does.
fn report_id(received: &Received<'_>, source: &SourceName, body: &Fields) -> ReportId {
    let id = received.report_id(source);
    match event_id(body) {
        Some(event) => id.with(event).into(),
        None => id.with("bytes").with(received.body).into(),
    }
}

#[cfg(test)]
mod tests;

//! eSahayak's webhook: the stamp of an order, and the state of the order.
//!
//! Source: eSahayak's webhook guide. It shows no body of a failure, a delivery or a cancellation;
//! for those, only the fields that its sample code uses are read.

mod auth;

use domain::core::id::{ProviderId, ReportId};
use domain::core::request_body::read_object;
use domain::core::timestamp::Timestamp;
use domain::tracking::report::{Report, SourceName};
use domain::tracking::status::{Leg, Status};

use crate::text::{Fields, LABEL, REMARK};
use crate::{
    Authenticator, DedupKey, IgnoreReason, InvalidSetting, Parsed, QuarantineReason, Reading,
    Request, Setup, Source, Unreadable,
};

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

    fn parse(&self, request: &Request<'_>, _at: Timestamp) -> Result<Parsed, Unreadable> {
        let body: Fields = read_object(request.body)?;
        require_envelope(&body)?;
        let reading = report(request, self.name(), &body)
            .map_or_else(Reading::Ignored, |report| Reading::Reports(vec![report].into()));
        Ok(Parsed { dedup_key: dedup_key(request, &body), ..reading.into() })
    }

    fn attempt_id<'a>(&self, request: &Request<'a>) -> Option<&'a str> {
        request.header("x-esahayak-delivery")
    }

    fn has_order_refs(&self) -> bool {
        true
    }
}

/// Requires the fields of every event, with values of any type.
fn require_envelope(body: &Fields) -> Result<(), Unreadable> {
    for name in ["id", "type", "created_at"] {
        if !body.has(name) || body.is_blank(name) {
            return Err(Unreadable::Missing(name));
        }
    }
    if body.has("data") { Ok(()) } else { Err(Unreadable::Missing("data")) }
}

/// The header `x-esahayak-event` must equal `type`. A missing or blank type, or one that is neither
/// string nor number, is not compared.
fn dedup_key(request: &Request<'_>, body: &Fields) -> DedupKey {
    let kind = body.verbatim("type");
    if kind.is_some() && kind.as_deref() != request.header("x-esahayak-event") {
        return DedupKey::Contradictory(QuarantineReason::EventHeader);
    }
    body.event_id("id").map_or(DedupKey::Body, DedupKey::ProviderId)
}

fn report(
    request: &Request<'_>,
    source: SourceName,
    body: &Fields,
) -> Result<Report, IgnoreReason> {
    let kind = body.verbatim("type").unwrap_or_default();
    let status = status(&kind).ok_or(IgnoreReason::UnknownType)?;
    let data = body.object("data");
    let order = data.object("order");
    let provider_id = order.id("id", ProviderId::parse).ok_or(IgnoreReason::NoOrderNamed)?;
    Ok(Report {
        id: report_id(request, &source, body),
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
        attempts: None,
        carrier_name: None,
        scans: Vec::new(),
    })
}

/// Maps an event type. The comparison is exact.
fn status(kind: &str) -> Option<Status> {
    match kind {
        "stamp.uploaded" => Some(Status::Completed),
        "stamp.failed" => Some(Status::Failed),
        "order.delivered" => Some(Status::Delivered),
        "order.cancelled" => Some(Status::Cancelled),
        _ => None,
    }
}

/// The reason for a failure or cancellation.
fn note(status: Status, data: &Fields) -> Option<String> {
    match status {
        Status::Failed => data.object("error").words("message", REMARK),
        Status::Cancelled => data.object("cancellation").words("reason", REMARK),
        _ => None,
    }
}

/// One event is one report. Without a usable event id the bytes identify it, as in [`dedup_key`].
fn report_id(request: &Request<'_>, source: &SourceName, body: &Fields) -> ReportId {
    let id = request.report_id(source);
    match body.event_id("id") {
        Some(event) => id.with(event).into(),
        None => id.with("bytes").with(request.body).into(),
    }
}

#[cfg(test)]
mod tests;

//! Shiprocket's tracking webhook.
//!
//! Source: Shiprocket's API collection, "tracking webhook". Further fields and the panel's test
//! ping come from bodies that implementers published.

mod auth;
mod scans;
mod status;

use domain::core::id::{Awb, OrderId, ProviderId, ReportId};
use domain::core::request_body::read_object;
use domain::core::timestamp::Timestamp;
use domain::tracking::report::{Report, Scan, SourceName};
use domain::tracking::status::{Leg, Status};

use crate::text::{Fields, LABEL, REMARK, normalise};
use crate::{
    Authenticator, IgnoreReason, InvalidSetting, Parsed, Reading, Request, Setup, Source,
    Unreadable,
};

pub struct Shiprocket;

impl Source for Shiprocket {
    fn name(&self) -> SourceName {
        SourceName::new("shiprocket")
    }

    /// Shiprocket rejects callback URLs that contain its own name, `sr` or `kr`.
    fn path(&self) -> &'static str {
        "carrier"
    }

    fn configure(&self, setup: &Setup<'_>) -> Result<Box<dyn Authenticator>, InvalidSetting> {
        auth::configure(setup)
    }

    fn parse(&self, request: &Request<'_>, _at: Timestamp) -> Result<Parsed, Unreadable> {
        let body: Fields = read_object(request.body)?;
        if is_test_ping(&body) {
            return Ok(Reading::Ignored(IgnoreReason::TestPing).into());
        }
        Ok(Reading::Reports(vec![report(request, self.name(), &body)?].into()).into())
    }

    fn has_order_refs(&self) -> bool {
        true
    }
}

/// The panel's "Test webhook" reports a delivered parcel with placeholders for ids. Only a real
/// body has `sr_order_id`, and no real body has the first placeholder.
fn is_test_ping(body: &Fields) -> bool {
    let placeholder =
        |name| body.text(name).is_some_and(|text| text.to_lowercase().starts_with("enter your "));
    let courier = body
        .text("courier_name")
        .is_some_and(|text| text.eq_ignore_ascii_case("enter courier_name"));
    let without_id = body.text("sr_order_id").is_none();
    placeholder("channel_order_id") || without_id && (placeholder("channel") || courier)
}

fn report(request: &Request<'_>, source: SourceName, body: &Fields) -> Result<Report, Unreadable> {
    let awb = body.id("awb", Awb::parse);
    let provider_id = body.id("sr_order_id", ProviderId::parse);
    let order_id = body.id("order_id", OrderId::parse);
    if awb.is_none() && provider_id.is_none() && order_id.is_none() {
        return Err(Unreadable::Missing("awb, sr_order_id or order_id"));
    }
    let scans = scans::read(body);
    Ok(Report {
        id: report_id(request, &source, body, scans.last()),
        source,
        awb,
        return_awb: body.id("return_awb_code", Awb::parse),
        provider_id,
        order_id,
        leg: if body.flag("is_return") { Leg::Return } else { Leg::Outbound },
        status: status(body),
        source_status: label(body),
        occurred_at: body.time("current_timestamp").or_else(|| body.time("timestamp")),
        location: scans
            .last()
            .and_then(|scan| scan.location.clone())
            .or_else(|| body.words("location", LABEL)),
        note: note(body),
        eta: body.time("etd"),
        scans,
    })
}

/// `shipment_status` is about this parcel, `current_status` about the whole order.
fn label(body: &Fields) -> Option<String> {
    body.words("shipment_status", LABEL).or_else(|| body.words("current_status", LABEL))
}

/// The parcel's status is more precise than the order's (a cancelled return is 8 in SHIPMENT and 27
/// in ORDER). An unknown id falls back to its label.
fn status(body: &Fields) -> Status {
    if let Some(status) = body.digits("shipment_status_id").and_then(|id| status::of_shipment(&id))
    {
        return status;
    }
    if let Some(label) = body.words("shipment_status", LABEL) {
        return status::of_label(&label);
    }
    if let Some(status) = body.digits("current_status_id").and_then(|id| status::of_order(&id)) {
        return status;
    }
    body.words("current_status", LABEL).map_or(Status::Unknown, |label| status::of_label(&label))
}

fn note(body: &Fields) -> Option<String> {
    let reasons = ["undelivered_reason", "pickup_exception_reason", "qc_failure_reason"];
    reasons.into_iter().find_map(|name| body.words(name, REMARK))
}

/// The same report has the same id however often it is sent and in whatever order its scans come.
/// The newest scan is part of the id because two hubs may scan a parcel within one second.
fn report_id(
    request: &Request<'_>,
    source: &SourceName,
    body: &Fields,
    newest: Option<&Scan>,
) -> ReportId {
    let order = body.text("sr_order_id").or_else(|| body.text("order_id"));
    let time = body.text("current_timestamp").or_else(|| body.text("timestamp"));
    let (kind, status) = reported_status(body);
    request
        .report_id(source)
        .with_option(order)
        .with_option(body.text("awb"))
        .with(if body.flag("is_return") { "return" } else { "outbound" })
        .with(kind)
        .with(status)
        .with_option(time)
        .with_option(newest.and_then(|scan| scan.activity.as_deref()))
        .with_option(newest.and_then(|scan| scan.location.as_deref()))
        .into()
}

/// Shiprocket's name of the status: the parcel's id, else a label, else the order's id.
fn reported_status(body: &Fields) -> (&'static str, String) {
    let number = |name| body.digits(name).filter(|id| id.bytes().all(|byte| byte.is_ascii_digit()));
    let label = || label(body).map(|label| ("label", normalise(&label)));
    let shipment = number("shipment_status_id").map(|id| ("shipment", id));
    shipment
        .or_else(label)
        .or_else(|| number("current_status_id").map(|id| ("order", id)))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;

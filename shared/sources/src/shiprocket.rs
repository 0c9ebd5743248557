//! Shiprocket's tracking webhook.
//!
//! Source: Shiprocket's API collection, "tracking webhook". Further fields, the envelope `data` and
//! the panel's test ping come from bodies that implementers published.

mod attempts;
mod auth;
mod report_time;
mod scans;
mod status;

use domain::core::id::{Awb, OrderId, ProviderId, ReportId};
use domain::core::request_body::read_object;
use domain::core::timestamp::Timestamp;
use domain::tracking::report::{Report, Scan, SourceName};
use domain::tracking::status::{Leg, Status};

use crate::text::{Fields, LABEL, REMARK, normalise};
use crate::times;
use crate::{
    Authenticator, DedupKey, IgnoreReason, InvalidSetting, Parsed, Reading, Request, Setup, Source,
    Unreadable,
};
use report_time::ReportTime;

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

    fn parse(&self, request: &Request<'_>, at: Timestamp) -> Result<Parsed, Unreadable> {
        let body = without_envelope(read_object(request.body)?);
        if is_test_ping(&body) {
            return Ok(Reading::Ignored(IgnoreReason::TestPing).into());
        }
        let scans = scans::read(&body);
        let time = ReportTime::of(&body, &scans);
        let dedup_key = time.as_ref().map_or(DedupKey::BodyAndMinute, |_| DedupKey::Body);
        let time = time.unwrap_or_else(|| ReportTime::minute(at));
        let report = report(request, self.name(), &body, scans, &time)?;
        Ok(Parsed { dedup_key, ..Reading::Reports(vec![report].into()).into() })
    }

    fn has_order_refs(&self) -> bool {
        true
    }

    /// The panel, and people with a browser, probe a URL before they save it.
    fn answers_probes(&self) -> bool {
        true
    }
}

/// Some bodies are in a `data` object.
fn without_envelope(body: Fields) -> Fields {
    let names_order = |body: &Fields| {
        ["awb", "awb_code", "sr_order_id", "order_id"]
            .into_iter()
            .any(|name| body.text(name).is_some())
    };
    let data = body.object("data");
    if names_order(&body) || !names_order(&data) { body } else { data.within(body) }
}

/// The AWB as sent. In a `data` object it is `awb_code`.
fn awb_text(body: &Fields) -> Option<String> {
    body.text("awb").or_else(|| body.text("awb_code"))
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

fn report(
    request: &Request<'_>,
    source: SourceName,
    body: &Fields,
    scans: Vec<Scan>,
    time: &ReportTime,
) -> Result<Report, Unreadable> {
    let awb = body.id("awb", Awb::parse).or_else(|| body.id("awb_code", Awb::parse));
    let provider_id = body.id("sr_order_id", ProviderId::parse);
    let order_id = body.id("order_id", OrderId::parse);
    if awb.is_none() && provider_id.is_none() && order_id.is_none() {
        return Err(Unreadable::Missing("awb, sr_order_id or order_id"));
    }
    let (status, leg) = status(body);
    Ok(Report {
        id: report_id(request, &source, body, scans.last(), time),
        source,
        awb,
        return_awb: body.id("return_awb_code", Awb::parse),
        provider_id,
        order_id,
        leg: if body.flag("is_return") { Leg::Return } else { leg },
        status,
        source_status: label(body).or_else(|| body.words("shipment_status", LABEL)),
        occurred_at: time.at,
        location: scans
            .last()
            .and_then(|scan| scan.location.clone())
            .or_else(|| body.words("location", LABEL)),
        note: note(body),
        eta: body.text("etd").and_then(|text| times::parse_day(&text)),
        attempts: attempts::read(body),
        carrier_name: body.words("courier_name", LABEL),
        scans,
    })
}

/// `shipment_status` is about this parcel, `current_status` about the whole order.
fn label(body: &Fields) -> Option<String> {
    shipment_label(body).or_else(|| order_label(body))
}

fn shipment_label(body: &Fields) -> Option<String> {
    body.words("shipment_status", LABEL).filter(|label| !is_number(label))
}

fn order_label(body: &Fields) -> Option<String> {
    body.words("current_status", LABEL).filter(|label| !is_number(label))
}

/// Some bodies have the id in `shipment_status`.
fn shipment_id(body: &Fields) -> Option<String> {
    let mut ids = ["shipment_status_id", "shipment_status"].into_iter();
    ids.find_map(|name| body.digits(name).filter(|id| is_number(id)))
}

fn order_id(body: &Fields) -> Option<String> {
    body.digits("current_status_id").filter(|id| is_number(id))
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The parcel's status is more precise than the order's (a cancelled return is 8 in SHIPMENT and 27
/// in ORDER). An unknown id falls back to its label, an unknown label to the order's status.
fn status(body: &Fields) -> (Status, Leg) {
    let label = shipment_label(body);
    let by_id = shipment_id(body).and_then(|id| status::of_shipment(&id));
    let by_label = || status::of_label(label.as_deref()?);
    if let Some(read) = by_id.map(|status| (status, Leg::Outbound)).or_else(by_label) {
        return read;
    }
    let (status, leg) = order_status(body);
    let is_return = leg == Leg::Return || status.leg() == Some(Leg::Return);
    // An unknown status of the way back is none of the way out.
    if label.is_some_and(|label| status::names_return(&label)) && !is_return {
        return (Status::Unknown, leg);
    }
    (status, leg)
}

fn order_status(body: &Fields) -> (Status, Leg) {
    let by_label = order_label(body).and_then(|label| status::of_label(&label));
    let by_id = || order_id(body).and_then(|id| status::of_order(&id));
    by_label.or_else(by_id).unwrap_or((Status::Unknown, Leg::Outbound))
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
    time: &ReportTime,
) -> ReportId {
    let order = body.text("sr_order_id").or_else(|| body.text("order_id"));
    let (kind, status) = reported_status(body);
    request
        .report_id(source)
        .with_option(order)
        .with_option(awb_text(body))
        .with(if body.flag("is_return") { "return" } else { "outbound" })
        .with(kind)
        .with(status)
        .with_option(Some(&time.text))
        .with_option(newest.and_then(|scan| scan.activity.as_deref()))
        .with_option(newest.and_then(|scan| scan.location.as_deref()))
        .into()
}

/// Shiprocket's name of the status: the parcel's id, else a label, else the order's id.
fn reported_status(body: &Fields) -> (&'static str, String) {
    let label = || label(body).map(|label| ("label", normalise(&label)));
    let shipment = shipment_id(body).map(|id| ("shipment", id));
    shipment.or_else(label).or_else(|| order_id(body).map(|id| ("order", id))).unwrap_or_default()
}

#[cfg(test)]
mod tests;

use super::invalid_field;
use crate::core::id::{Awb, OrderId, ReportId};
use crate::core::timestamp::Timestamp;
use crate::orders::request::read_status;
use crate::tracking::report::Ref;
use crate::tracking::status::Status;

fn order() -> OrderId {
    OrderId::parse("ORD-1").unwrap()
}

#[test]
fn reads_a_status_report() {
    let body = r#"{"status":"assigned","occurred_at":"2026-01-20T10:15:30+05:30","note":"x",
        "account_code":"STORE001"}"#;
    let (report, account) = read_status(order(), body.as_bytes()).unwrap();
    assert_eq!((report.status, report.note.as_deref()), (Status::Assigned, Some("x")));
    assert_eq!(report.occurred_at, Timestamp::parse("2026-01-20T04:45:30Z").ok());
    assert_eq!(report.awb, None);
    assert_eq!(account.as_ref().map(|account| account.as_str()), Some("STORE001"));
}

#[test]
fn reads_the_awb_of_a_status_report() {
    for (awb, expected) in [(r#""0019""#, Some("0019")), ("19", Some("19")), ("null", None)] {
        let body = format!(r#"{{"status":"lost","awb":{awb}}}"#);
        let (report, _) = read_status(order(), body.as_bytes()).unwrap();
        assert_eq!(report.awb.as_ref().map(Awb::as_str), expected, "{awb}");
    }
}

/// The AWB of a carrier's report is a name of its order, that of a partner's report is not.
#[test]
fn a_status_report_finds_its_order_by_the_order_id_only() {
    let body = br#"{"status":"lost","awb":"0019"}"#;
    let (status, _) = read_status(OrderId::parse("1001").unwrap(), body).unwrap();
    let report = status.to_report(ReportId::parse("r").unwrap());
    assert_eq!(report.awb.as_ref().map(Awb::as_str), Some("0019"));
    assert_eq!(report.refs(), [Ref::Order(OrderId::parse("1001").unwrap())]);
    assert_eq!(report.alternative_refs(), []);
}

#[test]
fn errors_name_the_invalid_field_of_a_status_report() {
    let long = format!(r#"{{"status":"lost","note":"{}"}}"#, "x".repeat(1001));
    for (body, field) in [
        ("[]", "(body)"),
        (r#"{"note":"canary"}"#, "status"),
        (r#"{"status":"canary"}"#, "status"),
        (r#"{"status":"unknown"}"#, "status"),
        (r#"{"status":"lost","occurredAt":"canary"}"#, "occurredAt"),
        (r#"{"status":"lost","occured_at":"2026-01-20T10:15:30Z"}"#, "occured_at"),
        (r#"{"status":"lost","awb":"canary/1"}"#, "awb"),
        (r#"{"status":"lost","awb":["canary"]}"#, "awb"),
        (r#"{"status":"lost","Note":"canary"}"#, "Note"),
        (&long, "note"),
    ] {
        let result = read_status(order(), body.as_bytes());
        assert_eq!(invalid_field(result).as_deref(), Some(field), "{body}");
    }
}

#[test]
fn an_unknown_status_is_answered_with_the_known_ones() {
    let error = read_status(order(), br#"{"status":"gone"}"#).unwrap_err().to_string();
    assert!(error.starts_with("status: must be one of pending, assigned, "), "{error}");
    assert!(error.ends_with(", returned") && !error.contains("unknown"), "{error}");
}

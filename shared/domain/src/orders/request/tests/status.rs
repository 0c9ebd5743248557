use super::invalid_field;
use crate::core::id::{Awb, OrderId, ReportId};
use crate::core::timestamp::Timestamp;
use crate::orders::request::read_status;
use crate::tracking::status::Leg;
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

#[test]
fn a_status_report_names_the_order_of_its_path_and_its_parcel() {
    let body = br#"{"status":"return_in_transit","awb":"0019"}"#;
    let (status, _) = read_status(OrderId::parse("1001").unwrap(), body).unwrap();
    let report = status.to_report(ReportId::parse("r").unwrap());
    assert_eq!(report.awb.as_ref().map(Awb::as_str), Some("0019"));
    assert_eq!(report.order_id.as_ref().map(OrderId::as_str), Some("1001"));
    assert_eq!((report.leg, report.return_awb, report.provider_id), (Leg::Return, None, None));
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

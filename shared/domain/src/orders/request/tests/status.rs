use super::invalid_field;
use crate::core::id::OrderId;
use crate::core::timestamp::Timestamp;
use crate::orders::request::read_status;
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
    assert_eq!(account.as_ref().map(|account| account.as_str()), Some("STORE001"));
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

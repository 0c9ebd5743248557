//! Checks API responses and deliveries against openapi.yaml.
//!
//! `tools/local/contract.py` validates. A validator crate would enable features in dependencies
//! that the AWS SDK shares, and the whole SDK would be built a second time.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};

use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use super::Received;

#[derive(Debug)]
pub struct ApiCall {
    pub method: String,
    pub path: String,
    /// None skips the check of the request body.
    pub body: Option<String>,
}

/// Fails the test if openapi.yaml does not describe this response for the operation.
pub fn check_response(call: &ApiCall, status: u16, headers: &HeaderMap, body: &str) {
    let headers: BTreeMap<&str, &str> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap_or_default()))
        .collect();
    let answer = json!({"status": status, "headers": headers, "body": body});
    let exchange = json!({
        "method": call.method, "path": call.path, "request": call.body, "answer": answer,
    });
    let violations = validate(&json!({ "exchange": exchange }));
    assert!(
        violations.is_empty(),
        "openapi.yaml does not allow this: {violations:#?}\n{call:#?}\n{status} {body}"
    );
}

/// Fails the test if openapi.yaml does not describe this delivery for the format.
pub fn check_delivery(format: &str, request: &Received) {
    let delivery = json!({"format": format, "headers": request.headers, "body": request.body});
    let violations = validate(&json!({ "delivery": delivery }));
    assert!(
        violations.is_empty(),
        "openapi.yaml does not allow this: {violations:#?}\n{request:#?}"
    );
}

/// The process exits when its stdin closes, that is with this process.
struct Validator {
    cases: ChildStdin,
    results: BufReader<ChildStdout>,
    _process: Child,
}

fn validate(case: &Value) -> Vec<String> {
    static VALIDATOR: LazyLock<Mutex<Validator>> = LazyLock::new(|| Mutex::new(start()));
    let mut validator = VALIDATOR.lock().unwrap_or_else(PoisonError::into_inner);
    writeln!(validator.cases, "{case}").unwrap();
    let mut result = String::new();
    validator.results.read_line(&mut result).unwrap();
    serde_json::from_str(&result).expect("contract.py failed; its error is printed above")
}

fn start() -> Validator {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut process = Command::new(root.join(".venv/bin/python"))
        .arg(root.join("tools/local/contract.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("no .venv: run these tests with `make e2e`");
    let cases = process.stdin.take().unwrap();
    let results = BufReader::new(process.stdout.take().unwrap());
    Validator { cases, results, _process: process }
}

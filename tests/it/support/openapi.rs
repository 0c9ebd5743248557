//! openapi.yaml, which all answers and deliveries that these tests see have to obey.
//!
//! The judge is `tools/local/contract.py`. A validator among this crate's dependencies would switch on features of
//! what the AWS SDK is built from, and so have all of it built a second time.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};

use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use super::Received;

/// What was asked of the API.
#[derive(Debug)]
pub struct PollItem {
    pub method: String,
    pub path: String,
    pub body: Option<String>,
}

/// Fails the test unless the answer is one that this operation is described to give.
pub fn check_answer(asked: &PollItem, status: u16, headers: &HeaderMap, body: &str) {
    let headers: BTreeMap<&str, &str> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap_or_default()))
        .collect();
    let answer = json!({"status": status, "headers": headers, "body": body});
    let exchange = json!({"method": asked.method, "path": asked.path, "request": asked.body, "answer": answer});
    let complaints = judge(&json!({ "exchange": exchange }));
    assert!(
        complaints.is_empty(),
        "openapi.yaml does not allow this: {complaints:#?}\n{asked:#?}\n{status} {body}"
    );
}

/// Fails the test unless the delivery is one that this format is described to be.
pub fn check_delivery(format: &str, request: &Received) {
    let delivery = json!({"format": format, "headers": request.headers, "body": request.body});
    let complaints = judge(&json!({ "delivery": delivery }));
    assert!(
        complaints.is_empty(),
        "openapi.yaml does not allow this: {complaints:#?}\n{request:#?}"
    );
}

/// Ends with this process, for its input ends then.
struct Judge {
    cases: ChildStdin,
    dispositions: BufReader<ChildStdout>,
    _process: Child,
}

fn judge(case: &Value) -> Vec<String> {
    static JUDGE: LazyLock<Mutex<Judge>> = LazyLock::new(|| Mutex::new(start()));
    let mut judge = JUDGE.lock().unwrap_or_else(PoisonError::into_inner);
    writeln!(judge.cases, "{case}").unwrap();
    let mut disposition = String::new();
    judge.dispositions.read_line(&mut disposition).unwrap();
    serde_json::from_str(&disposition).expect("contract.py said why it ended, above")
}

fn start() -> Judge {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut process = Command::new(root.join(".venv/bin/python"))
        .arg(root.join("tools/local/contract.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("no .venv: these tests run through `make e2e`");
    let cases = process.stdin.take().unwrap();
    let dispositions = BufReader::new(process.stdout.take().unwrap());
    Judge { cases, dispositions, _process: process }
}

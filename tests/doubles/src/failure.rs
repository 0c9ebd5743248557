//! Error answers of AWS services, as the AWS SDK reads them.

use serde_json::{Value, json};

/// An error answer: HTTP 400 with a JSON body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The `__type` of the body, with its namespace.
    pub kind: String,
    pub message: String,
    /// Header `x-amzn-query-error`. SQS repeats the code of its older protocol there, and the SDK
    /// prefers it to the `__type`.
    pub query_error: Option<String>,
}

impl Failure {
    pub const STATUS: u16 = 400;

    pub fn body(&self) -> Value {
        json!({ "__type": self.kind, "message": self.message })
    }

    /// The code that the SDK reports.
    pub fn code(&self) -> &str {
        let query = self.query_error.as_deref().and_then(|error| error.split(';').next());
        query.or_else(|| self.kind.rsplit('#').next()).unwrap_or_default()
    }
}

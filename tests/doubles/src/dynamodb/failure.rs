//! Errors, as DynamoDB answers them.

use serde_json::{Map, Value, json};

use super::Item;

const NAMESPACE: &str = "com.amazonaws.dynamodb.v20120810";
const NOT_MODELLED: &str = "NotModelled";

#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    pub status: u16,
    pub code: &'static str,
    pub message: String,
    /// Further members of the answer: `Item` or `CancellationReasons`.
    pub members: Map<String, Value>,
}

impl Failure {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { status: 400, code, message: message.into(), members: Map::new() }
    }

    pub(super) fn validation(message: impl Into<String>) -> Self {
        Self::new("ValidationException", message)
    }

    /// The request has a part that DynamoDB may accept and this model does not have.
    pub(super) fn not_modelled(part: impl std::fmt::Display) -> Self {
        Self::new(NOT_MODELLED, format!("the DynamoDB model has no {part}"))
    }

    pub(super) fn condition(existing: Option<&Item>) -> Self {
        let mut failure =
            Self::new("ConditionalCheckFailedException", "The conditional request failed");
        if let Some(item) = existing {
            failure.members.insert("Item".to_owned(), Value::Object(item.clone()));
        }
        failure
    }

    /// A cancelled transaction, with one outcome for each of its operations.
    pub(super) fn cancelled(outcomes: &[Option<Self>]) -> Self {
        let reasons: Vec<Value> = outcomes.iter().map(|outcome| reason(outcome.as_ref())).collect();
        let codes: Vec<&str> =
            reasons.iter().filter_map(|reason| reason["Code"].as_str()).collect();
        let message = format!(
            "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
            codes.join(", ")
        );
        let mut failure = Self::new("TransactionCanceledException", message);
        failure.members.insert("CancellationReasons".to_owned(), Value::Array(reasons));
        failure
    }

    /// True if the model lacks what the request needs: the caller must not take this for an answer
    /// of DynamoDB.
    pub fn is_not_modelled(&self) -> bool {
        self.code == NOT_MODELLED
    }

    /// The body of the answer.
    pub fn body(&self) -> Value {
        let mut body = self.members.clone();
        body.insert("__type".to_owned(), format!("{NAMESPACE}#{}", self.code).into());
        body.insert("message".to_owned(), self.message.clone().into());
        Value::Object(body)
    }
}

fn reason(outcome: Option<&Failure>) -> Value {
    let Some(failure) = outcome else { return json!({ "Code": "None" }) };
    let code = match failure.code {
        "ConditionalCheckFailedException" => "ConditionalCheckFailed",
        _ => "ValidationError",
    };
    let mut reason = failure.members.clone();
    reason.insert("Code".to_owned(), code.into());
    reason.insert("Message".to_owned(), failure.message.clone().into());
    Value::Object(reason)
}

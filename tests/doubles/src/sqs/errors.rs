//! Error answers of SQS. The code of the older protocol differs from the name of the type for some
//! of them.

use crate::failure::Failure;

const QUERY_NAMESPACE: &str = "AWS.SimpleQueueService.";

fn modeled(kind: &str, query_code: String, message: String) -> Failure {
    Failure {
        kind: format!("com.amazonaws.sqs#{kind}"),
        message,
        query_error: Some(format!("{query_code};Sender")),
    }
}

/// An error whose code has the namespace of the service.
pub(super) fn service_error(kind: &str, message: impl Into<String>) -> Failure {
    modeled(kind, format!("{QUERY_NAMESPACE}{kind}"), message.into())
}

/// An error whose code is the name of the type.
pub(super) fn plain_error(kind: &str, message: impl Into<String>) -> Failure {
    modeled(kind, kind.to_owned(), message.into())
}

/// An error that the model of the service does not list.
fn unmodeled(code: &str, message: String) -> Failure {
    Failure {
        kind: format!("com.amazon.coral.service#{code}Exception"),
        message,
        query_error: Some(format!("{code};Sender")),
    }
}

pub(super) fn unknown_queue() -> Failure {
    let code = format!("{QUERY_NAMESPACE}NonExistentQueue");
    modeled("QueueDoesNotExist", code, "The specified queue does not exist.".to_owned())
}

pub(super) fn missing(parameter: &str) -> Failure {
    let message = format!("The request must contain the parameter {parameter}.");
    unmodeled("MissingParameter", message)
}

pub(super) fn invalid(parameter: &str, value: impl std::fmt::Display, reason: &str) -> Failure {
    let message = format!("Value {value} for parameter {parameter} is invalid. Reason: {reason}");
    unmodeled("InvalidParameterValue", message)
}

pub(super) fn malformed_receipt(receipt: &str) -> Failure {
    let message = format!("The input receipt handle \"{receipt}\" is not a valid receipt handle.");
    plain_error("ReceiptHandleIsInvalid", message)
}

/// The message is gone, or another receive has it.
pub(super) fn unavailable(receipt: &str) -> Failure {
    let reason = "Message does not exist or is not available for visibility timeout change.";
    invalid("ReceiptHandle", receipt, reason)
}

//! Error answers of SSM.

use crate::failure::Failure;

fn failure(kind: &str, message: String) -> Failure {
    Failure { kind: kind.to_owned(), message, query_error: None }
}

pub(super) fn throttled() -> Failure {
    failure("ThrottlingException", "Rate exceeded".to_owned())
}

pub(super) fn invalid_request(message: String) -> Failure {
    failure("ValidationException", message)
}

pub(super) fn invalid_page_token() -> Failure {
    failure("InvalidNextToken", "The specified token isn't valid.".to_owned())
}

//! What can go wrong with IO, by what the caller does about it.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

/// A call that did not work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IoError {
    /// It may work later: throttled, unreachable, timed out, a setting that is not there yet.
    #[error("{call} is not available: {code}")]
    Transient {
        /// The call, e.g. `dynamodb:Query`.
        call: &'static str,
        /// What it said; never content.
        code: String,
    },
    /// It will not work by waiting: a stored row that cannot be read, a call that is refused as wrong.
    #[error("{call} failed: {code}")]
    Bug {
        /// The call.
        call: &'static str,
        /// What it said; never content.
        code: String,
    },
}

impl IoError {
    /// A row that this program wrote and cannot read.
    pub fn unreadable(call: &'static str, what: &str) -> Self {
        Self::Bug { call, code: format!("unreadable {what}") }
    }

    /// Other writers kept changing the row until all tries were used up.
    pub fn contention(call: &'static str) -> Self {
        Self::Transient { call, code: "contention".to_owned() }
    }

    /// From an AWS call. What the service refuses as invalid will be refused again; all else may pass.
    pub(crate) fn of<E: ProvideErrorMetadata, R>(
        call: &'static str,
        error: &SdkError<E, R>,
    ) -> Self {
        let code = match error {
            SdkError::ConstructionFailure(_) => "construction_failure".to_owned(),
            SdkError::TimeoutError(_) => "timeout".to_owned(),
            SdkError::DispatchFailure(_) => "unreachable".to_owned(),
            SdkError::ResponseError(_) => "unreadable_answer".to_owned(),
            other => other.code().unwrap_or("unknown").to_owned(),
        };
        if matches!(
            code.as_str(),
            "ValidationException" | "construction_failure" | "InvalidParameterValue"
        ) {
            Self::Bug { call, code }
        } else {
            Self::Transient { call, code }
        }
    }
}

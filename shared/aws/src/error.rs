//! IO errors, by how the caller reacts: retry, or report a bug.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

/// `code` never contains content of requests or rows: it goes to logs and rows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IoError {
    /// A retry may succeed: throttled, unreachable, timed out, a setting that is missing as yet.
    #[error("{call} is not available: {code}")]
    Transient {
        /// E.g. `dynamodb:Query`.
        call: &'static str,
        code: String,
    },
    /// A retry fails the same way: an unreadable row, a request rejected as invalid.
    #[error("{call} failed: {code}")]
    Bug { call: &'static str, code: String },
    /// An operator must correct this setting; the work is retried until then.
    #[error("setting {parameter} is wrong")]
    UnusableSetting { parameter: String },
}

impl IoError {
    /// A row or value that this program wrote and cannot read.
    pub fn unreadable(call: &'static str, what: &str) -> Self {
        Self::Bug { call, code: format!("unreadable {what}") }
    }

    /// Other writers kept changing the row until all tries were used up.
    pub fn contention(call: &'static str) -> Self {
        Self::Transient { call, code: "contention".to_owned() }
    }

    /// A request that AWS rejects as invalid is a bug; every other failure may be transient.
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

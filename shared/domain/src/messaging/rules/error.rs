//! The error for invalid message settings.

/// The message quotes no value but the name of a placeholder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct MessageSettingError {
    pub field: String,
    pub message: String,
}

impl MessageSettingError {
    pub(super) fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

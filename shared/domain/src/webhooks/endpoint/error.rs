//! The error for invalid endpoint settings.

/// The message never quotes the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct EndpointSettingError {
    pub field: String,
    pub message: &'static str,
}

impl EndpointSettingError {
    pub fn new(field: impl Into<String>, message: &'static str) -> Self {
        Self { field: field.into(), message }
    }
}

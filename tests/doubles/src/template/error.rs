#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    #[error("the template is no YAML: {0}")]
    Yaml(#[from] saphyr::ScanError),
    #[error("unexpected properties: {0}")]
    Properties(#[from] serde_json::Error),
    #[error("{0}")]
    Unsupported(String),
    #[error("{id}: {error}")]
    OfResource { id: String, error: Box<TemplateError> },
}

impl TemplateError {
    pub(super) fn unsupported(what: impl std::fmt::Display) -> Self {
        Self::Unsupported(format!("not supported: {what}"))
    }

    /// Names the resource that the error is about.
    pub(super) fn of(self, id: &str) -> Self {
        match self {
            Self::OfResource { .. } => self,
            error => Self::OfResource { id: id.to_owned(), error: Box::new(error) },
        }
    }
}

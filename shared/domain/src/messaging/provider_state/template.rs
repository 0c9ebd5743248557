//! The identity of a template, and whether it may be sent.

use serde::{Deserialize, Serialize};

use super::{Aspect, ProviderState};

/// WhatsApp's names have at most 512 characters, its languages at most 12.
const NAME_BYTES: usize = 512;
const LANGUAGE_BYTES: usize = 32;

/// A template in one language. Webhooks spell a language `en-US` that requests spell `en_US`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TemplateId {
    name: String,
    language: String,
}

impl TemplateId {
    /// `None` unless both are short and consist of visible ASCII characters other than `/`.
    pub fn new(name: &str, language: &str) -> Option<Self> {
        let plain = |text: &str, max| {
            (1..=max).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/')
        };
        (plain(name, NAME_BYTES) && plain(language, LANGUAGE_BYTES))
            .then(|| Self { name: name.to_owned(), language: language.replace('-', "_") })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn language(&self) -> &str {
        &self.language
    }
}

/// Why a template must not be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{status}{}", .reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default())]
pub struct TemplateRefusal {
    /// In lower case, e.g. `paused`.
    pub status: String,
    /// In the provider's words, e.g. `FIRST_PAUSE` or `INVALID_FORMAT`.
    pub reason: Option<String>,
}

/// Statuses in which WhatsApp sends no messages of a template.
const UNUSABLE: [&str; 8] = [
    "PAUSED",
    "DISABLED",
    "REJECTED",
    "DELETED",
    "PENDING_DELETION",
    "PENDING",
    "IN_APPEAL",
    "ARCHIVED",
];
/// A template that is paused is locked, too: the reason tells which of both is meant.
const LOCKED: &str = "LOCKED";

/// Whether a template may be sent. One of which nothing is known may.
pub fn usable(state: &ProviderState) -> Result<(), TemplateRefusal> {
    let Some(told) = state.get(Aspect::Status) else { return Ok(()) };
    let reason = told.reason.as_deref();
    let is_paused = told.value == LOCKED && reason.is_some_and(|reason| reason.ends_with("_PAUSE"));
    if !UNUSABLE.contains(&told.value.as_str()) && !is_paused {
        return Ok(());
    }
    let status = if is_paused { "paused".to_owned() } else { told.value.to_lowercase() };
    Err(TemplateRefusal { status, reason: told.reason.clone() })
}

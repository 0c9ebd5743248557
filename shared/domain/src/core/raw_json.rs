//! JSON values that are passed through as text, so that amounts never become floats.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The text of a JSON value, unchanged.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RawJson(Box<RawValue>);

/// Redacted: the value may hold personal data.
impl std::fmt::Debug for RawJson {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RawJson([REDACTED])")
    }
}

impl RawJson {
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// The content of a string, or a number's digits as they came.
    pub fn to_text(&self) -> Option<String> {
        let json = self.as_str();
        if json.starts_with('"') {
            return serde_json::from_str(json).ok();
        }
        let is_number = json.starts_with(|c: char| c == '-' || c.is_ascii_digit());
        is_number.then(|| json.to_owned())
    }

    pub fn is_object(&self) -> bool {
        self.as_str().starts_with('{')
    }
}

impl PartialEq for RawJson {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for RawJson {}

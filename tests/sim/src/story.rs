//! What happened in a run, step by step.

use std::fmt::Write;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::clock;

/// Of fingerprints, in base32.
const ID_LENGTH: usize = 32;
const SHORT_LENGTH: usize = 8;

/// The steps of a run. Two runs of a seed have the same steps.
#[derive(Default)]
pub(crate) struct Story {
    steps: u64,
    /// Of all steps so far.
    hash: DefaultHasher,
    /// Kept only for a reader.
    text: Option<String>,
}

impl Story {
    /// Keeps the text of each step, besides their number and hash.
    pub(crate) fn readable() -> Self {
        Self { text: Some(String::new()), ..Self::default() }
    }

    pub(crate) fn step(&mut self, who: &str, what: impl FnOnce() -> String) {
        self.steps += 1;
        let time = clock::elapsed().as_millis();
        let what = what();
        (time, who, &what).hash(&mut self.hash);
        if let Some(text) = &mut self.text {
            let what = shortened(&what);
            let (minutes, ms) = (time / 60_000, time % 60_000);
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "{:02}:{:02}:{:02}.{:03}  {who:<14} {what}",
                minutes / 60,
                minutes % 60,
                ms / 1000,
                ms % 1000
            );
        }
    }

    pub(crate) fn steps(&self) -> u64 {
        self.steps
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash.finish()
    }

    pub(crate) fn text(&self) -> &str {
        self.text.as_deref().unwrap_or_default()
    }
}

/// Ids of 32 characters are cut to eight, which tell them apart in one run.
fn shortened(text: &str) -> String {
    let is_id = |c: char| c.is_ascii_lowercase() || ('2'..='7').contains(&c);
    let mut short = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_id) {
        let length = rest[start..].find(|c| !is_id(c)).unwrap_or(rest.len() - start);
        let kept = if length == ID_LENGTH { SHORT_LENGTH } else { length };
        short.push_str(&rest[..start + kept]);
        rest = &rest[start + length..];
    }
    short + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_ids_only() {
        let id = "pbh64h2eskmf42o5mmks6uxp6vtxfd46";
        assert_eq!(
            shortened(&format!("a msg_{id}/{id}1 x")),
            format!("a msg_pbh64h2e/pbh64h2e1 x")
        );
        assert_eq!(shortened("received at 10:00 ü"), "received at 10:00 ü");
    }
}

//! The words by which shoppers stop messages, and start them again.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;

pub(super) const MAX_WORDS: usize = 50;
pub(super) const MAX_WORD_CHARS: usize = 64;

const STOP: [&str; 3] = ["STOP", "UNSUBSCRIBE", "CANCEL MESSAGES"];
const START: [&str; 2] = ["START", "RESUME"];

/// Only a whole message counts: "don't stop" stops nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptOutWords {
    stop: BTreeSet<String>,
    start: BTreeSet<String>,
}

impl Default for OptOutWords {
    fn default() -> Self {
        let words = |words: &[&str]| words.iter().map(|word| folded(word)).collect();
        Self { stop: words(&STOP), start: words(&START) }
    }
}

/// A list of words that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct InvalidWords(pub(super) &'static str, pub(super) &'static str);

impl OptOutWords {
    /// A list replaces the default words.
    pub(super) fn new(
        stop: Option<&[String]>,
        start: Option<&[String]>,
    ) -> Result<Self, InvalidWords> {
        let default = Self::default();
        let words = Self {
            stop: stop.map_or(Ok(default.stop), |it| read("stop_words", it))?,
            start: start.map_or(Ok(default.start), |it| read("start_words", it))?,
        };
        if !words.stop.is_disjoint(&words.start) {
            return Err(InvalidWords("start_words", "must not have a word of stop_words"));
        }
        Ok(words)
    }

    pub fn is_stop(&self, text: &str) -> bool {
        self.stop.contains(&folded(text))
    }

    pub fn is_start(&self, text: &str) -> bool {
        self.start.contains(&folded(text))
    }
}

/// Without a word, shoppers could not stop messages.
fn read(field: &'static str, words: &[String]) -> Result<BTreeSet<String>, InvalidWords> {
    if words.is_empty() || words.len() > MAX_WORDS {
        return Err(InvalidWords(field, "must have 1 to 50 words"));
    }
    let word = |word: &String| {
        let folded = folded(word);
        let fits = !folded.is_empty() && word.chars().count() <= MAX_WORD_CHARS;
        let message = "must be words of at most 64 characters, with a letter or a digit";
        fits.then_some(folded).ok_or(InvalidWords(field, message))
    };
    words.iter().map(word).collect()
}

/// Equal for spellings of one word: case, white space, and signs around it do not count.
fn folded(text: &str) -> String {
    let text: String = text.nfkc().collect();
    let text = text.trim_matches(|c: char| !c.is_alphanumeric());
    let words: Vec<&str> = text.split_whitespace().collect();
    // To capitals, as `ß` and the two small sigmas have a single form there.
    words.join(" ").to_uppercase().nfkc().collect()
}

#[cfg(test)]
mod tests;

//! Words of carriers, made fit for a page that strangers may see.

const MAX_CHARS: usize = 160;
/// Fewer digits are times, postcodes and counts.
const MIN_SECRET_DIGITS: usize = 7;
const MASK: &str = "…";

/// One line without phone numbers and mail addresses, which carriers write into remarks, and without
/// characters that turn the direction of what follows. `None` if nothing is left.
pub(super) fn plain(text: &str) -> Option<String> {
    let shown = |c: &char| !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let text: String = text.chars().filter(shown).collect();
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    let words: Vec<String> = words.filter(|word| !word.is_empty()).map(masked).collect();
    let text: String = words.join(" ").chars().take(MAX_CHARS).collect();
    text.chars().any(char::is_alphanumeric).then_some(text)
}

fn masked(word: &str) -> String {
    if word.contains('@') {
        return MASK.to_owned();
    }
    let mut result = String::with_capacity(word.len());
    let mut rest = word;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, digits) = rest.split_at(start);
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        let (number, after) = digits.split_at(end);
        result.push_str(before);
        result.push_str(if number.len() < MIN_SECRET_DIGITS { number } else { MASK });
        rest = after;
    }
    result + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hides_numbers_and_addresses() {
        for (text, expected) in [
            ("Door  locked\n at 18:40", Some("Door locked at 18:40")),
            ("Mumbai 400058", Some("Mumbai 400058")),
            ("called +919876543210, no answer", Some("called +…, no answer")),
            ("mail zoe@example.com", Some("mail …")),
            ("a\u{202e}b", Some("ab")),
            ("  ", None),
            ("--", None),
            ("1234567", None),
        ] {
            assert_eq!(plain(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn cuts_long_texts() {
        assert_eq!(plain(&"क".repeat(500)).map(|text| text.chars().count()), Some(MAX_CHARS));
    }
}

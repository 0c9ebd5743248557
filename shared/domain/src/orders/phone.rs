//! The phone number by which a shop finds an order.

/// As in the search of conversations.
const DIGITS: std::ops::RangeInclusive<usize> = 5..=20;
/// An Indian number without its country code.
const NATIONAL_DIGITS: usize = 10;

/// The last ten digits of a phone number: shops and shoppers write it with and without country
/// code. Personal data: never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct PhoneKey(String);

impl std::fmt::Debug for PhoneKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PhoneKey([REDACTED])")
    }
}

impl PhoneKey {
    /// A phone number as people write it: 5 to 20 digits, with `+`, spaces and punctuation.
    pub fn parse(text: &str) -> Option<Self> {
        let is_separator = |c: char| c.is_whitespace() || "+-().".contains(c);
        let digits: String = text.chars().filter(|c| !is_separator(*c)).collect();
        let is_number =
            DIGITS.contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        let start = digits.len().saturating_sub(NATIONAL_DIGITS);
        is_number.then(|| Self(digits[start..].to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_a_number_have_the_same_key() {
        for text in [
            "9876543210",
            "+919876543210",
            " 91 98765 43210",
            "+91-98765-43210",
            "(0)98765.43210",
            "00919876543210",
        ] {
            assert_eq!(PhoneKey::parse(text).unwrap().as_str(), "9876543210", "{text}");
        }
        assert_eq!(PhoneKey::parse("12345").unwrap().as_str(), "12345");
        assert_ne!(PhoneKey::parse("9876543210"), PhoneKey::parse("9876543211"));
    }

    #[test]
    fn text_that_is_no_number_has_no_key() {
        for text in ["", "1234", "123456789012345678901", "98765-4321O", "nine", "٩٨٧٦٥٤٣٢١٠"]
        {
            assert_eq!(PhoneKey::parse(text), None, "{text}");
        }
    }

    #[test]
    fn debug_output_has_no_digits() {
        assert_eq!(format!("{:?}", PhoneKey::parse("9876543210")), "Some(PhoneKey([REDACTED]))");
    }
}

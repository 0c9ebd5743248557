//! To whom WhatsApp delivers a message: a phone number or a business-scoped user id.

use crate::messaging::conversation::Contact;

/// Of a number with its country code. E.164 has at most 15 digits.
const INTERNATIONAL_DIGITS: std::ops::RangeInclusive<usize> = 8..=15;
/// More digits without a `+` begin with a country code.
const MAX_NATIONAL_DIGITS: usize = 10;

/// The country code of numbers that are written without one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountryCode(String);

impl CountryCode {
    /// 1 to 3 digits without a leading zero.
    pub fn parse(text: &str) -> Option<Self> {
        let is_code = (1..=3).contains(&text.len())
            && !text.starts_with('0')
            && text.bytes().all(|byte| byte.is_ascii_digit());
        is_code.then(|| Self(text.to_owned()))
    }
}

/// India, whose carriers Waypost reads.
impl Default for CountryCode {
    fn default() -> Self {
        Self("91".to_owned())
    }
}

/// Personal data: never logged.
#[derive(Clone, PartialEq, Eq)]
pub enum Recipient {
    /// The digits of a phone number with its country code.
    Phone(String),
    /// `CC.` with a country code, and the id.
    UserId(String),
}

impl std::fmt::Debug for Recipient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Recipient([REDACTED])")
    }
}

impl Recipient {
    /// A user id, or a phone number as people write it. A number of up to ten digits without `+` or
    /// `00` is a national one; WhatsApp would take its first digits for a country code.
    pub fn parse(text: &str, country: &CountryCode) -> Option<Self> {
        let text = text.trim();
        if is_user_id(text) {
            return Some(Self::UserId(text.to_owned()));
        }
        international(text, country).map(Self::Phone)
    }

    /// The shopper's conversation.
    pub fn contact(&self) -> Option<Contact> {
        let (Self::Phone(id) | Self::UserId(id)) = self;
        Contact::parse(id)
    }
}

fn is_user_id(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() > 3
        && bytes[..2].iter().all(u8::is_ascii_uppercase)
        && bytes[2] == b'.'
        && Contact::parse(text).is_some()
}

fn international(text: &str, country: &CountryCode) -> Option<String> {
    // A trunk zero in brackets is not dialled from abroad: +44 (0)20 ….
    let text = text.replace("(0)", "");
    let is_separator = |c: char| c.is_whitespace() || "-().".contains(c);
    let digits: String = text.chars().filter(|c| !is_separator(*c)).collect();
    let (digits, has_code) = match digits.strip_prefix('+').or_else(|| digits.strip_prefix("00")) {
        Some(rest) => (rest.to_owned(), true),
        None => (digits, false),
    };
    let national = digits.strip_prefix('0').unwrap_or(&digits);
    let is_national = !has_code && national.len() <= MAX_NATIONAL_DIGITS;
    let digits = if is_national { format!("{}{national}", country.0) } else { digits };
    let is_number = INTERNATIONAL_DIGITS.contains(&digits.len())
        && !digits.starts_with('0')
        && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(digits)
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn phone(text: &str) -> Option<String> {
        match Recipient::parse(text, &CountryCode::default())? {
            Recipient::Phone(digits) => Some(digits),
            Recipient::UserId(_) => None,
        }
    }

    #[test]
    fn a_phone_number_has_its_country_code() {
        for (text, digits) in [
            ("919876543210", "919876543210"),
            ("+919876543210", "919876543210"),
            ("00919876543210", "919876543210"),
            (" +91 98765-43210 ", "919876543210"),
            ("+91 (0)98765.43210", "919876543210"),
            ("9876543210", "919876543210"),
            ("09876543210", "919876543210"),
            ("(0)98765 43210", "919876543210"),
            ("+9876543210", "9876543210"),
            ("+4512345678", "4512345678"),
            ("16505551234", "16505551234"),
            ("+123456789012345", "123456789012345"),
        ] {
            assert_eq!(phone(text).as_deref(), Some(digits), "{text}");
        }
        let denmark = CountryCode::parse("45").unwrap();
        let number = Recipient::parse("12345678", &denmark);
        assert_eq!(number, Some(Recipient::Phone("4512345678".to_owned())));
    }

    #[test]
    fn text_that_is_no_number_is_no_recipient() {
        for text in [
            "",
            "+",
            "00",
            "123",
            "+1234567",
            "+0123456789",
            "++919876543210",
            "91+9876543210",
            "1234567890123456",
            "98765-4321O",
            "९८७६५४३२१०",
            "+91 98765 43210 x7",
        ] {
            assert_eq!(Recipient::parse(text, &CountryCode::default()), None, "{text}");
        }
    }

    #[test]
    fn a_user_id_has_the_prefix_of_its_country() {
        let long = format!("IN.{}", "1".repeat(128));
        for text in ["US.13491208655302741918", "IN.ENT.1349", &long] {
            let id = Recipient::parse(text, &CountryCode::default());
            assert_eq!(id, Some(Recipient::UserId(text.to_owned())), "{text}");
            assert_eq!(id.unwrap().contact().unwrap().as_str(), text);
        }
        for text in ["US.", "us.1349", "USA.1349", "US.13 49", &format!("IN.{}", "1".repeat(133))] {
            assert_eq!(Recipient::parse(text, &CountryCode::default()), None, "{text}");
        }
    }

    #[test]
    fn country_codes_are_one_to_three_digits() {
        for (text, is_code) in
            [("1", true), ("91", true), ("971", true), ("", false), ("0", false), ("+91", false)]
        {
            assert_eq!(CountryCode::parse(text).is_some(), is_code, "{text}");
        }
    }

    #[test]
    fn the_contact_of_a_phone_number_is_its_digits() {
        let recipient = Recipient::parse("+91 98765 43210", &CountryCode::default()).unwrap();
        assert_eq!(recipient.contact(), Contact::of_phone("919876543210"));
    }

    #[test]
    fn debug_output_of_a_recipient_has_no_personal_data() {
        for text in ["+919876543210", "US.13491208655302741918"] {
            let recipient = Recipient::parse(text, &CountryCode::default()).unwrap();
            assert_eq!(format!("{recipient:?}"), "Recipient([REDACTED])");
        }
    }
}

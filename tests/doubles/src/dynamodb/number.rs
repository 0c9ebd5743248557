//! DynamoDB's numbers: decimals of up to 38 significant digits, between 1E-130 and 9.9E+125.

use std::cmp::Ordering;
use std::fmt;

use super::Failure;

const MAX_DIGITS: i32 = 38;
/// The number of digits before the decimal point, negative for the zeros after it.
const MAX_MAGNITUDE: i32 = 126;
const MIN_MAGNITUDE: i32 = -129;

/// `digits` × 10^`exponent`. The digits neither begin nor end with zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number {
    negative: bool,
    digits: u128,
    exponent: i32,
}

impl Number {
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        let unreadable = || {
            Failure::validation(format!(
                "The parameter cannot be converted to a numeric value: {text}"
            ))
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, read_exponent(exponent)),
            None => (text, Some(0)),
        };
        let negative = mantissa.starts_with('-');
        let mantissa = mantissa.strip_prefix(['-', '+']).unwrap_or(mantissa);
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = [whole, fraction].concat();
        if all.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(unreadable());
        }
        let significant = all.trim_end_matches('0');
        let dropped = all.len() - significant.len();
        let significant = significant.trim_start_matches('0');
        let shift = to_i32(dropped) - to_i32(fraction.len());
        let exponent = exponent.ok_or_else(unreadable)?.saturating_add(shift);
        if to_i32(significant.len()) > MAX_DIGITS {
            return Err(too_many_digits());
        }
        // Zero has no digits.
        let digits = significant.parse().unwrap_or_default();
        Self { negative, digits, exponent }.checked()
    }

    fn checked(mut self) -> Result<Self, Failure> {
        if self.digits == 0 {
            return Ok(Self { negative: false, digits: 0, exponent: 0 });
        }
        while self.digits.is_multiple_of(10) {
            self.digits /= 10;
            self.exponent += 1;
        }
        if self.length() > MAX_DIGITS {
            return Err(too_many_digits());
        }
        let out_of_range = |kind, size| {
            Failure::validation(format!(
                "Number {kind}. Attempting to store a number with magnitude {size} than supported \
                 range"
            ))
        };
        match self.magnitude() {
            magnitude if magnitude > MAX_MAGNITUDE => Err(out_of_range("overflow", "larger")),
            magnitude if magnitude < MIN_MAGNITUDE => Err(out_of_range("underflow", "smaller")),
            _ => Ok(self),
        }
    }

    pub(super) fn plus(self, other: Self) -> Result<Self, Failure> {
        if self.digits == 0 || other.digits == 0 {
            return Ok(if self.digits == 0 { other } else { self });
        }
        let exponent = self.exponent.min(other.exponent);
        // A sum that does not fit has more than 38 digits.
        let sum = self.scaled_to(exponent).zip(other.scaled_to(exponent));
        let sum =
            sum.and_then(|(one, other)| one.checked_add(other)).ok_or_else(too_many_digits)?;
        Self { negative: sum < 0, digits: sum.unsigned_abs(), exponent }.checked()
    }

    /// The multiple of 10^`exponent` that equals this number.
    fn scaled_to(self, exponent: i32) -> Option<i128> {
        let factor = 10_u128.checked_pow(u32::try_from(self.exponent - exponent).ok()?)?;
        let digits = i128::try_from(self.digits.checked_mul(factor)?).ok()?;
        Some(if self.negative { -digits } else { digits })
    }

    fn length(self) -> i32 {
        self.digits.checked_ilog10().map_or(0, |log| log.cast_signed() + 1)
    }

    fn magnitude(self) -> i32 {
        self.length() + self.exponent
    }

    /// In bytes, as measured on DynamoDB: two digits a byte, the digits before and after the
    /// decimal point apart, one byte more, and one for a minus sign.
    pub(super) fn size(self) -> usize {
        let whole = self.magnitude().clamp(0, self.length());
        let fraction = self.length() - whole;
        let bytes = |digits: i32| usize::try_from(digits).unwrap_or_default().div_ceil(2);
        bytes(whole) + bytes(fraction) + 1 + usize::from(self.negative)
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = |number: &Self| match (number.digits, number.negative) {
            (0, _) => 0,
            (_, true) => -1,
            (_, false) => 1,
        };
        let padded = |number: &Self| {
            let missing = u32::try_from(MAX_DIGITS - number.length()).unwrap_or_default();
            number.digits * 10_u128.pow(missing)
        };
        let size = |number: &Self| (number.magnitude(), padded(number));
        sign(self).cmp(&sign(other)).then_with(|| match sign(self) {
            -1 => size(other).cmp(&size(self)),
            _ => size(self).cmp(&size(other)),
        })
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Without exponent, as DynamoDB returns numbers.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.negative { "-" } else { "" };
        let digits = self.digits.to_string();
        let places = |count: i32| usize::try_from(count).unwrap_or_default();
        if self.exponent >= 0 {
            return write!(f, "{sign}{digits}{}", "0".repeat(places(self.exponent)));
        }
        match digits.split_at_checked(places(self.magnitude())) {
            Some((whole, fraction)) if !whole.is_empty() => write!(f, "{sign}{whole}.{fraction}"),
            _ => write!(f, "{sign}0.{}{digits}", "0".repeat(places(-self.magnitude()))),
        }
    }
}

fn read_exponent(text: &str) -> Option<i32> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    // A longer exponent is out of range, as one of this size is.
    let parsed = || text.parse().unwrap_or(if text.starts_with('-') { -9999 } else { 9999 });
    is_number.then(parsed)
}

fn to_i32(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn too_many_digits() -> Failure {
    Failure::validation("Attempting to store more than 38 significant digits in a Number")
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Number::parse(text).unwrap()
    }

    #[test]
    fn returns_numbers_without_exponent_and_needless_zeros() {
        for (text, expected) in [
            ("0", "0"),
            ("-0.0", "0"),
            ("+007.50", "7.5"),
            ("1e3", "1000"),
            ("-12.5E-3", "-0.0125"),
            ("1200", "1200"),
            (".5", "0.5"),
            ("5.", "5"),
            ("0.1e1", "1"),
            ("123.456", "123.456"),
        ] {
            assert_eq!(number(text).to_string(), expected, "{text}");
        }
    }

    #[test]
    fn rejects_what_dynamodb_cannot_store() {
        let digits = "1".repeat(39);
        for text in ["", "-", ".", "1e", "e1", "1.2.3", "--1", "1_0", " 1", "NaN", "+-1", &digits] {
            assert!(Number::parse(text).is_err(), "{text}");
        }
        for (limit, beyond) in [("9.9e125", "1e126"), ("1e-130", "9e-131"), ("0", "1e99999999999")]
        {
            assert!(Number::parse(limit).is_ok(), "{limit}");
            assert!(Number::parse(beyond).is_err(), "{beyond}");
        }
    }

    #[test]
    fn orders_numbers_by_value() {
        let ordered =
            ["-1e100", "-10", "-9.99", "-1e-9", "0", "1e-130", "0.3", "9", "10", "10.5", "1e125"];
        for (index, one) in ordered.iter().enumerate() {
            for (other_index, other) in ordered.iter().enumerate() {
                assert_eq!(
                    number(one).cmp(&number(other)),
                    index.cmp(&other_index),
                    "{one} {other}"
                );
            }
        }
    }

    #[test]
    fn adds_exactly_or_not_at_all() {
        for (one, other, sum) in [
            ("1", "-1", "0"),
            ("0.1", "0.2", "0.3"),
            ("5", "-7", "-2"),
            (
                "99999999999999999999999999999999999999",
                "1",
                "100000000000000000000000000000000000000",
            ),
            ("9007199254740993", "1", "9007199254740994"),
            ("1e100", "0", &format!("1{}", "0".repeat(100))),
        ] {
            assert_eq!(number(one).plus(number(other)).unwrap().to_string(), sum);
        }
        assert!(number("1e100").plus(number("1")).is_err());
        assert!(number("9.9e125").plus(number("9.9e125")).is_err());
    }

    #[test]
    fn counts_two_digits_a_byte() {
        let sizes =
            ["0", "7", "42", "-42", "123", "1000", "1.5", "0.001"].map(|n| number(n).size());
        assert_eq!(sizes, [1, 2, 2, 3, 3, 2, 3, 2]);
    }
}

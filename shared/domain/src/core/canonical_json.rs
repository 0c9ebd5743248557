//! Canonical text of JSON values. Values that differ only in white space, key order, string
//! escapes or number form have the same text. Numbers never become floats.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// The canonical text of a JSON value. A value without one (a lone surrogate in a string, an
/// exponent beyond 64 bits) keeps its own text.
pub(crate) fn canonical(json: &str) -> String {
    let json = json.trim();
    let canonical = match json.as_bytes().first() {
        Some(b'{') => object(json),
        Some(b'[') => array(json),
        Some(b'"') => string(json),
        Some(b'-' | b'0'..=b'9') => number(json),
        _ => None,
    };
    canonical.unwrap_or_else(|| json.to_owned())
}

/// The last of several fields of one name counts.
fn object(json: &str) -> Option<String> {
    let fields: BTreeMap<String, &RawValue> = serde_json::from_str(json).ok()?;
    let fields = fields.iter().map(|(name, value)| {
        let name = serde_json::to_string(name).ok()?;
        Some(format!("{name}:{}", canonical(value.get())))
    });
    Some(format!("{{{}}}", fields.collect::<Option<Vec<_>>>()?.join(",")))
}

fn array(json: &str) -> Option<String> {
    let values: Vec<&RawValue> = serde_json::from_str(json).ok()?;
    let values: Vec<String> = values.iter().map(|value| canonical(value.get())).collect();
    Some(format!("[{}]", values.join(",")))
}

fn string(json: &str) -> Option<String> {
    let content: String = serde_json::from_str(json).ok()?;
    serde_json::to_string(&content).ok()
}

/// `{digits}e{exponent}`, the digits without zeros at either end.
fn number(json: &str) -> Option<String> {
    let (mantissa, exponent) = json.split_once(['e', 'E']).unwrap_or((json, "0"));
    let magnitude = mantissa.trim_start_matches('-');
    let sign = if magnitude.len() < mantissa.len() { "-" } else { "" };
    let (whole, fraction) = magnitude.split_once('.').unwrap_or((magnitude, ""));
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    let significant = digits.trim_end_matches('0');
    if significant.is_empty() {
        return Some("0".to_owned());
    }
    let exponent: i64 = exponent.parse().ok()?;
    let dropped_zeros = i64::try_from(digits.len() - significant.len()).ok()?;
    let decimals = i64::try_from(fraction.len()).ok()?;
    let exponent = exponent.checked_add(dropped_zeros)?.checked_sub(decimals)?;
    Some(format!("{sign}{significant}e{exponent}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_have_the_same_text() {
        for same in [
            &["1.10", "1.1", "11e-1", "0.11E+1", "110e-2", " 1.1\n"][..],
            &["100", "1e2", "1E+2", "100.0", "1000e-1"],
            &["0", "-0", "0.00", "0e7", "-0.0e99999999999999999999"],
            &["-2.50", "-25e-1"],
            &["123456789012345678901234567890.10", "1234567890123456789012345678901e-1"],
            &[r#""a/é""#, r#""\u0061\/\u00e9""#],
            &[r#"{"a":1,"b":[2,{}]}"#, "{ \"b\" : [ 2.0 , { } ] ,\r\n\t\"\\u0061\" : 1e0 }"],
            &["[]", "[ ]"],
            &["null", " null "],
        ] {
            for text in same {
                assert_eq!(canonical(text), canonical(same[0]), "{text}");
            }
        }
    }

    #[test]
    fn different_values_have_different_texts() {
        let values = [
            "1",
            "-1",
            "10",
            "0.1",
            "1.01",
            "9007199254740992",
            "9007199254740993",
            "\"1\"",
            "\"\"",
            "null",
            "true",
            "false",
            "[]",
            "[1]",
            "[1,10]",
            "[10,1]",
            "{}",
            r#"{"a":1}"#,
            r#"{"a":"1"}"#,
            r#"{"a":null}"#,
            r#"{"A":1}"#,
            r#"{"a":1,"b":1}"#,
            r#"["a","b"]"#,
            r#"["a,b"]"#,
            r#"["a\",\"b"]"#,
        ];
        let texts: std::collections::BTreeSet<String> =
            values.iter().map(|value| canonical(value)).collect();
        assert_eq!(texts.len(), values.len(), "{texts:?}");
    }

    #[test]
    fn a_value_without_a_canonical_text_keeps_its_own() {
        for text in [r#""\ud800""#, r#"{"\ud800":1}"#, "1e99999999999999999999"] {
            assert_eq!(canonical(text), text);
        }
    }

    #[test]
    fn a_canonical_text_is_its_own_canonical_text() {
        for text in ["-0.0", "1.10", r#"{"b":[1e2,"\u0041"],"a":null}"#, r#""\ud800""#] {
            assert_eq!(canonical(&canonical(text)), canonical(text), "{text}");
        }
    }
}

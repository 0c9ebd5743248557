#![expect(clippy::unwrap_used)]

use domain::id::Awb;
use domain::json::read_object;

use super::*;

fn fields(json: &str) -> Fields {
    read_object(json.as_bytes()).unwrap()
}

fn awb(value: &str) -> Option<String> {
    fields(&format!(r#"{{"awb":{value}}}"#)).id("awb", Awb::parse).map(String::from)
}

#[test]
fn ids_come_as_strings_or_whole_numbers() {
    for (value, expected) in [
        ("59600000001", Some("59600000001")),
        (r#""00123""#, Some("00123")),
        ("123456789012345678901234567890", Some("123456789012345678901234567890")),
        ("0", Some("0")),
        ("-1", Some("-1")),
        (r#"" 123 ""#, Some("123")),
        (r#""1.5""#, Some("1.5")),
        (r#""e\u0301""#, Some("\u{e9}")),
        (r#""a#b""#, Some("a#b")),
        ("1.5", None),
        ("1e400", None),
        ("null", None),
        ("true", None),
        ("[1]", None),
        ("{}", None),
        (r#""""#, None),
        (r#"" ""#, None),
        (r#""a\u0000b""#, None),
        (r#""a\r\nb""#, None),
        (r#""\u001b[2J""#, None),
        (r#""../x""#, None),
        (r#""\ud800""#, None),
    ] {
        assert_eq!(awb(value).as_deref(), expected, "{value}");
    }
    assert_eq!(awb(&format!("\"{}\"", "x".repeat(129))), None);
}

#[test]
fn the_last_of_two_counts() {
    assert_eq!(fields(r#"{"a":1,"a":2}"#).text("a").as_deref(), Some("2"));
}

#[test]
fn words_are_one_clipped_line() {
    let body = fields(r#"{"a":" \u001b[31mLeft\r\nat\tdoor\u0000 ","b":"\u0000 \u001b","c":{"d":1},"e":"नमस्ते 🎉"}"#);
    assert_eq!(body.words("a", 256).as_deref(), Some("[31mLeft  at door"));
    assert_eq!(body.words("a", 3).as_deref(), Some("[31"));
    assert_eq!(body.words("b", 256), None);
    assert_eq!(body.words("c", 256), None);
    assert_eq!(body.words("e", 8).as_deref(), Some("नमस्ते 🎉"));
    assert_eq!(body.words("e", 7).as_deref(), Some("नमस्ते"));
}

#[test]
fn flags_come_in_three_types() {
    for (value, expected) in [("1", true), (r#""1""#, true), ("true", true), ("0", false), (r#""0""#, false)] {
        assert_eq!(fields(&format!(r#"{{"is_return":{value}}}"#)).flag("is_return"), expected, "{value}");
    }
    for value in ["null", "2", r#""""#, "[1]", "false", "1.0"] {
        assert!(!fields(&format!(r#"{{"is_return":{value}}}"#)).flag("is_return"), "{value}");
    }
}

#[test]
fn a_list_is_its_objects() {
    for (value, expected) in
        [("null", 0), ("{}", 0), (r#""x""#, 0), ("[]", 0), (r#"[{},null,[],"x",1,{"a":1}]"#, 2), (r#"[ {} ]"#, 1)]
    {
        assert_eq!(fields(&format!(r#"{{"scans":{value}}}"#)).list("scans").len(), expected, "{value}");
    }
}

#![expect(clippy::unwrap_used)]

use domain::core::id::Awb;
use domain::core::request_body::read_object;

use super::*;

fn fields(json: &str) -> Fields {
    read_object(json.as_bytes()).unwrap()
}

fn awb(value: &str) -> Option<String> {
    fields(&format!(r#"{{"awb":{value}}}"#)).id("awb", Awb::parse).map(String::from)
}

#[test]
fn id_is_a_string_or_a_whole_number() {
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
fn last_of_repeated_keys_counts() {
    assert_eq!(fields(r#"{"a":1,"a":2}"#).text("a").as_deref(), Some("2"));
}

#[test]
fn words_are_one_truncated_line() {
    let body = fields(
        r#"{"a":" \u001b[31mLeft\r\nat\tdoor\u0000 ","b":"\u0000 \u001b","c":{"d":1},"e":"नमस्ते 🎉"}"#,
    );
    assert_eq!(body.words("a", 256).as_deref(), Some("[31mLeft  at door"));
    assert_eq!(body.words("a", 3).as_deref(), Some("[31"));
    assert_eq!(body.words("b", 256), None);
    assert_eq!(body.words("c", 256), None);
    assert_eq!(body.words("e", 8).as_deref(), Some("नमस्ते 🎉"));
    assert_eq!(body.words("e", 7).as_deref(), Some("नमस्ते"));
}

#[test]
fn lines_keep_line_breaks() {
    let body =
        fields(r#"{"a":"\n one\r\ntwo\u0000\t\u001b[2J\n\nthree\n","b":"\u0000\r\n","c":[1]}"#);
    assert_eq!(body.lines("a", 256).as_deref(), Some("one\ntwo [2J\n\nthree"));
    assert_eq!(body.lines("a", 4).as_deref(), Some("one"));
    assert_eq!(body.lines("b", 256), None);
    assert_eq!(body.lines("c", 256), None);
}

#[test]
fn flag_is_a_number_a_string_or_a_bool() {
    for (value, expected) in
        [("1", true), (r#""1""#, true), ("true", true), ("0", false), (r#""0""#, false)]
    {
        assert_eq!(
            fields(&format!(r#"{{"is_return":{value}}}"#)).flag("is_return"),
            expected,
            "{value}"
        );
    }
    for value in ["null", "2", r#""""#, "[1]", "false", "1.0"] {
        assert!(!fields(&format!(r#"{{"is_return":{value}}}"#)).flag("is_return"), "{value}");
    }
}

#[test]
fn list_returns_only_objects() {
    for (value, expected) in [
        ("null", 0),
        ("{}", 0),
        (r#""x""#, 0),
        ("[]", 0),
        (r#"[{},null,[],"x",1,{"a":1}]"#, 2),
        (r#"[ {} ]"#, 1),
    ] {
        assert_eq!(
            fields(&format!(r#"{{"scans":{value}}}"#)).list("scans").len(),
            expected,
            "{value}"
        );
    }
}

#[test]
fn null_counts_as_absent_and_white_space_as_blank() {
    for (value, has, blank) in [
        ("null", false, false),
        (" null ", false, false),
        (r#""null""#, true, false),
        (r#""""#, true, true),
        (r#"" \t\n""#, true, true),
        (r#""x""#, true, false),
        (r#""\ud800""#, true, false),
        ("0", true, false),
        ("false", true, false),
        ("[]", true, false),
        ("{}", true, false),
    ] {
        let body = fields(&format!(r#"{{"a":{value}}}"#));
        assert_eq!((body.has("a"), body.is_blank("a")), (has, blank), "{value}");
    }
    assert_eq!((fields("{}").has("a"), fields("{}").is_blank("a")), (false, false));
}

#[test]
fn verbatim_keeps_surrounding_white_space() {
    for (value, verbatim, text) in [
        (r#"" a\tb ""#, Some(" a\tb "), Some("a\tb")),
        ("1e400", Some("1e400"), Some("1e400")),
        (r#"" ""#, None, None),
        ("null", None, None),
        ("true", None, None),
        (r#"["a"]"#, None, None),
    ] {
        let body = fields(&format!(r#"{{"a":{value}}}"#));
        assert_eq!(
            (body.verbatim("a").as_deref(), body.text("a").as_deref()),
            (verbatim, text),
            "{value}"
        );
    }
}

#[test]
fn object_is_empty_for_other_types() {
    let body = fields(
        r#"{"a":{"b":{"c":"x"}},"list":[{"c":"x"}],"text":"{\"c\":\"x\"}","null":null,"one":1}"#,
    );
    assert_eq!(body.object("a").object("b").text("c").as_deref(), Some("x"));
    for name in ["a", "list", "text", "null", "one", "absent"] {
        assert_eq!(body.object(name).text("c"), None, "{name}");
    }
}

#[test]
fn members_reads_lists_and_numbered_objects() {
    for (value, expected) in [
        (r#"[{"n":1},{"n":2}]"#, Some("12")),
        (r#"{"0":{"n":1},"10":{"n":3},"2":{"n":2}}"#, Some("123")),
        (r#"{"0":{"n":1},"count":2}"#, Some("1")),
        (r#"[{"n":1},"x",null,[],{"\ud800":1},{"n":2}]"#, Some("1????2")),
        (r#"{"0":null,"1":{"n":2}}"#, Some("?2")),
        ("[]", Some("")),
        ("{}", Some("")),
        (r#"{"n":1}"#, None),
        (r#"{"":{"n":1},"-1":{"n":1}}"#, None),
        ("null", None),
        ("0", None),
        (r#""[]""#, None),
    ] {
        let members = fields(&format!(r#"{{"a":{value}}}"#)).members("a");
        let number = |member: &Option<Fields>| {
            member.as_ref().map_or(Some("?".to_owned()), |member| member.text("n"))
        };
        let numbers = members.map(|members| members.iter().filter_map(number).collect::<String>());
        assert_eq!(numbers.as_deref(), expected, "{value}");
    }
    assert!(fields("{}").members("a").is_none());
}

#[test]
fn normalises_labels() {
    for label in ["IN TRANSIT", "in transit", " In_Transit", "in--transit\n", "In \t Transit "] {
        assert_eq!(normalise(label), "IN TRANSIT", "{label:?}");
    }
    assert_eq!(normalise(" _-"), "");
}

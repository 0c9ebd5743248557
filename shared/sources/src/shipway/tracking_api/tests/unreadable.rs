//! Unreadable responses.

use super::*;

#[test]
fn rejects_responses_that_are_not_lists() {
    use UnreadableAnswer::{Nameless, NotAList, NotJson, NotUtf8, TooDeep};
    let good = answer().to_string();
    let deep = format!(r#"[{{"awb":"x","a":{}{}}}]"#, "[".repeat(31), "]".repeat(31));
    let deeper = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let latin = [b"[{\"awb\":\"1\",\"a\":\"", &b"caf\xe9"[..], b"\"}]"].concat();
    let cases: [(&[u8], UnreadableAnswer); 24] = [
        (b"", NotAList),
        (b"  \n", NotAList),
        (b"<html><body>canary</body></html>", NotAList),
        (b"\xef\xbb\xbf<!DOCTYPE html>", NotAList),
        (br#"{"success":false,"message":"canary"}"#, NotAList),
        (br#"{"success":1,"error":"","message":[{"awb":"canary"}]}"#, NotAList),
        (br#"{"22600000000001":{"tracking_details":{"shipment_status":"DEL"}}}"#, NotAList),
        (b"null", NotAList),
        (b"\"canary\"", NotAList),
        (b"7", NotAList),
        (good.as_bytes().split_at(good.len() - 1).0, NotJson),
        (good.as_bytes().split_at(200).0, NotJson),
        (b"[", NotJson),
        (b"[]x", NotJson),
        (b"[] []", NotJson),
        (br#"[{"awb":"1"},]"#, NotJson),
        (br#"[{"awb":NaN}]"#, NotJson),
        (br#"[{"awb":"1","weight":Infinity}]"#, NotJson),
        (&latin, NotUtf8),
        (b"\x1f\x8b\x08\x00\x00\x00\x00\x00", NotUtf8),
        (b"\xff\xfe[\x00]\x00", NotUtf8),
        (deep.as_bytes(), TooDeep),
        (deeper.as_bytes(), TooDeep),
        (
            br#"[{"awb_number":"22600000000001","tracking_details":{"shipment_status":"DEL"}}]"#,
            Nameless,
        ),
    ];
    for (body, expected) in cases {
        let error = read_bytes(&[ORDER], body).unwrap_err();
        assert_eq!(error, expected, "{:?}", String::from_utf8_lossy(&body[..body.len().min(80)]));
        assert!(!error.to_string().contains("canary"));
    }
    for nameless in
        [json!([{}]), json!([null, 1, "x", []]), json!([{"awb": null}, {"awb": " "}, {"awb": {}}])]
    {
        assert_eq!(
            read_bytes(&[ORDER], nameless.to_string().as_bytes()),
            Err(Nameless),
            "{nameless}"
        );
    }
}

#[test]
fn accepts_white_space_and_byte_order_mark() {
    let good = answer().to_string();
    let expected = read(&[ORDER], &answer());
    for body in [format!("\u{feff}{good}"), format!(" \r\n\t{good}\n"), format!("\u{feff} {good}")]
    {
        assert_eq!(read_bytes(&[ORDER], body.as_bytes()).unwrap(), expected);
    }
    let deep =
        good.replacen("\"Test Person\"", &format!("{}1{}", "[".repeat(27), "]".repeat(27)), 1);
    assert_eq!(read_bytes(&[ORDER], deep.as_bytes()).unwrap(), expected);
    assert_eq!(read(&[ORDER], &json!([])), [ParcelAnswer::Unknown]);
}

#[test]
fn rejects_responses_over_the_size_limit() {
    let mut body = answer().to_string().into_bytes();
    body.resize(MAX_ANSWER, b' ');
    assert_eq!(read_bytes(&[ORDER], &body).unwrap(), read(&[ORDER], &answer()));
    body.push(b' ');
    assert_eq!(read_bytes(&[ORDER], &body), Err(UnreadableAnswer::TooLong));
}

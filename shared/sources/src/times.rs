//! Time formats of Indian carriers.

use domain::core::timestamp::Timestamp;
use time::format_description::BorrowedFormatItem;
use time::macros::{format_description, offset};
use time::{PrimitiveDateTime, UtcOffset};

/// For times without an offset. Carriers do not document it, but null dates in live responses are
/// 05:30 on 1 Jan 1970.
const INDIA: UtcOffset = offset!(+5:30);

/// Prefixes of null dates: MySQL's zero date, PHP's version of it, and the epoch in India.
const NULL_DATES: [&str; 3] = ["0000-", "-0001-", "1970-01-01"];

/// `23 05 2023 11:43:52` in Shiprocket's webhook, also without seconds, and `31 Jul 2019, 03:03 PM`
/// in its orders API.
const FORMATS: [&[BorrowedFormatItem<'static>]; 3] = [
    format_description!("[day] [month] [year] [hour]:[minute]:[second]"),
    format_description!("[day] [month] [year] [hour]:[minute]"),
    format_description!(
        "[day padding:none] [month repr:short case_sensitive:false] [year], \
         [hour repr:12 padding:none]:[minute] [period case_sensitive:false]"
    ),
];

/// False for a null date, and for a text of zeros or without digits.
pub(crate) fn is_date(text: &str) -> bool {
    let has_digits = text.bytes().any(|byte| matches!(byte, b'1'..=b'9'));
    has_digits && !NULL_DATES.iter().any(|start| text.starts_with(start))
}

/// Parses RFC 3339 with or without `T`, seconds and offset, and [`FORMATS`].
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let iso = with_seconds(text.replacen(' ', "T", 1));
    let mut candidates =
        [iso.clone(), format!("{iso}+05:30")].into_iter().map(|text| Timestamp::parse(&text));
    if let Some(Ok(time)) = candidates.find(Result::is_ok) {
        return Some(time);
    }
    let date = FORMATS.iter().find_map(|format| PrimitiveDateTime::parse(text, format).ok())?;
    Timestamp::from_date(date.assume_offset(INDIA)).ok()
}

/// Parses a time, or a date, which means the end of that day.
pub(crate) fn parse_day(text: &str) -> Option<Timestamp> {
    let end_of_day = || parse(&format!("{} 23:59:59", text.trim())).filter(|_| is_date(text));
    parse(text).or_else(end_of_day)
}

/// `2026-07-06T14:00` and what may follow, such as an offset.
fn with_seconds(mut iso: String) -> String {
    const MINUTES_END: usize = "2026-07-06T14:00".len();
    let (colon, next) = (iso.as_bytes().get(MINUTES_END - 3), iso.as_bytes().get(MINUTES_END));
    if iso.is_ascii() && iso.len() >= MINUTES_END && colon == Some(&b':') && next != Some(&b':') {
        iso.insert_str(MINUTES_END, ":00");
    }
    iso
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_formats_of_carriers() {
        for (text, expected) in [
            ("23 05 2023 11:43:52", "2023-05-23T06:13:52.000Z"),
            ("01 09 2026 00:00:00", "2026-08-31T18:30:00.000Z"),
            ("03 04 2026 10:00:00", "2026-04-03T04:30:00.000Z"),
            ("2021-07-02 16:41:59", "2021-07-02T11:11:59.000Z"),
            ("2021-07-02T16:41:59", "2021-07-02T11:11:59.000Z"),
            ("2026-01-20T10:15:30.000+05:30", "2026-01-20T04:45:30.000Z"),
            ("2026-01-20T10:15:30Z", "2026-01-20T10:15:30.000Z"),
            ("2026-01-20 10:15:30+00:00", "2026-01-20T10:15:30.000Z"),
            ("31 Jul 2019, 03:03 PM", "2019-07-31T09:33:00.000Z"),
            ("1 AUG 2019, 12:05 am", "2019-07-31T18:35:00.000Z"),
            (" 2021-07-02 16:41:59 ", "2021-07-02T11:11:59.000Z"),
            ("2026-07-06 14:00", "2026-07-06T08:30:00.000Z"),
            ("2026-07-06T14:00", "2026-07-06T08:30:00.000Z"),
            ("2026-07-06 14:00+05:30", "2026-07-06T08:30:00.000Z"),
            ("2026-07-06T14:00Z", "2026-07-06T14:00:00.000Z"),
            ("06 07 2026 14:00", "2026-07-06T08:30:00.000Z"),
            ("9999-12-31 23:59:59", "9999-12-31T18:29:59.000Z"),
            ("1970-01-01 05:30:00", "1970-01-01T00:00:00.000Z"),
        ] {
            assert_eq!(
                parse(text).map(|time| time.to_string()).as_deref(),
                Some(expected),
                "{text}"
            );
        }
    }

    #[test]
    fn rejects_texts_without_a_valid_time() {
        for text in [
            "",
            " ",
            "0000-00-00 00:00:00",
            "00 00 0000 00:00:00",
            "Invalid Date",
            "1700000000",
            "1700000000000",
            "-1",
            "23 13 2023 11:43:52",
            "31 02 2023 11:43:52",
            "23/05/2023 11:43:52",
            "2023-05-23",
            "2023-05-23 24:61:00",
            "2023-05-23 24:61",
            "2023-05-23 11:4",
            "2023-05-23 11:434",
            "0000-00-00 00:00",
            "००२३-०५-२३ ११:४३",
            "1969-12-31 00:00:00",
            "10000-01-01 00:00:00",
            "23 05 2023 11:43:52 IST",
            "२३ ०५ २०२३ ११:४३:५२",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_date_means_the_end_of_its_day() {
        for (text, expected) in [
            ("2026-07-06", Some("2026-07-06T18:29:59.000Z")),
            (" 2026-07-06 ", Some("2026-07-06T18:29:59.000Z")),
            ("06 07 2026", Some("2026-07-06T18:29:59.000Z")),
            ("2026-07-06 14:00", Some("2026-07-06T08:30:00.000Z")),
            ("2026-07-06 14:00:05", Some("2026-07-06T08:30:05.000Z")),
            ("2026-13-06", None),
            ("0000-00-00", None),
            ("1970-01-01", None),
            ("6", None),
            ("", None),
        ] {
            let time = parse_day(text).map(|time| time.to_string());
            assert_eq!(time.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn null_dates_are_no_dates() {
        for text in ["", "0000-00-00 00:00:00", "1970-01-01 05:30:00", "Invalid Date", "0"] {
            assert!(!is_date(text), "{text}");
        }
        assert!(is_date("2026-07-06 14:00") && is_date("06 07 2026 14:00:05"));
    }
}

#![expect(clippy::unwrap_used)]

use std::time::Duration;

use proptest::prelude::*;

use super::*;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn time(text: &str) -> Time {
    QuietHours::parse_time(text).unwrap()
}

#[test]
fn times_are_hours_and_minutes() {
    for text in ["00:00", "08:05", "23:59"] {
        assert!(QuietHours::parse_time(text).is_some(), "{text}");
    }
    for text in
        ["", "8:00", "08:0", "24:00", "08:60", "08:00:00", " 08:00", "+8:00", "08-00", "٠٨:٠٠"]
    {
        assert_eq!(QuietHours::parse_time(text), None, "{text}");
    }
}

#[test]
fn leaves_at_least_three_hours() {
    for (from, to, is_valid) in [
        ("21:00", "08:00", true),
        ("08:00", "08:00", true),
        ("03:00", "00:00", true),
        ("02:59", "00:00", false),
        ("00:00", "21:00", true),
        ("00:00", "21:01", false),
        ("08:01", "08:00", false),
        ("08:00", "08:01", true),
    ] {
        assert_eq!(QuietHours::new(time(from), time(to)).is_some(), is_valid, "{from} {to}");
    }
}

#[test]
fn a_message_waits_until_the_quiet_hours_end() {
    for (zone, from, to, now, expected) in [
        // Over midnight.
        ("Asia/Kolkata", "21:00", "08:00", "2026-11-27T15:29:59.999Z", None),
        ("Asia/Kolkata", "21:00", "08:00", "2026-11-27T15:30:00Z", Some("2026-11-28T02:30:00Z")),
        ("Asia/Kolkata", "21:00", "08:00", "2026-11-27T18:29:59Z", Some("2026-11-28T02:30:00Z")),
        ("Asia/Kolkata", "21:00", "08:00", "2026-11-27T18:30:00Z", Some("2026-11-28T02:30:00Z")),
        (
            "Asia/Kolkata",
            "21:00",
            "08:00",
            "2026-11-28T02:29:59.999Z",
            Some("2026-11-28T02:30:00Z"),
        ),
        ("Asia/Kolkata", "21:00", "08:00", "2026-11-28T02:30:00Z", None),
        ("Asia/Kolkata", "21:00", "08:00", "2026-12-31T16:00:00Z", Some("2027-01-01T02:30:00Z")),
        ("UTC", "21:00", "00:00", "2026-11-27T21:00:00Z", Some("2026-11-28T00:00:00Z")),
        ("UTC", "21:00", "00:00", "2026-11-28T00:00:00Z", None),
        // Within a day.
        ("UTC", "13:00", "15:30", "2026-11-27T12:59:00Z", None),
        ("UTC", "13:00", "15:30", "2026-11-27T13:00:00Z", Some("2026-11-27T15:30:00Z")),
        ("UTC", "13:00", "15:30", "2026-11-27T15:30:00Z", None),
        ("UTC", "00:00", "08:00", "2026-11-27T00:00:00Z", Some("2026-11-27T08:00:00Z")),
        // None.
        ("UTC", "13:00", "13:00", "2026-11-27T13:00:00Z", None),
        // The night in which summer time begins has one hour less, the other one more.
        ("Europe/Berlin", "22:00", "08:00", "2026-03-28T22:00:00Z", Some("2026-03-29T06:00:00Z")),
        ("Europe/Berlin", "22:00", "08:00", "2026-10-24T21:00:00Z", Some("2026-10-25T07:00:00Z")),
        ("Europe/Berlin", "22:00", "08:00", "2026-03-29T20:00:00Z", Some("2026-03-30T06:00:00Z")),
        // 02:30 is skipped.
        ("Europe/Berlin", "22:00", "02:30", "2026-03-29T00:30:00Z", Some("2026-03-29T01:30:00Z")),
        ("Europe/Berlin", "22:00", "02:30", "2026-03-29T01:00:00Z", None),
        // 02:30 comes twice.
        ("Europe/Berlin", "22:00", "02:30", "2026-10-25T00:10:00Z", Some("2026-10-25T00:30:00Z")),
        ("Europe/Berlin", "22:00", "02:30", "2026-10-25T00:45:00Z", None),
        ("Europe/Berlin", "22:00", "02:30", "2026-10-25T01:10:00Z", Some("2026-10-25T01:30:00Z")),
        ("Europe/Berlin", "02:30", "08:00", "2026-10-25T00:40:00Z", Some("2026-10-25T07:00:00Z")),
        // Half an hour, and two.
        (
            "Australia/Lord_Howe",
            "20:00",
            "02:15",
            "2026-10-03T15:00:00Z",
            Some("2026-10-03T15:45:00Z"),
        ),
        (
            "Antarctica/Troll",
            "20:00",
            "02:30",
            "2026-03-29T00:30:00Z",
            Some("2026-03-29T02:30:00Z"),
        ),
        // The last hours that Waypost knows.
        ("UTC", "00:00", "08:00", "9999-12-31T03:00:00Z", None),
        ("UTC", "18:00", "08:00", "9999-12-31T23:59:59.999Z", None),
    ] {
        let zone = Zone::parse(zone).unwrap();
        let quiet_hours = QuietHours::new(time(from), time(to)).unwrap();
        let got = quiet_hours.not_before(at(now), &zone);
        assert_eq!(got, at(expected.unwrap_or(now)), "{zone:?} {from} {to} {now}");
    }
}

const ZONES: [&str; 14] = [
    "Asia/Kolkata",
    "UTC",
    "Europe/Berlin",
    "Europe/Dublin",
    "America/New_York",
    "America/St_Johns",
    "America/Santiago",
    "Africa/Casablanca",
    "Africa/Cairo",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Antarctica/Troll",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
];

const CHANGES: [&str; 6] =
    ["2026-03-28", "2026-10-24", "2026-04-04", "2026-10-03", "2026-02-14", "2026-03-21"];

/// Hours in which clocks are changed somewhere come as often as all others together.
fn times() -> impl Strategy<Value = Timestamp> {
    let day = 24 * 60 * 60 * 1000_i64;
    let (first, last) = (at("2026-01-01T00:00:00Z").millis(), at("2060-01-01T00:00:00Z").millis());
    let change = prop::sample::select(&CHANGES[..]);
    let near_change = (change, 0..2 * day)
        .prop_map(|(date, millis)| at(&format!("{date}T00:00:00Z")).millis() + millis);
    prop_oneof![first..last, near_change].prop_map(|millis| Timestamp::from_millis(millis).unwrap())
}

fn minutes(count: u16) -> Time {
    let [hour, minute] = [count / 60, count % 60].map(|it| i8::try_from(it).unwrap());
    Time::new(hour, minute, 0, 0).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_message_goes_in_quiet_hours(
        zone in prop::sample::select(&ZONES[..]),
        from in 0..1440_u16,
        quiet in 0..=1260_u16,
        now in times(),
    ) {
        let zone = Zone::parse(zone).unwrap();
        let to = (from + quiet) % 1440;
        let quiet_hours = QuietHours::new(minutes(from), minutes(to)).unwrap();
        let not_before = quiet_hours.not_before(now, &zone);
        prop_assert!(not_before >= now);
        prop_assert!(not_before.since(now) < Duration::from_secs(25 * 60 * 60));
        prop_assert!(!quiet_hours.include(zone.local(not_before).time()));
        prop_assert_eq!(quiet_hours.not_before(not_before, &zone), not_before);
        let was_quiet = quiet_hours.include(zone.local(now).time());
        prop_assert_eq!(not_before > now, was_quiet);
    }
}

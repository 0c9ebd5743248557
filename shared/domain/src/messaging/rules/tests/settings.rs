use super::*;

fn parse(text: &str) -> Result<MessageRules, MessageSettingError> {
    MessageRules::parse(text)
}

/// Settings with the number and these further fields.
fn with(fields: &str) -> Result<MessageRules, MessageSettingError> {
    parse(&format!(r#"{{"phone_number_id":"1065",{fields}}}"#))
}

#[test]
fn a_number_is_enough() {
    let rules = parse(r#"{"phone_number_id":"1065"}"#).unwrap();
    assert_eq!((rules.phone_number_id.as_str(), rules.rules.len()), ("1065", 0));
    assert_eq!((rules.daily_cap, rules.dry_run, rules.quiet_hours), (None, false, None));
    assert_eq!((rules.words, rules.zone), (OptOutWords::default(), Zone::india()));
}

#[test]
fn reads_every_setting() {
    let rules = with(
        r#""rules":[{"on":"out_for_delivery","template":"a_1","language":"pt_BR"},
            {"on":"delivered","template":"b","language":"en","components":[{"type":"body"}],
             "max_age_minutes":10080}],
           "quiet_hours":{"from":"22:00","to":"07:30","zone":"Europe/Berlin"},"daily_cap":2,
           "stop_words":["halt"],"start_words":["los"],"country_code":"49","dry_run":true"#,
    )
    .unwrap();
    let shown: Vec<_> = rules
        .rules
        .iter()
        .map(|it| (it.on, it.template.as_str(), it.language.as_str(), it.max_age.as_secs() / 60))
        .collect();
    let expected =
        [(Status::OutForDelivery, "a_1", "pt_BR", 1440), (Status::Delivered, "b", "en", 10_080)];
    assert_eq!(shown, expected);
    assert!(rules.rules[0].components.is_none() && rules.rules[1].components.is_some());
    assert_eq!((rules.daily_cap, rules.dry_run), (Some(2), true));
    assert_eq!(rules.zone, Zone::parse("Europe/Berlin").unwrap());
    assert!(rules.words.is_stop("Halt!") && rules.words.is_start("LOS"));
    let order = crate::testing::order("A", r#"{"orderId":"1","customer":{"phone":"0151 23456"}}"#);
    let recipient = rules.recipient(&order);
    assert_eq!(recipient, Some(Recipient::Phone("4915123456".to_owned())));
    let night = rules.slot(Timestamp::parse("2026-11-27T22:30:00Z").unwrap());
    assert_eq!(night.not_before.to_string(), "2026-11-28T06:30:00.000Z");
    assert_eq!(night.day.as_str(), "2026-11-28");
}

#[test]
fn a_rule_is_known_by_status_template_and_language() {
    let rules = with(r#""rules":[{"on":"lost","template":"a","language":"en"}]"#).unwrap();
    for (on, template, language, expected) in [
        (Status::Lost, "a", "en", true),
        (Status::Delivered, "a", "en", false),
        (Status::Lost, "b", "en", false),
        (Status::Lost, "a", "hi", false),
    ] {
        let template = TemplateName::try_from(template.to_owned()).unwrap();
        let language = LanguageCode::parse(language).unwrap();
        assert_eq!(rules.has_rule(on, &template, &language), expected, "{on:?}");
    }
}

#[test]
fn ignores_absent_values() {
    let rules = with(
        r#""rules":[{"on":"lost","template":"a","language":"en","components":null}],
           "quiet_hours":null,"daily_cap":null,"stop_words":null,"country_code":null"#,
    );
    assert!(rules.unwrap().rules[0].components.is_none());
}

/// The operators' tools have the same rules.
const CASES: &str = include_str!("cases.txt");

/// The message names the field and quotes no value.
#[test]
fn rejects_invalid_settings() {
    let mut counts = [0, 0];
    for case in CASES.lines().filter(|line| !line.starts_with('#')) {
        let (field, text) = case.split_once('\t').unwrap();
        let error = parse(text).err();
        let shown = error.as_ref().map(ToString::to_string).unwrap_or_default();
        assert_eq!(error.map_or("ok".to_owned(), |error| error.field), field, "{text}: {shown}");
        assert!(!shown.to_lowercase().contains("canary"), "{shown}");
        counts[usize::from(field == "ok")] += 1;
    }
    assert!(counts[0] > 40 && counts[1] > 3, "{counts:?}");
}

#[test]
fn sizes_are_bounded() {
    let long = format!(r#""later":"{}""#, "x".repeat(8192));
    let deep = format!(r#""later":{}{}"#, "[".repeat(100_000), "]".repeat(100_000));
    for fields in [long, deep, format!(r#""later":{}{}"#, "[".repeat(32), "]".repeat(32))] {
        assert_eq!(with(&fields).unwrap_err().field, ".");
    }
}

#[test]
fn zones_are_those_of_the_iana_database() {
    for name in ["Asia/Kolkata", "Asia/Calcutta", "UTC", "America/Argentina/Buenos_Aires"] {
        assert!(Zone::parse(name).is_some(), "{name}");
    }
    for name in
        ["", " ", "IST ", "+05:30", "India", "Etc/Unknown", "../etc/passwd", "Asia/Kolkata\0"]
    {
        assert_eq!(Zone::parse(name), None, "{name}");
    }
}

#[test]
fn days_and_dates_are_those_of_the_zone() {
    let at = |text: &str| Timestamp::parse(text).unwrap();
    for (zone, time, day, date) in [
        ("Asia/Kolkata", "2026-11-26T18:29:59Z", "2026-11-26", "26 Nov 2026"),
        ("Asia/Kolkata", "2026-11-26T18:30:00Z", "2026-11-27", "27 Nov 2026"),
        ("America/New_York", "2026-03-01T04:59:59Z", "2026-02-28", "28 Feb 2026"),
        ("Pacific/Kiritimati", "2026-12-31T10:00:00Z", "2027-01-01", "1 Jan 2027"),
        ("UTC", "1970-01-01T00:00:00Z", "1970-01-01", "1 Jan 1970"),
        ("UTC", "9999-12-31T23:59:59.999Z", "9999-12-30", "30 Dec 9999"),
    ] {
        let zone = Zone::parse(zone).unwrap();
        let got = (zone.day(at(time)).to_string(), zone.date_text(at(time)));
        assert_eq!(got, (day.to_owned(), date.to_owned()), "{time}");
    }
}

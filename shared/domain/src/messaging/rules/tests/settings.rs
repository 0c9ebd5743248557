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

/// The message names the field and quotes no value.
#[test]
fn rejects_invalid_settings() {
    for (text, field) in [
        ("", "."),
        ("null", "."),
        ("[]", "."),
        ("canary", "."),
        (r#"{"phone_number_id":"1"} canary"#, "."),
        ("{}", "phone_number_id"),
        (r#"{"phone_number_id":1065}"#, "phone_number_id"),
        (r#"{"phone_number_id":""}"#, "phone_number_id"),
        (r#"{"phone_number_id":"canary"}"#, "phone_number_id"),
        (r#"{"phone_number_id":"+1065"}"#, "phone_number_id"),
    ] {
        let error = parse(text).unwrap_err();
        assert_eq!(error.field, field, "{text}: {error}");
        assert!(!error.to_string().contains("canary"), "{error}");
    }
    for (fields, field) in [
        (r#""rules":{}"#, "rules"),
        (r#""rules":null"#, "rules"),
        (r#""dryRun":true"#, "dryRun"),
        (r#""rules":[{"on":"lost","template":"a","language":"en","later":1}]"#, "rules[0].later"),
        (r#""rules":["canary"]"#, "rules[0]"),
        (r#""rules":[["delivered","a","en"]]"#, "rules[0]"),
        (r#""rules":[{"template":"a","language":"en"}]"#, "rules[0].on"),
        (r#""rules":[{"on":"canary","template":"a","language":"en"}]"#, "rules[0].on"),
        (r#""rules":[{"on":"unknown","template":"a","language":"en"}]"#, "rules[0].on"),
        (r#""rules":[{"on":"lost","language":"en"}]"#, "rules[0].template"),
        (r#""rules":[{"on":"lost","template":"","language":"en"}]"#, "rules[0].template"),
        (r#""rules":[{"on":"lost","template":"Canary","language":"en"}]"#, "rules[0].template"),
        (r#""rules":[{"on":"lost","template":"a","language":"canary 1"}]"#, "rules[0].language"),
        (
            r#""rules":[{"on":"lost","template":"a","language":"en","components":"canary"}]"#,
            "rules[0].components",
        ),
        (
            r#""rules":[{"on":"lost","template":"a","language":"en",
                         "components":[{"a":"canary {x}"}]}]"#,
            "rules[0].components",
        ),
        (
            r#""rules":[{"on":"lost","template":"a","language":"en","max_age_minutes":0}]"#,
            "rules[0].max_age_minutes",
        ),
        (
            r#""rules":[{"on":"lost","template":"a","language":"en","max_age_minutes":10081}]"#,
            "rules[0].max_age_minutes",
        ),
        (
            r#""rules":[{"on":"lost","template":"a","language":"en"},
                        {"on":"delivered","template":"a","language":"en"},
                        {"on":"lost","template":"b","language":"en"}]"#,
            "rules[2].on",
        ),
        (r#""quiet_hours":"canary""#, "quiet_hours"),
        (r#""quiet_hours":{"to":"08:00","zone":"UTC"}"#, "quiet_hours.from"),
        (r#""quiet_hours":{"from":"21:00","zone":"UTC"}"#, "quiet_hours.to"),
        (r#""quiet_hours":{"from":"21:00","to":"08:00"}"#, "quiet_hours.zone"),
        (r#""quiet_hours":{"from":"canary","to":"08:00","zone":"UTC"}"#, "quiet_hours.from"),
        (r#""quiet_hours":{"from":"21:00","to":"8:00","zone":"UTC"}"#, "quiet_hours.to"),
        (r#""quiet_hours":{"from":"21:00","to":"08:00","zone":"canary"}"#, "quiet_hours.zone"),
        (r#""quiet_hours":{"from":"08:01","to":"08:00","zone":"UTC"}"#, "quiet_hours"),
        (r#""daily_cap":0"#, "daily_cap"),
        (r#""daily_cap":1001"#, "daily_cap"),
        (r#""daily_cap":-1"#, "daily_cap"),
        (r#""daily_cap":"canary""#, "daily_cap"),
        (r#""stop_words":[]"#, "stop_words"),
        (r#""stop_words":"canary""#, "stop_words"),
        (r#""stop_words":["canary",1]"#, "stop_words[1]"),
        (r#""start_words":["stop"]"#, "start_words"),
        (r#""country_code":"+91""#, "country_code"),
        (r#""country_code":91"#, "country_code"),
        (r#""dry_run":"canary""#, "dry_run"),
        (r#""dry_run":null"#, "dry_run"),
        (r#""dry_run":true,"dry_run":false"#, "dry_run"),
    ] {
        let error = with(fields).unwrap_err();
        assert_eq!(error.field, field, "{fields}: {error}");
        assert!(!error.to_string().to_lowercase().contains("canary"), "{error}");
    }
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

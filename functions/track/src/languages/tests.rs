#![expect(clippy::unwrap_used)]

use domain::page::Day;

use super::*;

/// All texts of a language, in one order.
fn texts(language: &Language) -> Vec<&'static str> {
    let Texts {
        today,
        yesterday,
        tomorrow,
        expected,
        expected_by,
        overdue,
        ended,
        seen_in,
        nothing_yet,
        payment_due,
        pickup_failed,
        delayed,
        problem,
        attempt_failed,
        next_attempt,
        last_attempt,
        another_attempt,
        lost,
        cancelled,
        going_back,
        returned,
        courier_says,
        progress,
        parcel_of,
        return_parcel,
        tracking_number,
        at_courier,
        history,
        earlier,
        messages,
        message,
        order,
        items,
        times,
        live,
        reconnecting,
        offline,
        language: own_name,
        not_found,
        expired,
        unavailable,
    } = language.texts;
    let mut texts = vec![
        today,
        yesterday,
        tomorrow,
        expected,
        expected_by,
        overdue,
        ended,
        seen_in,
        nothing_yet,
        payment_due,
        pickup_failed,
        delayed,
        problem,
        attempt_failed,
        next_attempt,
        last_attempt,
        lost,
        cancelled,
        going_back,
        returned,
        courier_says,
        progress,
        parcel_of,
        return_parcel,
        tracking_number,
        at_courier,
        history,
        messages,
        message,
        order,
        times,
        live,
        reconnecting,
        offline,
        own_name,
    ];
    texts.extend([another_attempt, earlier, items, not_found, expired, unavailable].concat());
    texts.extend(Headline::ALL.map(|headline| language.headline(headline)));
    texts.extend(Tick::ALL.map(|tick| language.tick(tick)));
    texts.extend([Way::Outbound, Way::Back].iter().flat_map(|way| language.stages(*way)));
    texts.extend(language.months);
    texts
}

/// `{…}` of a text, sorted.
fn placeholders(text: &str) -> Vec<&str> {
    let mut found: Vec<&str> =
        text.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect();
    found.sort_unstable();
    found
}

#[test]
fn every_text_exists_in_every_language() {
    let english = texts(&en::ENGLISH);
    for language in &LANGUAGES[1..] {
        let own = texts(language);
        assert_eq!(own.len(), english.len(), "{}", language.code);
        for (text, original) in own.iter().zip(&english) {
            assert_eq!(placeholders(text), placeholders(original), "{}: {text}", language.code);
            assert!(!text.trim().is_empty(), "{}: {original}", language.code);
            let has_words = original.replace("{date}", "").replace("{time}", "");
            let is_translated = text != original || !has_words.contains(char::is_alphabetic);
            assert!(is_translated, "{}: {original}", language.code);
        }
    }
}

#[test]
fn texts_are_in_the_script_of_the_language() {
    for (code, first, last) in [
        ("hi", 0x0900, 0x097f),
        ("bn", 0x0980, 0x09ff),
        ("mr", 0x0900, 0x097f),
        ("te", 0x0c00, 0x0c7f),
        ("ta", 0x0b80, 0x0bff),
        ("gu", 0x0a80, 0x0aff),
        ("kn", 0x0c80, 0x0cff),
        ("ml", 0x0d00, 0x0d7f),
    ] {
        let language = LANGUAGES.into_iter().find(|it| it.code == code).unwrap();
        for text in texts(language) {
            let own = text.chars().filter(|c| c.is_alphabetic() && !c.is_ascii());
            // The danda of Devanagari ends sentences in other scripts, too.
            let foreign: Vec<char> =
                own.filter(|c| !(first..=last).contains(&u32::from(*c))).collect();
            assert!(foreign.is_empty(), "{code}: {text}: {foreign:?}");
        }
    }
}

#[test]
fn languages_have_one_list() {
    let codes: Vec<&str> = LANGUAGES.iter().map(|language| language.code).collect();
    assert_eq!(codes, CODES);
    for language in LANGUAGES {
        let months: std::collections::BTreeSet<_> = language.months.into();
        assert_eq!(months.len(), 12, "{}", language.code);
    }
}

#[test]
fn chooses_what_the_reader_asks_for() {
    let of_shop = ["hi".to_owned(), "ta".to_owned()];
    for (asked, accepted, of_shop, expected) in [
        (None, None, &[][..], "en"),
        (Some("ta"), Some("hi"), &[], "ta"),
        (Some("xx"), Some("hi"), &[], "hi"),
        (Some("<script>"), None, &[], "en"),
        (None, Some("fr-FR, ml-IN;q=0.8, en;q=0.9"), &[], "en"),
        (None, Some("te-IN,te;q=0.9,en;q=0.5"), &[], "te"),
        (None, Some("GU"), &[], "gu"),
        (None, Some("kn;q=0, mr;q=0.1"), &[], "mr"),
        (None, Some(";;q=,x-y;q=9"), &[], "en"),
        (Some("en"), Some("en"), &of_shop, "hi"),
        (None, Some("en, ta;q=0.1"), &of_shop, "ta"),
    ] {
        let language = Language::choose(asked, accepted, of_shop);
        assert_eq!(language.code, expected, "{asked:?} {accepted:?}");
    }
}

/// CLDR: in some languages `one` includes 0.
#[test]
fn plurals_and_digits_are_those_of_the_language() {
    let text = |code: &str, number| {
        let language = Language::choose(Some(code), None, &[]);
        language.plural(language.texts.items, number)
    };
    for (code, number, expected) in [
        ("en", 0, "0 items"),
        ("en", 1, "1 item"),
        ("en", 12, "12 items"),
        ("gu", 0, "0 વસ્તુ"),
        ("gu", 2, "2 વસ્તુઓ"),
        ("te", 0, "0 వస్తువులు"),
        ("te", 1, "1 వస్తువు"),
        ("bn", 21, "২১টি পণ্য"),
        ("mr", 40, "४० वस्तू"),
    ] {
        assert_eq!(text(code, number), expected, "{code}");
    }
}

#[test]
fn writes_dates() {
    let day = |year, month, day| Day { year, month, day };
    let today = day(2026, 3, 1);
    let language = |code: &str| Language::choose(Some(code), None, &[]);
    for (code, when, expected) in [
        ("en", today, "today"),
        ("en", day(2026, 2, 28), "yesterday"),
        ("en", day(2026, 3, 2), "tomorrow"),
        ("en", day(2026, 3, 3), "3 March"),
        ("en", day(2025, 12, 31), "31 December 2025"),
        ("ml", day(2026, 3, 3), "മാർച്ച് 3"),
        ("mr", day(2025, 3, 3), "३ मार्च २०२५"),
    ] {
        assert_eq!(language(code).day(when, today), expected, "{code}");
    }
}

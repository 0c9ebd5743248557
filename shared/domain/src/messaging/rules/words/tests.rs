#![expect(clippy::unwrap_used)]

use super::*;

fn list(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn a_whole_message_stops_and_starts() {
    let words = OptOutWords::default();
    for text in [
        "STOP",
        "stop",
        " Stop \n",
        "STOP.",
        "stop!!!",
        "Stop 🙏",
        "ｓｔｏｐ",
        "*STOP*",
        "_stop_",
        "\"Stop\"",
        "\u{200f}STOP",
        "STOP\u{200b}",
        "Unsubscribe",
        "cancel  messages",
        "Cancel\nMessages?",
    ] {
        assert!(words.is_stop(text) && !words.is_start(text), "{text:?}");
    }
    for text in ["START", " start.", "Resume!"] {
        assert!(words.is_start(text) && !words.is_stop(text), "{text:?}");
    }
    for text in [
        "",
        " ",
        "!",
        "do not stop",
        "stop it",
        "stopp",
        "s t o p",
        "STOP START",
        "bus stop",
        "cancel my order",
        "restart",
    ] {
        assert!(!words.is_stop(text) && !words.is_start(text), "{text:?}");
    }
}

#[test]
fn own_words_replace_the_default_ones() {
    let stop = list(&["बंद करो", "Straße", "ΣΤΟΠ", "é", "1"]);
    let words = OptOutWords::new(Some(&stop), None).unwrap();
    for text in ["बंद करो।", "STRASSE", "straße", "στοπ", "Στοπ", "E\u{301}", "é", "1."]
    {
        assert!(words.is_stop(text), "{text}");
    }
    assert!(!words.is_stop("STOP") && words.is_start("START"));
    let words = OptOutWords::new(None, Some(&list(&["Yes"]))).unwrap();
    assert!(words.is_stop("stop") && words.is_start("YES") && !words.is_start("start"));
}

#[test]
fn rejects_lists_that_stop_nothing_or_both() {
    let many: Vec<String> = (0..51).map(|n| n.to_string()).collect();
    let long = [&*"x".repeat(65)];
    let cases: [(&[&str], &[&str], &str); 6] = [
        (&[], &["go"], "stop_words"),
        (&["halt"], &[], "start_words"),
        (&["halt", " !"], &["go"], "stop_words"),
        (&long, &["go"], "stop_words"),
        (&["halt"], &["go", "Halt."], "start_words"),
        (&["start"], &["START"], "start_words"),
    ];
    for (stop, start, field) in cases {
        let invalid = OptOutWords::new(Some(&list(stop)), Some(&list(start))).unwrap_err();
        assert_eq!(invalid.0, field, "{stop:?} {start:?}");
    }
    assert_eq!(OptOutWords::new(Some(&many), None).unwrap_err().0, "stop_words");
    assert_eq!(OptOutWords::new(Some(&list(&["start"])), None).unwrap_err().0, "start_words");
    assert!(OptOutWords::new(Some(&many[..50]), None).is_ok());
}

//! Mapping of bodies.

use super::*;

#[test]
fn reads_statuses_without_the_recipient() {
    let (mut events, skipped) = events(&[value(json!({"statuses": [status()]}))]);
    let ChannelEvent::Status(status) = events.remove(0) else { unreachable!() };
    assert_eq!((status.message.as_str(), status.status.as_str(), skipped), (OURS, "delivered", 0));
    assert_eq!((status.at, &status.error), (time("2025-06-15T23:28:00Z"), &None));
    assert!(!serde_json::to_string(&status).unwrap().contains("16505551234"));
}

#[test]
fn only_statuses_of_a_whole_message_are_statuses() {
    let read = |more: RawJson| events(&[value(json!({"statuses": [with(status(), more)]}))]).0;
    let other = |other| vec![ChannelEvent::Other(other)];
    for status in ["captured", "pending", "failed"] {
        for more in [json!({"type": "payment"}), json!({"payment": {"reference_id": "x"}})] {
            let payment = with(more, json!({"status": status}));
            assert_eq!(read(payment.clone()), other(OtherUpdate::Payment), "{payment}");
        }
    }
    assert_eq!(read(json!({"type": "voucher", "status": "failed"})), other(OtherUpdate::Status));
    let group = json!({"recipient_type": "group", "recipient_participant_id": "1650"});
    let failed = with(group.clone(), json!({"status": "failed"}));
    assert_eq!(read(failed), other(OtherUpdate::GroupParticipant));
    for more in [
        json!({}),
        json!({"type": null}),
        json!({"type": "message"}),
        group,
        json!({"recipient_type": "group", "status": "failed"}),
        json!({"recipient_type": "individual", "status": "failed", "recipient_participant_id": "1"}),
    ] {
        assert!(matches!(read(more.clone())[..], [ChannelEvent::Status(_)]), "{more}");
    }
}

#[test]
fn reads_echoes_of_the_business() {
    let echo = json!({
        "from": "15550783881", "to": "16505551234", "id": "wamid.E", "timestamp": "1750030200",
        "type": "text", "text": {"body": "Shipped today"}, "context": {"id": OURS},
    });
    let read = |field: &str, value: RawJson| {
        let mut body = body(&[value]);
        body["entry"][0]["changes"][0]["field"] = json!(field);
        read(body.to_string().as_bytes()).unwrap()
    };
    for field in ["smb_message_echoes", "message_echoes"] {
        let echoes = json!({"message_echoes": [echo, {"id": "wamid.X"}], "contacts": [
            {"wa_id": "16505551234", "profile": {"name": "Asha"}}, {"wa_id": "1"},
        ]});
        let Reading::Updates(mut updates) = read(field, value(echoes)) else { unreachable!() };
        assert_eq!((updates.items.len(), updates.skipped), (1, 1));
        let ChannelEvent::Echo(echo) = updates.items.remove(0).event else { unreachable!() };
        assert_eq!((echo.from.as_deref(), echo.to.as_str()), (Some("15550783881"), "16505551234"));
        assert_eq!((echo.name.as_deref(), echo.at), (Some("Asha"), time("2025-06-15T23:30:00Z")));
        assert_eq!(echo.in_reply_to.map(String::from), text(OURS));
        assert!(matches!(&echo.content, Content::Text { text } if text == "Shipped today"));
        let others = value(json!({"messages": [message()], "statuses": [status()]}));
        assert_eq!(read(field, others), Reading::Ignored(IgnoreReason::NoUpdates));
    }
    let echo = |more: RawJson| {
        let echoes = json!({"message_echoes": [with(echo.clone(), more)]});
        match read("message_echoes", value(echoes)) {
            Reading::Updates(mut updates) => match updates.items.pop()?.event {
                ChannelEvent::Echo(echo) => Some(echo.to),
                other => unreachable!("{other:?}"),
            },
            other => unreachable!("{other:?}"),
        }
    };
    assert_eq!(echo(json!({"to": "IN.1349"})), text("IN.1349"));
    assert_eq!(echo(json!({"to": "", "to_user_id": "IN.1349"})), text("IN.1349"));
    assert_eq!(echo(json!({"to": null})), None);
    assert_eq!(
        read("messages", value(json!({"message_echoes": [1]}))),
        Reading::Ignored(IgnoreReason::NoUpdates)
    );
}

#[test]
fn a_message_in_a_group_names_it() {
    let group = |id: RawJson| message_with(json!({"group_id": id}), json!([])).unwrap().group;
    assert_eq!(group(json!("Y2FwaV9ncm91cDox")), text("Y2FwaV9ncm91cDox"));
    for none in [json!(null), json!(""), json!({})] {
        assert_eq!(group(none.clone()), None, "{none}");
    }
}

#[test]
fn reads_errors_of_failures() {
    let error =
        |errors: RawJson| status_with(json!({"status": "failed", "errors": errors})).unwrap().error;
    let details = json!({"details": "Not now."});
    let full = json!({"code": 131_049, "title": "Not\ndelivered", "message": "No", "error_data": details, "href": "x"});
    let expected = ChannelError {
        code: text("131049"),
        title: text("Not delivered"),
        details: text("Not now."),
    };
    assert_eq!(error(json!([full, {"code": 1}])), Some(expected));
    let code = |code: RawJson| error(json!([{"code": code}])).and_then(|error| error.code);
    assert_eq!(code(json!("131049")), text("131049"));
    for none in [
        json!(131_049.5),
        json!("canary"),
        json!(-1),
        json!(""),
        json!(null),
        json!("1".repeat(65)),
    ] {
        assert_eq!(code(none.clone()), None, "{none}");
    }
    let clipped = error(json!([{"title": "t".repeat(300), "message": "m".repeat(2000)}])).unwrap();
    assert_eq!((clipped.title.unwrap().len(), clipped.details.unwrap().len()), (256, 1024));
    for none in [
        json!(null),
        json!([]),
        json!([null]),
        json!({}),
        json!("x"),
        json!([{}]),
        json!([{"code": {}}]),
    ] {
        assert_eq!(error(none.clone()), None, "{none}");
    }
}

#[test]
fn parses_times_in_seconds() {
    for (timestamp, expected) in [
        (json!("1750030073"), time("2025-06-15T23:27:53Z")),
        (json!(1_750_030_073), time("2025-06-15T23:27:53Z")),
        (json!(" 1750030073 "), time("2025-06-15T23:27:53Z")),
        (json!("1"), time("1970-01-01T00:00:01Z")),
        (json!("253402300799"), time("9999-12-31T23:59:59Z")),
        (json!("253402300800"), None),
        (json!("1750030073000"), None),
        (json!(1_750_030_073_000_u64), None),
        (json!("9223372036854775807"), None),
        (json!("99999999999999999999999999"), None),
        (json!("0"), None),
        (json!(0), None),
        (json!("-1"), None),
        (json!("+1750030073"), None),
        (json!(1_750_030_073.5), None),
        (json!("1750030073.5"), None),
        (json!("१७५००३००७३"), None),
        (json!("abc"), None),
        (json!("2025-06-15T23:27:53Z"), None),
        (json!(""), None),
        (json!(null), None),
        (json!({}), None),
    ] {
        let status = status_with(json!({"timestamp": timestamp})).unwrap();
        assert_eq!(status.at, expected, "{timestamp}");
        let inbound = message_with(json!({"timestamp": timestamp}), json!(null)).unwrap();
        assert_eq!(inbound.at, expected, "{timestamp}");
    }
}

#[test]
fn accepts_unknown_statuses_of_one_word() {
    let longest = "x".repeat(64);
    for word in [
        "sent",
        "delivered",
        "read",
        "played",
        "failed",
        "deleted",
        "warning",
        "held_for.x-1",
        &longest,
    ] {
        assert_eq!(status_with(json!({"status": word})).unwrap().status, word);
    }
    assert_eq!(status_with(json!({"status": " read "})).unwrap().status, "read");
    let too_long = "x".repeat(65);
    for word in ["", " ", "two words", "réad", "a/b", "<b>", "a\0", "a\nb", &too_long] {
        assert_eq!(status_with(json!({"status": word})), None, "{word:?}");
    }
    for word in [json!(null), json!({}), json!(["read"]), json!(true)] {
        assert_eq!(status_with(json!({"status": word})), None, "{word}");
    }
}

#[test]
fn message_id_is_visible_ascii_or_a_whole_number() {
    let longest = json!("x".repeat(256));
    for id in [json!("wamid.a+/="), json!(7), json!(" wamid.a "), longest] {
        assert!(status_with(json!({"id": id})).is_some(), "{id}");
        assert!(message_with(json!({"id": id}), json!([])).is_some(), "{id}");
    }
    let too_long = json!("x".repeat(257));
    for id in [
        json!(null),
        json!(""),
        json!(" "),
        json!("a b"),
        json!("é"),
        json!("a\0"),
        json!(1.5),
        json!({}),
        too_long,
    ] {
        assert_eq!(status_with(json!({"id": id})), None, "{id}");
        assert!(message_with(json!({"id": id}), json!([])).is_none(), "{id}");
    }
}

#[test]
fn sender_is_a_phone_number_or_a_user_id() {
    let user = "US.13491208655302741918";
    for (from, expected) in [
        (json!({"from": "16505551234"}), text("16505551234")),
        (json!({"from": "+16505551234"}), text("16505551234")),
        (json!({"from": 16_505_551_234_u64}), text("16505551234")),
        (json!({"from": "16505551234", "from_user_id": user}), text("16505551234")),
        (json!({"from": null, "from_user_id": user}), text(user)),
        (json!({"from": " ", "from_user_id": user}), text(user)),
        (json!({"from": "☎️", "from_user_id": user}), text(user)),
        (json!({"from": user}), text(user)),
        (json!({"from": "IN.ENT.1349"}), text("IN.ENT.1349")),
        (json!({"from": "IN."}), None),
        (json!({"from": "in.1349"}), None),
        (json!({"from": "1N.1349"}), None),
        (
            json!({"from": format!("IN.ENT.{}", "1".repeat(128))}),
            Some(format!("IN.ENT.{}", "1".repeat(128))),
        ),
        (json!({"from": null, "from_user_id": "x".repeat(135)}), Some("x".repeat(135))),
        (json!({"from": "++1"}), None),
        (json!({"from": "+"}), None),
        (json!({"from": "1650 5551234"}), None),
        (json!({"from": "१२३४५"}), None),
        (json!({"from": "1".repeat(33)}), None),
        (json!({"from": 1.5}), None),
        (json!({"from": {}, "from_user_id": []}), None),
        (json!({"from": null, "from_user_id": "a b"}), None),
        (json!({"from": null, "from_user_id": "x".repeat(136)}), None),
    ] {
        let inbound = message_with(from.clone(), json!(null));
        assert_eq!(inbound.map(|inbound| inbound.from), expected, "{from}");
    }
}

#[test]
fn knows_both_ids_of_a_sender() {
    let both = |wa_id: &str, user_id: &str| json!({"wa_id": wa_id, "user_id": user_id});
    let ids = |message: RawJson, contacts: RawJson| {
        message_with(message, contacts).map(|inbound| (inbound.from, inbound.other_id)).unwrap()
    };
    let pair = |from: &str, other: Option<&str>| (from.to_owned(), other.map(str::to_owned));
    let contacts = json!([both("1650", "US.1"), both("1651", "US.2"), both("US.3", "US.3")]);
    for (message, expected) in [
        (json!({"from": "1650", "from_user_id": "US.1"}), pair("1650", Some("US.1"))),
        (json!({"from": "1650"}), pair("1650", Some("US.1"))),
        (json!({"from": null, "from_user_id": "US.2"}), pair("US.2", Some("1651"))),
        (json!({"from": "US.3", "from_user_id": "US.3"}), pair("US.3", None)),
        (json!({"from": "1659"}), pair("1659", None)),
    ] {
        assert_eq!(ids(message.clone(), contacts.clone()), expected, "{message}");
    }
    let only = json!([both("1650", "US.1")]);
    assert_eq!(ids(json!({"from": null}), only), pair("1650", Some("US.1")));
}

#[test]
fn falls_back_to_the_only_contact() {
    let user = |id: &str| json!({"user_id": id, "profile": {"name": "Asha"}});
    let from = |contacts: RawJson| {
        message_with(json!({"from": null}), contacts).map(|inbound| (inbound.from, inbound.name))
    };
    assert_eq!(from(json!([user("US.1")])), Some(("US.1".to_owned(), text("Asha"))));
    let by_wa_id = |id: &str| json!([{"wa_id": id, "profile": {"name": "Asha"}}]);
    for id in ["IN.1349", "1650"] {
        assert_eq!(from(by_wa_id(id)), Some((id.to_owned(), text("Asha"))));
    }
    for contacts in [
        json!([user("US.1"), user("US.2")]),
        json!([]),
        json!([{"wa_id": "x"}]),
        json!(user("US.1")),
    ] {
        assert_eq!(from(contacts.clone()), None, "{contacts}");
    }
}

#[test]
fn name_is_that_of_the_sender() {
    let contact = |key: &str, id: RawJson, name: &str| json!({key: id, "profile": {"name": name}});
    let contacts = json!([
        null,
        {"wa_id": "16505551234"},
        contact("wa_id", json!("15550000000"), "Somebody else"),
        contact("wa_id", json!("+16505551234"), "Asha\u{0}\n Rao"),
        contact("user_id", json!("US.1"), "User"),
        contact("wa_id", json!(42), "Douglas"),
        contact("wa_id", json!("IN.1349"), "Hidden"),
    ]);
    for (from, expected) in [
        (json!({}), text("Asha  Rao")),
        (json!({"from_user_id": "US.1"}), text("Asha  Rao")),
        (json!({"from": "7", "from_user_id": "US.1"}), text("User")),
        (json!({"from": null, "from_user_id": "US.1"}), text("User")),
        (json!({"from": "42"}), text("Douglas")),
        (json!({"from": "IN.1349"}), text("Hidden")),
        (json!({"from": "7"}), None),
    ] {
        let inbound = message_with(from.clone(), contacts.clone()).unwrap();
        assert_eq!(inbound.name, expected, "{from}");
    }
    let long = json!([contact("wa_id", json!("16505551234"), &"é".repeat(300))]);
    assert_eq!(message_with(json!({}), long).unwrap().name, Some("é".repeat(256)));
    let only = json!([contact("wa_id", json!("15550000000"), "Somebody else")]);
    assert_eq!(message_with(json!({}), only).unwrap().name, None);
}

#[test]
fn reads_the_message_that_is_replied_to() {
    let in_reply_to = |context: RawJson| {
        let inbound = message_with(json!({"context": context}), json!([])).unwrap();
        inbound.in_reply_to.map(String::from)
    };
    assert_eq!(in_reply_to(json!({"from": "15550783881", "id": OURS})), text(OURS));
    for none in
        [json!(null), json!({}), json!([]), json!("x"), json!({"id": ""}), json!({"id": "a b"})]
    {
        assert_eq!(in_reply_to(none.clone()), None, "{none}");
    }
}

#[test]
fn reads_errors_of_numbers() {
    let (events, skipped) = events(&[value(
        json!({"errors": [{"code": 130_429, "title": "Rate limit hit"}, {}, null, "x"]}),
    )]);
    let error = ChannelError { code: text("130429"), title: text("Rate limit hit"), details: None };
    assert_eq!((events, skipped), (vec![ChannelEvent::NumberError(error)], 3));
}

#[test]
fn reads_all_kinds_of_updates_in_one_value() {
    let kinds = |value: RawJson| {
        let kind = |event: &ChannelEvent| match event {
            ChannelEvent::Status(_) => 's',
            ChannelEvent::InboundMessage(_) => 'w',
            ChannelEvent::NumberError(_) => 'e',
            _ => 'x',
        };
        events(&[value.clone(), value]).0.iter().map(kind).collect::<String>()
    };
    let all =
        json!({"errors": [{"code": 1}], "messages": [message()], "statuses": [status(), status()]});
    assert_eq!(kinds(value(all)), "sswesswe");
    assert_eq!(
        kinds(value(json!({"messages": [message()], "statuses": null, "errors": []}))),
        "ww"
    );
}

#[test]
fn every_update_has_its_own_number() {
    let about = |metadata: RawJson| json!({"metadata": metadata, "statuses": [status()]});
    let values = [
        about(json!({"phone_number_id": NUMBER})),
        about(json!({"phone_number_id": 106_540_352_242_923_u64})),
        about(json!({"phone_number_id": "abc"})),
        about(json!({"phone_number_id": "1".repeat(65)})),
        about(json!({"phone_number_id": " "})),
        about(json!({})),
        about(json!(null)),
        json!({"statuses": [status()]}),
    ];
    let updates = updates_of(&body(&values));
    let numbers: Vec<_> = updates.items.iter().map(|update| update.number.as_deref()).collect();
    let mut expected = vec![Some(NUMBER), Some("106540352242923")];
    expected.resize(values.len(), None);
    assert_eq!((numbers, updates.skipped), (expected, 0));
}

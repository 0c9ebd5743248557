//! Changes about anything but messages.

use domain::messaging::channel::Preference;
use domain::messaging::provider_state::{Aspect, Statement, Subject};

use super::*;

const ACCOUNT: &str = "102290129340398";

fn change(field: &str, value: RawJson) -> RawJson {
    let change = json!({"field": field, "value": value});
    let entry = json!({"id": ACCOUNT, "time": 1750030500, "changes": [change]});
    json!({"object": "whatsapp_business_account", "entry": [entry]})
}

/// What a change tells, as `(aspect, value, reason)`, and the number of skipped items.
fn told(field: &str, value: RawJson) -> (Vec<(Aspect, String, Option<String>)>, usize) {
    let updates = updates_of(&change(field, value));
    let statement = |event| match event {
        ChannelEvent::Statement(it) => {
            assert_eq!(it.at, time("2025-06-15T23:35:00Z"));
            (it.aspect, it.value, it.reason)
        }
        other => unreachable!("{other:?}"),
    };
    (updates.items.into_iter().map(|it| statement(it.event)).collect(), updates.skipped)
}

fn first(field: &str, value: RawJson) -> Statement {
    match updates_of(&change(field, value)).items.remove(0).event {
        ChannelEvent::Statement(statement) => *statement,
        other => unreachable!("{other:?}"),
    }
}

#[test]
fn reads_bans_restrictions_and_violations_of_an_account() {
    use Aspect::{Ban, Connection, Event, Restriction, Violation};
    let is = |aspect, value: &str| (aspect, value.to_owned(), None);
    for (value, expected) in [
        (json!({"event": "VERIFIED_ACCOUNT"}), vec![is(Event, "VERIFIED_ACCOUNT")]),
        (
            json!({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "disable"}}),
            vec![is(Event, "DISABLED_UPDATE"), is(Ban, "DISABLE")],
        ),
        (
            json!({"event": "ACCOUNT_VIOLATION", "violation_info": {"violation_type": "SPAM"}}),
            vec![is(Event, "ACCOUNT_VIOLATION"), is(Violation, "SPAM")],
        ),
        (
            json!({"event": "ACCOUNT_VIOLATION"}),
            vec![is(Event, "ACCOUNT_VIOLATION"), is(Violation, "UNKNOWN")],
        ),
        (
            json!({"event": "ACCOUNT_RESTRICTION", "restriction_info": []}),
            vec![is(Event, "ACCOUNT_RESTRICTION"), is(Restriction, "NONE")],
        ),
        (
            json!({"event": "ACCOUNT_RESTRICTION", "restriction_info": [1, {}]}),
            vec![is(Event, "ACCOUNT_RESTRICTION"), is(Restriction, "UNKNOWN")],
        ),
        (
            json!({"event": "ACCOUNT_DELETED"}),
            vec![is(Event, "ACCOUNT_DELETED"), is(Connection, "ACCOUNT_DELETED")],
        ),
    ] {
        assert_eq!(told("account_update", value.clone()), (expected, 0), "{value}");
    }
    for value in [json!({}), json!({"event": {}}), json!({"event": "a b"})] {
        assert_eq!(told("account_update", value.clone()), (vec![], 1), "{value}");
    }
}

#[test]
fn a_restriction_ends_with_the_last_that_has_an_end() {
    let restriction = |ends: &[RawJson]| {
        let each = |end| json!({"restriction_type": "R", "expiration": end});
        let all: Vec<_> = ends.iter().map(each).collect();
        let value = json!({"event": "ACCOUNT_RESTRICTION", "restriction_info": all});
        let mut items = updates_of(&change("account_update", value)).items;
        let ChannelEvent::Statement(told) = items.remove(1).event else { unreachable!() };
        (told.value, told.until)
    };
    let until = time("2025-06-15T23:35:00Z");
    let ends = [json!(1750030500), json!("1750030400")];
    assert_eq!(restriction(&ends), ("R".to_owned(), until));
    assert_eq!(restriction(&[json!(1750030500), json!("April 3")]), ("R".to_owned(), None));
}

#[test]
fn a_partner_is_told_about_the_account_of_a_customer() {
    let info = json!({"event": "PARTNER_REMOVED", "waba_info": {"waba_id": "7"}});
    let mut items = updates_of(&change("account_update", info)).items;
    let ChannelEvent::Statement(told) = items.remove(1).event else { unreachable!() };
    assert_eq!(told.about, Subject::BusinessAccount("7".to_owned()));
}

#[test]
fn reads_alerts_and_reviews_of_an_account() {
    let info = json!({"alert_type": "OBA_REJECTED", "alert_severity": "CRITICAL"});
    let expected = vec![(Aspect::Alert, "OBA_REJECTED".to_owned(), text("CRITICAL"))];
    for value in [json!({"entity_id": "1", "alert_info": info}), info] {
        assert_eq!(told("account_alerts", value.clone()), (expected.clone(), 0), "{value}");
    }
    assert_eq!(told("account_alerts", json!({"alert_info": {}})), (vec![], 1));
    let expected = vec![(Aspect::Review, "REJECTED".to_owned(), None)];
    assert_eq!(told("account_review_update", json!({"decision": "REJECTED"})), (expected, 0));
}

#[test]
fn reads_flags_limits_and_names_of_a_number() {
    use Aspect::{Event, Flag, Limit, Name, Quality};
    let is = |aspect, value: &str| (aspect, value.to_owned(), None);
    let number = |more: RawJson| with(json!({"display_phone_number": "+1 555-078-3881"}), more);
    for (more, expected) in [
        (json!({"event": "FLAGGED"}), vec![is(Flag, "FLAGGED"), is(Event, "FLAGGED")]),
        (
            json!({"event": "THROUGHPUT_UPGRADE", "current_limit": "TIER_UNLIMITED",
                "max_daily_conversations_per_business": 2000}),
            vec![is(Event, "THROUGHPUT_UPGRADE"), is(Limit, "2000")],
        ),
        (json!({"current_limit": "TIER_1K"}), vec![is(Limit, "TIER_1K")]),
        (json!({"quality_rating": "red"}), vec![is(Quality, "RED")]),
    ] {
        let value = number(more);
        let field = "phone_number_quality_update";
        assert_eq!(told(field, value.clone()), (expected, 0), "{value}");
        assert_eq!(first(field, value).about, Subject::Number("15550783881".to_owned()));
    }
    for value in [json!({"event": "FLAGGED"}), number(json!({}))] {
        assert_eq!(told("phone_number_quality_update", value), (vec![], 1));
    }
    let name =
        json!({"decision": "REJECTED", "requested_verified_name": "Shop", "rejection_reason": "X"});
    let told = first("phone_number_name_update", number(name));
    assert_eq!((told.aspect, told.reason, told.subject), (Name, text("X"), text("Shop")));
}

#[test]
fn reads_status_quality_and_category_of_a_template() {
    use Aspect::{Category, Quality, Status};
    let is = |aspect, value: &str, reason| (aspect, value.to_owned(), text_of(reason));
    let template = json!({"message_template_name": "t", "message_template_language": "en-US"});
    let fields = [
        "message_template_status_update",
        "message_template_quality_update",
        "template_category_update",
    ];
    for (more, expected) in [
        (json!({"event": "APPROVED", "reason": "NONE"}), vec![is(Status, "APPROVED", None)]),
        (
            json!({"event": "REJECTED", "reason": "SCAM", "message_template_category": "UTILITY"}),
            vec![is(Status, "REJECTED", Some("SCAM")), is(Category, "UTILITY", None)],
        ),
        (
            json!({"event": "PAUSED", "reason": "NONE", "other_info": {"title": "FIRST_PAUSE"}}),
            vec![is(Status, "PAUSED", Some("FIRST_PAUSE"))],
        ),
        (json!({"event": "DISABLED", "reason": null}), vec![is(Status, "DISABLED", None)]),
        (json!({"new_quality_score": "RED"}), vec![is(Quality, "RED", None)]),
        (
            json!({"previous_category": "UTILITY", "new_category": "MARKETING"}),
            vec![is(Category, "MARKETING", None)],
        ),
    ] {
        for field in fields {
            let value = with(template.clone(), more.clone());
            assert_eq!(told(field, value.clone()), (expected.clone(), 0), "{value}");
        }
    }
    for odd in [
        template,
        json!({"message_template_name": "t", "event": "APPROVED"}),
        json!({"message_template_name": "a b", "message_template_language": "en", "event": "X"}),
        json!({}),
    ] {
        assert_eq!(told(fields[0], odd.clone()), (vec![], 1), "{odd}");
    }
}

fn text_of(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}

#[test]
fn an_announced_category_says_when_it_takes_effect() {
    let value = json!({"message_template_name": "t", "message_template_language": "en",
        "new_category": "UTILITY", "correct_category": "MARKETING",
        "category_update_timestamp": 1750030500});
    let told = first("template_category_update", value);
    assert_eq!((told.value.as_str(), told.subject), ("UTILITY", text("MARKETING")));
    assert_eq!(told.until, time("2025-06-15T23:35:00Z"));
}

fn preference(more: RawJson) -> Option<Preference> {
    let given = json!({"wa_id": "1650", "category": "marketing_messages", "value": "stop",
        "timestamp": 1750030500});
    let list = json!({"user_preferences": [with(given, more)]});
    let updates = updates_of(&change("user_preferences", value(list)));
    assert_eq!(updates.items.len() + updates.skipped, 1);
    match updates.items.into_iter().next()?.event {
        ChannelEvent::Preference(preference) => Some(preference),
        other => unreachable!("{other:?}"),
    }
}

#[test]
fn reads_whether_a_shopper_stopped_marketing_messages() {
    let stop = preference(json!({})).unwrap();
    assert_eq!((stop.user.as_str(), stop.at), ("1650", time("2025-06-15T23:35:00Z")));
    assert!(stop.stopped && !preference(json!({"value": "RESUME"})).unwrap().stopped);
    assert!(preference(json!({"category": "marketing"})).unwrap().stopped);
    assert!(!preference(json!({"value": "signup"})).unwrap().stopped);
    let user = preference(json!({"wa_id": "", "user_id": "IN.1"})).unwrap();
    assert_eq!((user.user.as_str(), user.other_id), ("IN.1", None));
    for odd in [json!({"value": "maybe"}), json!({"category": "other"}), json!({"wa_id": null})] {
        assert_eq!(preference(odd.clone()), None, "{odd}");
    }
    assert!(!format!("{stop:?}").contains("1650"));
}

#[test]
fn the_shopper_of_a_call_is_not_the_business() {
    let call = |more: RawJson| {
        let call = json!({"id": "wacid.A", "from": "1650", "to": "1555", "event": "connect"});
        let metadata = json!({"phone_number_id": NUMBER, "display_phone_number": "+1555"});
        let value = json!({"metadata": metadata, "calls": [with(call, more)]});
        match updates_of(&change("calls", value)).items.remove(0).event {
            ChannelEvent::Call(call) => (call.is_inbound, call.with),
            other => unreachable!("{other:?}"),
        }
    };
    let shopper = "1650".to_owned();
    assert_eq!(call(json!({"direction": "USER_INITIATED"})), (true, shopper.clone()));
    let swapped = json!({"from": "1555", "to": "1650", "direction": "BUSINESS_INITIATED"});
    assert_eq!(call(swapped), (false, shopper.clone()));
    assert_eq!(call(json!({})), (true, shopper.clone()));
    assert_eq!(call(json!({"from": "1555", "to": "1650"})), (false, shopper));
    let user = json!({"from": "", "from_user_id": "IN.1", "direction": "USER_INITIATED"});
    assert_eq!(call(user), (true, "IN.1".to_owned()));
}

#[test]
fn fields_that_are_not_read_are_told_by_their_names() {
    for (field, expected) in [
        ("history", "history"),
        ("business_capability_update", "business_capability_update"),
        ("odd name", "unknown"),
        (&"x".repeat(65), "unknown"),
    ] {
        for value in [json!(null), json!(1), json!({"max": 1})] {
            let updates = updates_of(&change(field, value));
            let events: Vec<_> = updates.items.into_iter().map(|it| it.event).collect();
            assert_eq!(events, [ChannelEvent::OtherField(expected.to_owned())]);
        }
    }
}

#[test]
fn the_business_account_decides_only_without_a_number_and_about_no_message() {
    let owner = |field: &str, value: RawJson| {
        let body = change(field, value).to_string();
        let parsed = WhatsApp.parse(&Request::stored(None, body.as_bytes()), Timestamp::EPOCH);
        parsed.unwrap().tenant.0.into_iter().collect::<Vec<_>>()
    };
    let metadata = json!({"phone_number_id": NUMBER});
    for field in ["calls", "user_preferences", "account_update", "history"] {
        assert_eq!(owner(field, json!({"event": "X"})), [ACCOUNT], "{field}");
        assert_eq!(owner(field, json!({"metadata": metadata, "event": "X"})), [NUMBER], "{field}");
    }
    for field in ["messages", "message_echoes"] {
        assert!(owner(field, json!({})).is_empty(), "{field}");
    }
}

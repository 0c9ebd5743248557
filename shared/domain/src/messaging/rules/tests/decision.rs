use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::core::id::OrderKey;
use crate::core::trace::TraceParent;
use crate::messaging::rules::decision::message_id;
use crate::messaging::rules::{Occasion, RuleCheck, Shopper};
use crate::testing::{MINIMAL, minute};

const NIGHT: &str = r#","quiet_hours":{"from":"15:30","to":"16:00","zone":"Asia/Kolkata"}"#;
const PHONE: &str = r#"{"orderId":"ORD-1","customer":{"phone":"98765 43210","firstName":"Ann"}}"#;

fn out_for_delivery() -> Report {
    report("r1", Status::OutForDelivery, Some(minute(0)))
}

/// What a row would say of it.
fn shown(decision: &Decision<'_>) -> String {
    match decision {
        Decision::Nothing => "nothing".to_owned(),
        Decision::Send { message, .. } => format!("send {} {}", message.not_before, message.day),
        Decision::Skip { reason, .. } => {
            format!("{} {}", reason.as_str(), reason.detail().unwrap_or_default()).trim().to_owned()
        }
    }
}

struct Case {
    body: &'static str,
    status: Status,
    text: &'static str,
    more: &'static str,
    shopper: Shopper,
    unavailable: Option<&'static str>,
    now: Timestamp,
}

impl Default for Case {
    fn default() -> Self {
        Self {
            body: PHONE,
            status: Status::OutForDelivery,
            text: "Hello {first_name}",
            more: "",
            shopper: Shopper::default(),
            unavailable: None,
            now: minute(5),
        }
    }
}

impl Case {
    fn decide(&self) -> String {
        let scene = Scene::new(self.body, &report("r1", self.status, Some(minute(0))));
        let occasion = Occasion {
            change: scene.change(),
            shopper: self.shopper,
            tracking_url: None,
            unavailable: self.unavailable,
        };
        shown(&rules_with(self.text, self.more).decide(&occasion, self.now))
    }
}

#[test]
fn sends_or_says_why_not() {
    let opted_out = Shopper { has_opted_out: true, sent_that_day: 0 };
    let sent = |count| Shopper { has_opted_out: false, sent_that_day: count };
    let now = "send 2026-01-20T10:05:00.000Z 2026-01-20";
    for (case, expected) in [
        (Case::default(), now),
        (Case { status: Status::InTransit, ..Case::default() }, "nothing"),
        (Case { now: minute(60), ..Case::default() }, "send 2026-01-20T11:00:00.000Z 2026-01-20"),
        (Case { now: minute(61), ..Case::default() }, "too_old"),
        // Before it happened, by the carrier's clock.
        (Case { now: minute(-5), ..Case::default() }, "send 2026-01-20T09:55:00.000Z 2026-01-20"),
        (Case { body: MINIMAL, ..Case::default() }, "no_phone"),
        (
            Case {
                body: r#"{"orderId":"1","customer":{"phone":"on request"}}"#,
                ..Case::default()
            },
            "no_phone",
        ),
        (Case { shopper: opted_out, ..Case::default() }, "opted_out"),
        (Case { shopper: sent(7), ..Case::default() }, now),
        (Case { shopper: sent(1), more: r#","daily_cap":2"#, ..Case::default() }, now),
        (Case { shopper: sent(2), more: r#","daily_cap":2"#, ..Case::default() }, "daily_cap"),
        (Case { text: "{first_name} {eta}", ..Case::default() }, "missing_value eta"),
        (Case { text: "{tracking_url}", ..Case::default() }, "missing_value tracking_url"),
        (Case { unavailable: Some("paused"), ..Case::default() }, "template_unavailable paused"),
        (Case { more: r#","dry_run":true"#, ..Case::default() }, "dry_run"),
        (Case { more: r#","dry_run":true"#, shopper: opted_out, ..Case::default() }, "opted_out"),
        // 10:05Z is 15:35 in India.
        (Case { more: NIGHT, ..Case::default() }, "send 2026-01-20T10:30:00.000Z 2026-01-20"),
        (
            Case {
                more: r#","quiet_hours":{"from":"15:00","to":"16:31","zone":"Asia/Kolkata"}"#,
                ..Case::default()
            },
            "too_old",
        ),
    ] {
        let Case { body, text, more, .. } = &case;
        assert_eq!(case.decide(), expected, "{body} {text} {more}");
    }
}

#[test]
fn a_message_has_the_request_and_when_it_expires() {
    let scene = Scene::new(PHONE, &out_for_delivery());
    let rules = rules_with("Hello {first_name}", NIGHT);
    let occasion = Occasion {
        change: scene.change(),
        shopper: Shopper::default(),
        tracking_url: None,
        unavailable: None,
    };
    let Decision::Send { rule, message } = rules.decide(&occasion, minute(5)) else { panic!() };
    assert_eq!((rule.on, message.expires_at), (Status::OutForDelivery, minute(60)));
    let id = message_id(&scene.order.key, scene.order.state.created_at, 2);
    let expected = [
        r#"{"messaging_product":"whatsapp","recipient_type":"individual","to":"+919876543210","#,
        r#""type":"template","template":{"name":"on_its_way","language":{"code":"en"},"#,
        r#""components":[{"type":"body","parameters":[{"type":"text","text":"Hello Ann"}]}]},"#,
        r#""biz_opaque_callback_data":""#,
        id.as_str(),
        r#""}"#,
    ];
    assert_eq!(message.request.to_json(), expected.concat());
}

/// A dry run differs in nothing but that it does not send.
#[test]
fn a_dry_run_shows_the_message() {
    let scene = Scene::new(PHONE, &out_for_delivery());
    let occasion = Occasion {
        change: scene.change(),
        shopper: Shopper::default(),
        tracking_url: None,
        unavailable: None,
    };
    let rules = ["", r#","dry_run":true"#].map(|more| rules_with("{first_name}", more));
    let [wet, dry] = [&rules[0], &rules[1]].map(|rules| rules.decide(&occasion, minute(5)));
    let (Decision::Send { message, .. }, Decision::Skip { reason: SkipReason::DryRun(shown), .. }) =
        (wet, dry)
    else {
        panic!();
    };
    assert_eq!(message, shown);
}

/// Another attempt, or another parcel, is no other status.
#[test]
fn only_a_new_status_of_the_order_has_a_rule() {
    let scene = Scene::new(PHONE, &out_for_delivery());
    let rules = rules_with("{first_name}", "");
    let transition = scene.change().transition.clone();
    assert!(rules.rule_for(&transition).is_some());
    let repeated = Transition { previous_status: transition.status, attempts: 2, ..transition };
    assert!(repeated.is_of_order() && rules.rule_for(&repeated).is_none());
}

#[test]
fn every_change_has_one_message_id() {
    let key = |account: &str, order: &str| OrderKey {
        account: crate::core::id::AccountCode::parse(account).unwrap(),
        order: crate::testing::order_id(order),
    };
    let ids = [
        message_id(&key("A", "1"), Timestamp::EPOCH, 1),
        message_id(&key("A", "1"), Timestamp::EPOCH.after(Duration::from_secs(1)), 1),
        message_id(&key("A", "1"), Timestamp::EPOCH, 2),
        message_id(&key("A", "11"), Timestamp::EPOCH, 1),
        message_id(&key("A1", "1"), Timestamp::EPOCH, 1),
    ];
    let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!(distinct.len(), ids.len());
    // Rows and statuses refer to it: it must not change.
    assert_eq!(ids[0].as_str(), "wa_wzxwxulqmsfdg75elht3czdhdehjed6k");
}

#[test]
fn a_check_names_the_change_and_its_message_and_no_shopper() {
    let scene = Scene::new(PHONE, &out_for_delivery());
    let check = RuleCheck::of(&scene.change(), TraceParent::of("event"));
    let message = check.to_message();
    assert_eq!(RuleCheck::read(&message), Some(check.clone()));
    let created_at = scene.order.state.created_at;
    assert_eq!(check.message_id(), message_id(&scene.order.key, created_at, 2));
    assert!(!message.contains("98765") && !message.contains("Ann"), "{message}");
    assert_eq!(RuleCheck::read(&message.replace(r#""v":3"#, r#""v":4"#)), None);
}

#[test]
fn debug_output_of_decisions_has_no_personal_data() {
    let scene = Scene::new(PHONE, &out_for_delivery());
    for more in ["", r#","dry_run":true"#] {
        let rules = rules_with("Hello {first_name}", more);
        let occasion = Occasion {
            change: scene.change(),
            shopper: Shopper::default(),
            tracking_url: Some("https://t.example/canary"),
            unavailable: None,
        };
        let decision = rules.decide(&occasion, minute(5));
        let shown = format!("{decision:?}");
        assert!(shown.contains("on_its_way"), "{shown}");
        assert!(!shown.contains("Ann") && !shown.contains("98765"), "{shown}");
    }
}

proptest! {
    #[test]
    fn no_message_is_late_quiet_or_beyond_the_cap(
        age in -30_i64..2000,
        from in 0..24_u32,
        hours in 0..=21_u32,
        max_age in 1..3000_u64,
        sent in 0..4_u32,
    ) {
        let quiet = format!(
            r#"{{"from":"{from:02}:00","to":"{:02}:00","zone":"Asia/Kolkata"}}"#,
            (from + hours) % 24
        );
        let limits = format!(r#","daily_cap":2,"quiet_hours":{quiet}"#);
        let mut rules = rules_with("{first_name}", &limits);
        rules.rules[0].max_age = Duration::from_secs(max_age * 60);
        let scene = Scene::new(PHONE, &out_for_delivery());
        let shopper = Shopper { has_opted_out: false, sent_that_day: sent };
        let occasion =
            Occasion { change: scene.change(), shopper, tracking_url: None, unavailable: None };
        let now = minute(age);
        let slot = rules.slot(now);
        let is_too_old = slot.not_before.since(minute(0)) > rules.rules[0].max_age;
        match rules.decide(&occasion, now) {
            Decision::Send { message, .. } => {
                prop_assert!(!is_too_old && sent < 2);
                prop_assert!(message.not_before >= now && message.not_before <= message.expires_at);
                prop_assert_eq!(rules.slot(message.not_before).not_before, message.not_before);
                prop_assert_eq!(&message.day, &rules.zone.day(message.not_before));
            }
            Decision::Skip { reason: SkipReason::TooOld, .. } => prop_assert!(is_too_old),
            Decision::Skip { reason: SkipReason::DailyCap, .. } => prop_assert!(sent >= 2),
            other => prop_assert!(false, "{}", shown(&other)),
        }
    }
}

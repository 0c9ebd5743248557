#![allow(clippy::unwrap_used)]

use std::time::Duration;

use crate::auth::Accounts;
use crate::core::id::AccountCode;
use crate::tracking::status::Status;
use crate::webhooks::endpoint::{EventType, Format, MAX_SCHEDULE, MAX_TIMEOUT, Settings};

fn parse(text: &str) -> Settings {
    Settings::parse(text).unwrap()
}

#[test]
fn every_format_has_its_defaults() {
    for (text, format, timeout, retries) in [
        ("{}", Format::Standard, 15, 10),
        (r#"{"format":"standard"}"#, Format::Standard, 15, 10),
        (r#"{"format":"status_update"}"#, Format::StatusUpdate, 30, 3),
        (r#"{"format":"order.status_changed"}"#, Format::OrderStatusChanged, 10, 3),
    ] {
        let settings = parse(text);
        assert_eq!(
            (settings.format, settings.timeout),
            (format, Duration::from_secs(timeout)),
            "{text}"
        );
        assert_eq!(
            (settings.schedule.retries, settings.schedule.jitter),
            (retries, format == Format::Standard)
        );
        assert_eq!(settings.max_in_flight, 5, "{text}");
        assert_eq!(settings.retry_4xx, format == Format::Standard, "{text}");
        assert_eq!(settings.accounts, Accounts::Only([].into()), "{text}");
        assert!(settings.headers.is_empty() && settings.enabled, "{text}");
        assert!(Status::ALL.iter().all(|status| settings.is_subscribed_to(*status)), "{text}");
    }
}

#[test]
fn reads_every_setting() {
    let settings = parse(
        r#"{"format":"status_update","accounts":["STORE001"],"events":["delivered","lost"],
            "timeout_seconds":20,"retry_count":4,"backoff":[7,8],"retry_4xx":true,"max_in_flight":2,
            "headers":{"Authorization":"Bearer a"},"enabled":false}"#,
    );
    assert_eq!(settings.format.as_str(), "status_update");
    assert!(settings.accounts.include(&AccountCode::parse("STORE001").unwrap()));
    assert!(!settings.accounts.include(&AccountCode::parse("STORE002").unwrap()));
    let subscribed: Vec<_> =
        Status::ALL.iter().copied().filter(|status| settings.is_subscribed_to(*status)).collect();
    assert_eq!(subscribed, [Status::Lost, Status::Delivered]);
    assert_eq!(settings.timeout, Duration::from_secs(20));
    let waits: Vec<_> = (1..6)
        .map(|n| settings.schedule.wait_after(n, "msg_a", None).map(|w| w.as_secs()))
        .collect();
    assert_eq!(waits, [Some(7), Some(8), Some(8), Some(8), None]);
    assert_eq!(settings.headers, [("Authorization".to_owned(), "Bearer a".to_owned())].into());
    assert!(settings.retry_4xx && !settings.enabled);
    assert_eq!((settings.max_in_flight, settings.latest_only), (2, false));
    assert!(parse(r#"{"latest_only":true}"#).latest_only);
}

#[test]
fn retry_count_and_backoff_complete_each_other() {
    for (text, expected) in [
        (r#"{"format":"status_update","retry_count":0}"#, &[][..]),
        (r#"{"format":"status_update","retry_count":1}"#, &[1]),
        (r#"{"format":"status_update","retry_count":5}"#, &[1, 2, 4, 4, 4]),
        (r#"{"format":"status_update","backoff":[9]}"#, &[9]),
        (r#"{"format":"status_update","backoff":[9,9,9,9,9]}"#, &[9, 9, 9, 9, 9]),
        (r#"{"format":"order.status_changed","backoff":[0,86400],"retry_count":2}"#, &[0, 86_400]),
    ] {
        let schedule = parse(text).schedule;
        let waits: Vec<_> = (1..)
            .map_while(|n| schedule.wait_after(n, "msg_a", None))
            .map(|wait| wait.as_secs())
            .collect();
        assert_eq!(waits, expected, "{text}");
    }
    assert!(parse(r#"{"backoff":[9]}"#).schedule.jitter, "jitter depends on the format");
}

#[test]
fn subscriptions_select_status_changes() {
    let subscriptions = |events: &str| {
        let settings = parse(&format!(r#"{{"events":{events}}}"#));
        [Status::InTransit, Status::Delivered].map(|status| settings.is_subscribed_to(status))
    };
    for (events, expected) in [
        ("null", [true, true]),
        (r#"["order.status_changed"]"#, [true, true]),
        (r#"["delivered","order.status_changed"]"#, [true, true]),
        (r#"["delivered"]"#, [false, true]),
        ("[]", [false, false]),
    ] {
        assert_eq!(subscriptions(events), expected, "{events}");
    }
}

#[test]
fn stalled_orders_need_a_subscription() {
    for (events, stalled, changes) in [
        ("null", false, true),
        ("[]", false, false),
        (r#"["order.status_changed"]"#, false, true),
        (r#"["in_transit"]"#, false, true),
        (r#"["order.stalled"]"#, true, false),
        (r#"["delivered","order.stalled"]"#, true, false),
        (r#"["order.stalled","order.status_changed"]"#, true, true),
        (r#"["order.stalled","in_transit","order.stalled"]"#, true, true),
    ] {
        let settings = parse(&format!(r#"{{"events":{events}}}"#));
        assert_eq!(
            (settings.asks_for(EventType::Stalled), settings.is_subscribed_to(Status::InTransit)),
            (stalled, changes),
            "{events}"
        );
    }
    assert!(!parse("{}").asks_for(EventType::Stalled));
    assert_eq!(Settings::parse(r#"{"events":["stalled"]}"#).unwrap_err().field, "events[0]");
}

/// Receivers that know orders only are not told of parcels.
#[test]
fn changes_of_parcels_need_a_subscription() {
    for (events, parcels, changes) in [
        ("null", false, true),
        ("[]", false, false),
        (r#"["order.status_changed","in_transit","order.stalled"]"#, false, true),
        (r#"["shipment.status_changed"]"#, true, false),
        (r#"["shipment.status_changed","in_transit"]"#, true, true),
        (r#"["order.status_changed","shipment.status_changed"]"#, true, true),
    ] {
        let settings = parse(&format!(r#"{{"events":{events}}}"#));
        let asks = settings.asks_for(EventType::ShipmentStatusChanged);
        let is_subscribed = settings.is_subscribed_to(Status::InTransit);
        assert_eq!((asks, is_subscribed), (parcels, changes), "{events}");
    }
    assert!(!parse("{}").asks_for(EventType::ShipmentStatusChanged));
    let unknown = Settings::parse(r#"{"events":["shipment.lost"]}"#);
    assert_eq!(unknown.unwrap_err().field, "events[0]");
}

#[test]
fn event_types_round_trip() {
    use EventType::{ShipmentStatusChanged, Stalled, StatusChanged};
    for event in [StatusChanged, ShipmentStatusChanged, Stalled] {
        assert_eq!(EventType::parse(event.as_str()), Some(event));
        assert_eq!(serde_json::to_string(&event).unwrap(), format!(r#""{}""#, event.as_str()));
    }
    assert_eq!((EventType::parse("stalled"), EventType::parse("")), (None, None));
}

#[test]
fn ignores_unknown_fields() {
    assert_eq!(parse(r#"{"latest_ever":7,"Enabled":false,"comment":{"a":[1]}}"#), parse("{}"));
}

/// The message names the field and does not quote its value.
#[test]
fn rejects_invalid_settings() {
    for (text, field) in [
        ("", "."),
        ("null", "."),
        ("[]x", "."),
        ("canary", "."),
        (r#"{"enabled":true"#, "."),
        (r#"{"enabled":true} canary"#, "."),
        (r#"{}{"enabled":false}"#, "."),
        (r#""canary""#, "."),
        (r#"{"format":"canary"}"#, "format"),
        (r#"{"format":"Standard"}"#, "format"),
        (r#"{"format":null}"#, "format"),
        (r#"{"accounts":"canary"}"#, "accounts"),
        (r#"{"accounts":["a",7]}"#, "accounts[1]"),
        (r#"{"accounts":{}}"#, "accounts"),
        (r#"{"events":"delivered"}"#, "events"),
        (r#"{"events":["delivered","canary"]}"#, "events[1]"),
        (r#"{"timeout_seconds":"canary"}"#, "timeout_seconds"),
        (r#"{"timeout_seconds":0}"#, "timeout_seconds"),
        (r#"{"timeout_seconds":61}"#, "timeout_seconds"),
        (r#"{"timeout_seconds":-1}"#, "timeout_seconds"),
        (r#"{"timeout_seconds":1.5}"#, "timeout_seconds"),
        (r#"{"timeout_seconds":18446744073709551615}"#, "timeout_seconds"),
        (r#"{"retry_count":-1}"#, "retry_count"),
        (r#"{"retry_count":51}"#, "retry_count"),
        (r#"{"max_in_flight":0}"#, "max_in_flight"),
        (r#"{"max_in_flight":11}"#, "max_in_flight"),
        (r#"{"latest_only":1}"#, "latest_only"),
        (r#"{"latest_only":true,"format":"status_update"}"#, "latest_only"),
        (r#"{"events":["delivered","endpoint.paused"],"format":"status_update"}"#, "events"),
        (r#"{"events":["endpoint.disabled"],"format":"order.status_changed"}"#, "events"),
        (r#"{"events":["message.received"],"format":"order.status_changed"}"#, "events"),
        (r#"{"events":["message.received"],"format":"status_update"}"#, "events"),
        (r#"{"events":["endpoint.lost"]}"#, "events[0]"),
        (r#"{"retry_4xx":1}"#, "retry_4xx"),
        (r#"{"retry_count":4294967296}"#, "retry_count"),
        (r#"{"backoff":[]}"#, "backoff"),
        (r#"{"backoff":7}"#, "backoff"),
        (r#"{"backoff":[1,"canary"]}"#, "backoff[1]"),
        (r#"{"backoff":[1,86401]}"#, "backoff"),
        (r#"{"backoff":[-1]}"#, "backoff[0]"),
        (r#"{"headers":"canary"}"#, "headers"),
        (r#"{"headers":{"X-A":["canary"]}}"#, "headers.X-A"),
        (r#"{"headers":{"X-A":"canary\r\nX-B: 1"}}"#, "headers.X-A"),
        (r#"{"headers":{"X-A":"canary\u0000"}}"#, "headers.X-A"),
        (r#"{"headers":{"X-A":"canary\u00e9"}}"#, "headers.X-A"),
        (r#"{"headers":{"X-A":"canary\u007f"}}"#, "headers.X-A"),
        (r#"{"enabled":"canary"}"#, "enabled"),
        (r#"{"enabled":0}"#, "enabled"),
        (r#"{"enabled":true,"enabled":true}"#, "enabled"),
        (r#"["standard"]"#, "."),
    ] {
        let error = Settings::parse(text).unwrap_err();
        assert_eq!(error.field, field, "{text}: {error}");
        assert!(!error.to_string().contains("canary"), "{error}");
    }
    let many = format!(r#"{{"backoff":[{}1]}}"#, "1,".repeat(50));
    assert!(Settings::parse(&many).is_err(), "51 waits are 51 retries");
}

#[test]
fn accepts_the_limits() {
    let most = parse(r#"{"timeout_seconds":30,"retry_count":50,"backoff":[10000]}"#);
    assert_eq!((most.timeout.as_secs(), most.schedule.retries), (30, 50));
    assert_eq!(parse(r#"{"timeout_seconds":1}"#).timeout, Duration::from_secs(1));
}

/// Earlier versions took timeouts up to 60 s.
#[test]
fn reads_longer_timeouts_of_earlier_versions_as_the_longest() {
    for seconds in [31, 60] {
        let settings = parse(&format!(r#"{{"timeout_seconds":{seconds}}}"#));
        assert_eq!(settings.timeout, MAX_TIMEOUT, "{seconds}");
    }
    let error = Settings::parse(r#"{"timeout_seconds":61}"#).unwrap_err();
    assert_eq!(error.to_string(), "timeout_seconds: must be 1 to 30");
}

#[test]
fn rejects_reserved_and_invalid_header_names() {
    let good = [
        "X-A",
        "x",
        "Authorization",
        "X-Api-Key",
        "x-vendor",
        "webhook",
        "x-webhook",
        "!#$%&'*+-.^_`|~0",
    ];
    let bad = [
        "",
        " ",
        "X A",
        "X:A",
        "X\u{e9}",
        "(x)",
        "Content-Type",
        "content-length",
        "Transfer-Encoding",
        "HOST",
        "Connection",
        "Keep-Alive",
        "Proxy-Connection",
        "TE",
        "Trailer",
        "Upgrade",
        "User-Agent",
        "Expect",
        "Accept-Encoding",
        "X-Vendor-Server-Secret",
        "Webhook-Id",
        "webhook-signature",
        "webhook-anything",
        "X-Webhook-Event",
        "x-webhook-order-id",
    ];
    let with = |name: &str| {
        Settings::parse(&serde_json::json!({"headers": {name: "value a=b; \"c\""}}).to_string())
    };
    for name in good {
        assert!(with(name).unwrap().headers.contains_key(name), "{name}");
    }
    for name in bad {
        assert_eq!(with(name).unwrap_err().field, format!("headers.{name}"), "{name}");
    }
}

#[test]
fn ignores_headers_that_earlier_versions_took() {
    let stored = r#"{"headers":{"Traceparent":"a","content-encoding":"gzip",
                     "Proxy-Authorization":"Basic eDp5","X-Tag":"a"}}"#;
    let headers = Settings::parse(stored).unwrap().headers;
    assert_eq!(headers, [("X-Tag".to_owned(), "a".to_owned())].into());
}

#[test]
fn limits_the_sum_of_all_waits() {
    let settings = |count: u32| format!(r#"{{"backoff":[86400],"retry_count":{count}}}"#);
    assert_eq!(Settings::parse(&settings(7)).unwrap().schedule.total(), MAX_SCHEDULE);
    assert_eq!(Settings::parse(&settings(8)).unwrap_err().field, "backoff");
}

//! Mapping of bodies.

use super::*;

#[test]
fn maps_every_field() {
    let report = report(&body());
    assert_eq!(report.source.as_str(), "esahayak");
    assert_eq!(report.provider_id.as_ref().map(ProviderId::as_str), Some("order_12345"));
    assert_eq!((&report.awb, &report.return_awb, &report.order_id), (&None, &None, &None));
    assert_eq!((report.leg, report.status), (Leg::Outbound, Status::Completed));
    assert_eq!(report.source_status.as_deref(), Some("COMPLETED"));
    assert_eq!(report.occurred_at, time("2024-01-15T10:30:00Z"));
    assert_eq!(
        (report.note, report.location, report.eta, report.scans),
        (None, None, None, Vec::new())
    );
}

#[test]
fn maps_every_event_type() {
    for (kind, expected) in [
        ("stamp.uploaded", Status::Completed),
        ("stamp.failed", Status::Failed),
        ("order.delivered", Status::Delivered),
        ("order.cancelled", Status::Cancelled),
    ] {
        assert_eq!(report(&event(kind, json!({}))).status, expected, "{kind}");
    }
    for kind in [
        "order.created",
        "Stamp.Uploaded",
        "stamp.uploaded ",
        "stamp_uploaded",
        "stamp.failed\u{0}",
        "stamp",
    ] {
        assert_eq!(
            read_value(&event(kind, json!({}))),
            Ok(Reading::Ignored(IgnoreReason::UnknownType)),
            "{kind}"
        );
    }
}

#[test]
fn names_the_first_missing_envelope_field() {
    for name in ["id", "type", "created_at", "data"] {
        assert_eq!(read_value(&without(name)), Err(Unreadable::Missing(name)));
        assert_eq!(read_value(&with(json!({name: null}))), Err(Unreadable::Missing(name)));
    }
    for name in ["id", "type", "created_at"] {
        for blank in ["", " ", "\t\r\n"] {
            assert_eq!(
                read_value(&with(json!({name: blank}))),
                Err(Unreadable::Missing(name)),
                "{name} {blank:?}"
            );
        }
    }
    for (body, first) in [
        (json!({}), "id"),
        (json!({"data": {}}), "id"),
        (json!({"id": "x", "data": null}), "type"),
        (json!({"id": "x", "type": "order.created"}), "created_at"),
        (json!({"id": "x", "type": "order.created", "created_at": 0}), "data"),
        (json!({"Id": "x", "TYPE": "x", "createdAt": "x", "data": {}}), "id"),
    ] {
        assert_eq!(read_value(&body), Err(Unreadable::Missing(first)), "{body}");
    }
}

#[test]
fn unknown_type_takes_precedence_over_a_missing_order() {
    let body = |kind| json!({"id": "x", "type": kind, "created_at": "x", "data": {}});
    assert_eq!(read_value(&body("order.created")), Ok(Reading::Ignored(IgnoreReason::UnknownType)));
    assert_eq!(
        read_value(&body("stamp.uploaded")),
        Ok(Reading::Ignored(IgnoreReason::NoOrderNamed))
    );
}

#[test]
fn ignores_events_without_an_order() {
    for data in [
        json!({}),
        json!([]),
        json!([{"order": {"id": "order_12345"}}]),
        json!(""),
        json!("order_12345"),
        json!(1),
        json!(false),
        json!({"order": null}),
        json!({"order": "order_12345"}),
        json!({"order": ["order_12345"]}),
        json!({"order": {}}),
        json!({"order": {"id": null}}),
        json!({"order": {"id": ""}}),
        json!({"order": {"id": " "}}),
        json!({"order": {"id": 1.5}}),
        json!({"order": {"id": {"id": "order_12345"}}}),
        json!({"order": {"id": "a/b"}}),
        json!({"order": {"id": "a\u{0}b"}}),
        json!({"order": {"id": "x".repeat(129)}}),
        json!({"order_id": "order_12345", "id": "order_12345"}),
    ] {
        let reading = read_value(&with(json!({"data": data})));
        assert_eq!(reading, Ok(Reading::Ignored(IgnoreReason::NoOrderNamed)), "{data}");
    }
}

#[test]
fn source_status_is_the_order_status_or_the_type() {
    let source_status = |status: Value| {
        let data = json!({"order": {"id": "x", "status": status}});
        report(&with(json!({"type": "order.delivered", "data": data}))).source_status
    };
    for (status, expected) in [
        (json!("HANDED_OVER"), "HANDED_OVER"),
        (json!(" Handed\u{7}\nover "), "Handed over"),
        (json!(7), "7"),
        (json!(""), "order.delivered"),
        (json!(null), "order.delivered"),
        (json!({"a": 1}), "order.delivered"),
        (json!(true), "order.delivered"),
    ] {
        assert_eq!(source_status(status.clone()).as_deref(), Some(expected), "{status}");
    }
    assert_eq!(source_status(json!("é".repeat(200))), Some("é".repeat(128)));
    let data = json!({"order": {"id": "x"}});
    assert_eq!(
        report(&with(json!({"data": data}))).source_status.as_deref(),
        Some("stamp.uploaded")
    );
}

#[test]
fn note_is_the_reason_of_a_failure_or_cancellation() {
    let details = json!({"error": {"message": "why it failed"}, "cancellation": {"reason": "why it was called off"}});
    for (kind, expected) in [
        ("stamp.uploaded", None),
        ("stamp.failed", Some("why it failed")),
        ("order.delivered", None),
        ("order.cancelled", Some("why it was called off")),
    ] {
        assert_eq!(report(&event(kind, details.clone())).note.as_deref(), expected, "{kind}");
    }
    for details in [
        json!({}),
        json!({"error": null, "cancellation": null}),
        json!({"error": "x", "cancellation": "x"}),
        json!({"error": [{"message": "x"}], "cancellation": [{"reason": "x"}]}),
        json!({"error": {"reason": "x"}, "cancellation": {"message": "x"}}),
        json!({"error": {"message": " "}, "cancellation": {"reason": {}}}),
    ] {
        for kind in ["stamp.failed", "order.cancelled"] {
            assert_eq!(report(&event(kind, details.clone())).note, None, "{kind} {details}");
        }
    }
}

#[test]
fn report_id_depends_only_on_account_and_event_id() {
    let id = report(&body()).id;
    for same in [
        json!({"type": "order.cancelled"}),
        json!({"created_at": "2025-01-01T00:00:00Z"}),
        json!({"data": {"order": {"id": "other"}}}),
        json!({"unheard_of": [1]}),
    ] {
        assert_eq!(report(&with(same.clone())).id, id, "{same}");
    }
    assert_ne!(only(read_for("STORE002", body().to_string().as_bytes())).id, id);
    for other in [
        "webhook_unique_id_2",
        "Webhook_unique_id_1",
        " webhook_unique_id_1",
        "webhook_unique_id_1 ",
    ] {
        assert_ne!(report(&with(json!({"id": other}))).id, id, "{other}");
    }
    assert_eq!(report(&with(json!({"id": 7}))).id, report(&with(json!({"id": "7"}))).id);
}

#[test]
fn report_id_depends_on_the_bytes_without_a_usable_event_id() {
    for odd in [json!({}), json!([1]), json!(true), json!("a\u{0}b"), json!("x".repeat(257))] {
        let first = with(json!({"id": odd}));
        let second = with(json!({"id": odd, "created_at": "2024-01-15T10:30:01Z"}));
        assert_eq!(report(&first).id, report(&first).id, "{odd}");
        assert_ne!(report(&first).id, report(&second).id, "{odd}");
    }
}

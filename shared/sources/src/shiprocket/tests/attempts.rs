use super::*;

fn attempts(changes: Value) -> Option<u32> {
    report(&with(changes)).attempts
}

#[test]
fn reads_the_count_of_attempts() {
    for (count, expected) in [
        (json!(1), Some(1)),
        (json!("2"), Some(2)),
        (json!(" 3 "), Some(3)),
        (json!(99), Some(99)),
        (json!(0), None),
        (json!(100), None),
        (json!(4_294_967_297_u64), None),
        (json!(-1), None),
        (json!(1.5), None),
        (json!("two"), None),
        (json!(null), None),
        (json!([2]), None),
    ] {
        assert_eq!(attempts(json!({"delivery_attempt_count": count})), expected, "{count}");
    }
    assert_eq!(report(&body()).attempts, None);
}

#[test]
fn reads_the_attempt_in_a_label() {
    for (label, expected) in [
        ("UNDELIVERED-1ST ATTEMPT", Some(1)),
        ("Undelivered_2nd_Attempt", Some(2)),
        ("UNDELIVERED - 3RD ATTEMPT", Some(3)),
        ("NDR-4TH ATTEMPT", Some(4)),
        ("UNDELIVERED", None),
        ("ATTEMPT", None),
        ("0TH ATTEMPT", None),
        ("LAST ATTEMPT", None),
        ("ST ATTEMPT", None),
        // An attempt to return it to the shop.
        ("RTO UNDELIVERED-1ST ATTEMPT", None),
    ] {
        assert_eq!(attempts(json!({"shipment_status": label})), expected, "{label}");
        let order = json!({"shipment_status": null, "current_status": label});
        assert_eq!(attempts(order), expected, "{label}");
    }
}

#[test]
fn the_higher_count_of_field_and_label_counts() {
    for (count, label, expected) in [
        (0, "UNDELIVERED-1ST ATTEMPT", 1),
        (1, "UNDELIVERED-2ND ATTEMPT", 2),
        (3, "UNDELIVERED-2ND ATTEMPT", 3),
    ] {
        let fields = json!({"delivery_attempt_count": count, "shipment_status": label});
        assert_eq!(attempts(fields), Some(expected), "{count} {label}");
    }
}

#[test]
fn reads_the_name_of_the_carrier() {
    let name = |value: Value| report(&with(json!({"courier_name": value}))).carrier_name;
    assert_eq!(name(json!(" Blue\nDart ")).as_deref(), Some("Blue Dart"));
    assert_eq!(name(json!("x".repeat(500))).map(|name| name.len()), Some(LABEL));
    for none in [json!(null), json!(" "), json!({}), json!([])] {
        assert_eq!(name(none.clone()), None, "{none}");
    }
}

/// Count and carrier are no part of a report's identity.
#[test]
fn neither_changes_the_report_id() {
    let id = report(&body()).id;
    for changes in [json!({"delivery_attempt_count": 2}), json!({"courier_name": "Other"})] {
        assert_eq!(report(&with(changes)).id, id);
    }
}

use serde_json::{Value, json};

use super::{invalid_field, to_json};
use crate::orders::order::Profile;
use crate::orders::request::{NewOrder, OrderPatch};
use crate::testing::{FULL, MINIMAL, REF_SOURCES};

fn profile(body: &str) -> Profile {
    NewOrder::read(body.as_bytes(), &REF_SOURCES).unwrap().profile
}

/// The changed fields with their new values.
fn changed(before: &Profile, patch: &str) -> Value {
    let after =
        to_json(&OrderPatch::read(patch.as_bytes()).unwrap().apply(before, &REF_SOURCES).unwrap());
    let before = to_json(before);
    let fields = after.as_object().unwrap().iter().filter(|(name, value)| before[*name] != **value);
    fields.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Absent fields stay, `null` clears, refs and customer are merged.
#[test]
fn a_patch_changes_its_fields_only() {
    let full = profile(FULL);
    let empty = json!({"phone": null, "firstName": null, "lastName": null});
    for (patch, expected) in [
        ("{}", json!({})),
        (r#"{"customerId":5}"#, json!({"customerId": "5"})),
        (r#"{"poll":null}"#, json!({"poll": null})),
        (r#"{"items":[]}"#, json!({"items": []})),
        (r#"{"fare":7,"payment_status":"paid"}"#, json!({"fare": 7, "paymentStatus": "paid"})),
        (r#"{"paymentMethod":null}"#, json!({"paymentMethod": null})),
        (r#"{"pickup":{"a":1},"drop":null}"#, json!({"pickup": {"a": 1}, "drop": null})),
        (
            r#"{"customerNotes":"x","vendorNotes":[]}"#,
            json!({"customerNotes": "x", "vendorNotes": []}),
        ),
        (
            r#"{"scheduledAt":"2026-02-01T10:00:00+05:30"}"#,
            json!({"scheduledAt": "2026-02-01T04:30:00.000Z"}),
        ),
        (r#"{"metadata":{"only":1}}"#, json!({"metadata": {"only": 1}})),
        (
            r#"{"vendorDetails":{"mobile":null,"vendor_name":"New"}}"#,
            json!({"vendorDetails": {
                "vendorId": 7, "vendorName": "New", "mobile": null,
                "businessAddress": {"city": "Pune"}, "selectedServices": ["stamp"],
            }}),
        ),
        (r#"{"vendorDetails":{}}"#, json!({})),
        (r#"{"vendorDetails":null}"#, json!({"vendorDetails": null})),
        (r#"{"awb":19041424751540}"#, json!({})),
        (r#"{"awb":"B2"}"#, json!({"awb": "B2"})),
        (r#"{"awb":22}"#, json!({"awb": "22"})),
        (r#"{"awb":null}"#, json!({"awb": null})),
        (r#"{"returnAwb":"R2"}"#, json!({"returnAwb": "R2"})),
        (r#"{"return_awb":null}"#, json!({"returnAwb": null})),
        (
            r#"{"awb":"R19041424751540","returnAwb":"R3"}"#,
            json!({"awb": "R19041424751540", "returnAwb": "R3"}),
        ),
        (r#"{"carrierId":7}"#, json!({"carrierId": 7})),
        (r#"{"carrier_id":"x"}"#, json!({"carrierId": "x"})),
        (r#"{"carrierId":null}"#, json!({"carrierId": null})),
        (r#"{"carrierName":"Delhivery"}"#, json!({"carrierName": "Delhivery"})),
        (r#"{"carrier_name":null}"#, json!({"carrierName": null})),
        (r#"{"refs":{}}"#, json!({})),
        (
            r#"{"refs":{"shiprocket":5}}"#,
            json!({"refs": {"shiprocket": "5", "esahayak": "order_12345"}}),
        ),
        (r#"{"refs":{"shiprocket":null}}"#, json!({"refs": {"esahayak": "order_12345"}})),
        (r#"{"refs":null}"#, json!({"refs": {}})),
        (r#"{"customer":{}}"#, json!({})),
        (
            r#"{"customer":{"phone":12}}"#,
            json!({"customer": {
                "phone": "12", "firstName": "Zo\u{eb}", "lastName": "D'Souza \u{1F4E6}",
            }}),
        ),
        (
            r#"{"customer":{"first_name":null,"lastName":"B"}}"#,
            json!({"customer": {"phone": "919876543210", "firstName": null, "lastName": "B"}}),
        ),
        (
            r#"{"customer":{"phone":null,"firstName":null,"lastName":null}}"#,
            json!({"customer": empty}),
        ),
        (r#"{"customer":null}"#, json!({"customer": empty})),
    ] {
        assert_eq!(changed(&full, patch), expected, "{patch}");
    }
}

#[test]
fn patches_a_minimal_order() {
    let minimal = profile(MINIMAL);
    let patch = r#"{"accountCode":"STORE001","awb":"A1","carrierId":9,"poll":"shipway",
        "refs":{"esahayak":"o1"},"customer":{"firstName":"Z"}}"#;
    let expected = json!({
        "awb": "A1", "carrierId": 9, "poll": "shipway", "refs": {"esahayak": "o1"},
        "customer": {"phone": null, "firstName": "Z", "lastName": null},
    });
    assert_eq!(changed(&minimal, patch), expected);
    for patch in [r#"{"awb":null,"refs":null,"customer":null}"#, r#"{"refs":{"shiprocket":null}}"#]
    {
        assert_eq!(changed(&minimal, patch), json!({}), "{patch}");
    }
}

/// Older releases stored texts of any length.
#[test]
fn patches_an_order_whose_stored_texts_are_too_long() {
    let mut stored = profile(FULL);
    stored.customer.phone = Some("7".repeat(41));
    stored.customer.first_name = Some("x".repeat(201));
    assert_eq!(changed(&stored, r#"{"awb":"B2"}"#), json!({"awb": "B2"}));
    let patched = changed(&stored, r#"{"customer":{"phone":"12"}}"#);
    assert_eq!(patched["customer"]["phone"], "12");
    let long = format!(r#"{{"customer":{{"firstName":"{}"}}}}"#, "y".repeat(201));
    let patch = OrderPatch::read(long.as_bytes()).unwrap();
    let field = invalid_field(patch.apply(&stored, &REF_SOURCES));
    assert_eq!(field.as_deref(), Some("customer.firstName"));
}

#[test]
fn reads_the_account_of_a_patch() {
    for (patch, expected) in [
        ("{}", None),
        (r#"{"accountCode":null}"#, None),
        (r#"{"accountCode":"STORE001"}"#, Some("STORE001")),
        (r#"{"account_code":"STORE001"}"#, Some("STORE001")),
    ] {
        let patch = OrderPatch::read(patch.as_bytes()).unwrap();
        assert_eq!(patch.account().map(|account| account.as_str()), expected);
    }
}

/// Each is within the limit of a body.
#[test]
fn patches_cannot_make_an_order_too_large_to_store() {
    let text = |bytes: usize| "x".repeat(bytes);
    let patch = |field: &str, bytes| format!(r#"{{"{field}":{{"a":"{}"}}}}"#, text(bytes));
    let apply = |before: &Profile, patch: &str| {
        OrderPatch::read(patch.as_bytes()).unwrap().apply(before, &REF_SOURCES)
    };
    let mut order = profile(FULL);
    for field in ["metadata", "pickup", "drop", "customerNotes"] {
        order = apply(&order, &patch(field, 60_000)).unwrap();
    }
    let refused = apply(&order, &patch("vendorNotes", 60_000));
    assert_eq!(invalid_field(refused), Some("vendorNotes".to_owned()));
    order = apply(&order, &patch("metadata", 100)).unwrap();
    apply(&order, &patch("vendorNotes", 60_000)).unwrap();
}

#[test]
fn errors_name_the_invalid_field_of_a_patch() {
    let full = profile(FULL);
    let long = format!(r#"{{"customer":{{"phone":"{}"}}}}"#, "7".repeat(41));
    for (patch, field) in [
        (&*long, "customer.phone"),
        ("", "(body)"),
        ("[]", "(body)"),
        (r#"{"awb":}"#, "(body)"),
        (r#"{"accountCode":""}"#, "accountCode"),
        (r#"{"awb":""}"#, "awb"),
        (r#"{"awb":["canary"]}"#, "awb"),
        (r#"{"awb":true}"#, "awb"),
        (r#"{"awb":"1","awb":"2"}"#, "awb"),
        (r#"{"awb":"R19041424751540"}"#, "returnAwb"),
        (r#"{"returnAwb":19041424751540}"#, "returnAwb"),
        (r#"{"return_awb":"can/ary"}"#, "return_awb"),
        (r#"{"carrierId":{"canary":1}}"#, "carrierId"),
        (r#"{"carrierName":["canary"]}"#, "carrierName"),
        (r#"{"refs":"canary"}"#, "refs"),
        (r#"{"refs":{"shipway":1}}"#, "refs.shipway"),
        (r#"{"refs":{"shiprocket":""}}"#, "refs.shiprocket"),
        (r#"{"refs":{"shiprocket":{"canary":1}}}"#, "refs.shiprocket"),
        (r#"{"customer":"canary"}"#, "customer"),
        (r#"{"customer":["canary"]}"#, "customer"),
        (r#"{"customer":{"phone":["canary"]}}"#, "customer.phone"),
        (r#"{"customer":{"firstName":7}}"#, "customer.firstName"),
        (r#"{"poll":"canary"}"#, "poll"),
        (r#"{"items":[{"title":"canary"}]}"#, "items[0].qty"),
        (r#"{"metadata":["canary"]}"#, "metadata"),
        (r#"{"scheduledAt":"canary"}"#, "scheduledAt"),
        (r#"{"vendorDetails":["canary"]}"#, "vendorDetails"),
        (r#"{"orderId":"canary"}"#, "orderId"),
        (r#"{"order_id":null}"#, "orderId"),
        (r#"{"status":"delivered"}"#, "status"),
        (r#"{"status":null}"#, "status"),
        (r#"{"custumer":{"phone":"canary"}}"#, "custumer"),
        (r#"{"customer":{"email":"canary"}}"#, "customer.email"),
        (r#"{"version":3}"#, "version"),
        (r#"{"trackingUrl":null}"#, "trackingUrl"),
    ] {
        let result =
            OrderPatch::read(patch.as_bytes()).and_then(|patch| patch.apply(&full, &REF_SOURCES));
        assert_eq!(invalid_field(result).as_deref(), Some(field), "{patch}");
    }
}

use serde_json::{Value, json};

use super::{invalid_field, to_json};
use crate::orders::order::Profile;
use crate::orders::request::NewOrder;
use crate::testing::{FULL, MINIMAL, REF_SOURCES};
use crate::tracking::status::Status;

fn read(body: &str) -> NewOrder {
    NewOrder::read(body.as_bytes(), &REF_SOURCES).unwrap()
}

fn fingerprint(body: &str) -> String {
    read(body).fingerprint
}

/// The full body with its amounts as strings, because [`Value`] would change the numbers.
fn full() -> Value {
    let mut full: Value = serde_json::from_str(FULL).unwrap();
    full["fare"] = json!({"total": "1.10"});
    full["metadata"] = json!({"k": null});
    full
}

#[test]
fn reads_every_field() {
    let order = read(FULL);
    assert_eq!(order.order_id.as_str(), "ORD-1001");
    assert_eq!(order.account.as_ref().map(|account| account.as_str()), Some("STORE001"));
    assert_eq!(order.status, Status::Pending);
    let profile = to_json(&order.profile);
    let expected: Value = serde_json::from_str(FULL).unwrap();
    for (field, value) in profile.as_object().unwrap() {
        let expected = match field.as_str() {
            "customerId" => json!("778899"),
            "awb" => json!("19041424751540"),
            "refs" => json!({"shiprocket": "348450001", "esahayak": "order_12345"}),
            "customer" => {
                let (first, last) = ("Zo\u{eb}", "D'Souza \u{1F4E6}");
                json!({"phone": "919876543210", "firstName": first, "lastName": last})
            }
            "scheduledAt" => json!("2026-01-21T10:00:00.000Z"),
            field => expected[field].clone(),
        };
        assert_eq!(value, &expected, "{field}");
        assert!(!value.is_null(), "{field} is not in the body");
    }
}

#[test]
fn reads_a_minimal_order() {
    let order = read(MINIMAL);
    assert_eq!(
        (order.order_id.as_str(), order.account, order.status),
        ("ORD-1", None, Status::Pending)
    );
    assert_eq!(order.profile, Profile::default());
}

fn snake(name: &str) -> String {
    name.chars()
        .flat_map(|c| {
            c.is_ascii_uppercase().then_some('_').into_iter().chain([c.to_ascii_lowercase()])
        })
        .collect()
}

/// The same object with snake_case keys in the first levels.
fn snake_keys(value: &Value, levels: usize) -> Value {
    match value {
        Value::Object(fields) if levels > 0 => fields
            .iter()
            .map(|(name, value)| (snake(name), snake_keys(value, levels - 1)))
            .collect(),
        other => other.clone(),
    }
}

#[test]
fn accepts_snake_case() {
    let snake = snake_keys(&full(), 2);
    assert!(
        snake["vendor_details"]["business_address"].is_object()
            && snake["customer"]["first_name"].is_string()
    );
    assert_eq!(read(&snake.to_string()), read(&full().to_string()));
}

#[test]
fn null_counts_as_absent() {
    let mut nulls: Value =
        full().as_object().unwrap().keys().map(|name| (name.clone(), Value::Null)).collect();
    nulls["orderId"] = json!("ORD-1");
    assert_eq!(read(&nulls.to_string()), read(MINIMAL));
    let inner = r#"{"orderId":"ORD-1","refs":{},
        "customer":{"phone":null,"firstName":null,"lastName":null}}"#;
    assert_eq!(read(inner), read(MINIMAL));
}

/// Shops send ids as numbers or as strings.
#[test]
fn accepts_ids_as_numbers() {
    let order = |id: &str| {
        read(&format!(
            r#"{{"orderId":"a","customerId":{id},"awb":{id},
                "refs":{{"shiprocket":{id},"esahayak":{id}}},
                "customer":{{"phone":{id}}}}}"#
        ))
    };
    for number in ["0", "7", "19041424751540", "123456789012345678901234567890"] {
        let as_number = order(number);
        assert_eq!(as_number, order(&format!("\"{number}\"")), "{number}");
        assert_eq!(as_number.profile.awb.as_ref().map(|awb| awb.as_str()), Some(number));
        assert_eq!(as_number.profile.customer.phone.as_deref(), Some(number));
    }
    let plain = read(r#"{"orderId":"a","awb":"007","customer":{"phone":"+91 98765"}}"#).profile;
    assert_eq!(plain.awb.as_ref().map(|awb| awb.as_str()), Some("007"));
    assert_eq!(plain.customer.phone.as_deref(), Some("+91 98765"));
}

#[test]
fn accepts_every_initial_status_but_unknown() {
    for status in &Status::ALL[1..] {
        assert_eq!(read(&format!(r#"{{"orderId":"a","status":"{status}"}}"#)).status, *status);
    }
}

#[test]
fn errors_name_the_invalid_field_of_an_order() {
    let long = format!("\"{}\"", "x".repeat(129));
    for (fields, field) in [
        (r#""awb":"a""#, "orderId"),
        (r#""orderId":7"#, "orderId"),
        (r#""orderId":null"#, "orderId"),
        (r#""orderId":"""#, "orderId"),
        (r#""orderId":" canary""#, "orderId"),
        (r#""orderId":"can/ary""#, "orderId"),
        (r#""orderId":"canary\u0000""#, "orderId"),
        (r#""order_id":"canary\r\n""#, "order_id"),
        (&format!(r#""orderId":{long}"#), "orderId"),
        (r#""orderId":"a","orderId":"b""#, "orderId"),
        (r#""orderId":"a","order_id":"a""#, "orderId"),
        (r#""orderId":"a","awb":"1","awb":"2""#, "awb"),
        (r#""orderId":"a","accountCode":"""#, "accountCode"),
        (r#""orderId":"a","accountCode":7"#, "accountCode"),
        (r#""orderId":"a","status":"""#, "status"),
        (r#""orderId":"a","status":"canary""#, "status"),
        (r#""orderId":"a","status":"unknown""#, "status"),
        (r#""orderId":"a","status":"Delivered""#, "status"),
        (r#""orderId":"a","status":7"#, "status"),
        (r#""orderId":"a","customerId":["canary"]"#, "customerId"),
        (r#""orderId":"a","customerId":true"#, "customerId"),
        (r#""orderId":"a","awb":"""#, "awb"),
        (r#""orderId":"a","awb":" canary""#, "awb"),
        (r#""orderId":"a","awb":{"canary":1}"#, "awb"),
        (r#""orderId":"a","awb":"\ud800""#, "awb"),
        (&format!(r#""orderId":"a","awb":{long}"#), "awb"),
        (r#""orderId":"a","returnAwb":"can/ary""#, "returnAwb"),
        (r#""orderId":"a","awb":"canary","returnAwb":"canary""#, "returnAwb"),
        (r#""orderId":"a","awb":"7","return_awb":7"#, "returnAwb"),
        (r#""orderId":"a","return_awb":"can/ary""#, "return_awb"),
        (r#""orderId":"a","carrierId":["canary"]"#, "carrierId"),
        (r#""orderId":"a","carrierId":false"#, "carrierId"),
        (r#""orderId":"a","carrierName":7"#, "carrierName"),
        (r#""orderId":"a","poll":"canary""#, "poll"),
        (r#""orderId":"a","poll":"canary, expected canary""#, "poll"),
        (r#""orderId":"a","poll":"canary at line 7""#, "poll"),
        (r#""orderId":"a","poll":7"#, "poll"),
        (r#""orderId":"\ud800""#, "orderId"),
        (r#""orderId":"a","refs":"canary""#, "refs"),
        (r#""orderId":"a","refs":["canary"]"#, "refs"),
        (r#""orderId":"a","refs":{"shipway":"canary"}"#, "refs.shipway"),
        (r#""orderId":"a","refs":{"shiprocket":["canary"]}"#, "refs.shiprocket"),
        (r#""orderId":"a","refs":{"shiprocket":""}"#, "refs.shiprocket"),
        (r#""orderId":"a","refs":{"esahayak":"can/ary"}"#, "refs.esahayak"),
        (r#""orderId":"a","refs":{"esahayak":null}"#, "refs.esahayak"),
        (r#""orderId":"a","customer":"canary""#, "customer"),
        (r#""orderId":"a","customer":"canary at line 1""#, "customer"),
        (r#""orderId":"a","customer":["canary","canary"]"#, "customer"),
        (r#""orderId":"a","customer":{"phone":{"canary":1}}"#, "customer.phone"),
        (r#""orderId":"a","customer":{"phone":true}"#, "customer.phone"),
        (r#""orderId":"a","customer":{"firstName":7}"#, "customer.firstName"),
        (r#""orderId":"a","customer":{"last_name":["canary"]}"#, "customer.last_name"),
        (r#""orderId":"a","items":"canary""#, "items"),
        (r#""orderId":"a","items":{"title":"canary","qty":1}"#, "items"),
        (r#""orderId":"a","items":["canary"]"#, "items[0]"),
        (r#""orderId":"a","items":[["canary",null,1]]"#, "items[0]"),
        (r#""orderId":"a","items":[{"qty":1,"price":1}]"#, "items[0].title"),
        (r#""orderId":"a","items":[{"title":"canary","price":1}]"#, "items[0].qty"),
        (
            r#""orderId":"a","items":[{"title":"canary","qty":1,"price":1},{"title":7,"qty":1}]"#,
            "items[1].title",
        ),
        (r#""orderId":"a","items":[{"title":"canary","qty":-1}]"#, "items[0].qty"),
        (r#""orderId":"a","items":[{"title":"canary","qty":1.5}]"#, "items[0].qty"),
        (r#""orderId":"a","items":[{"title":"canary","qty":"1"}]"#, "items[0].qty"),
        (r#""orderId":"a","items":[{"title":"canary","qty":1e400}]"#, "items[0].qty"),
        (r#""orderId":"a","pickup":"canary""#, "pickup"),
        (r#""orderId":"a","drop":["canary"]"#, "drop"),
        (r#""orderId":"a","metadata":7"#, "metadata"),
        (r#""orderId":"a","scheduledAt":"canary""#, "scheduledAt"),
        (r#""orderId":"a","scheduledAt":"2026-01-20T10:00:00""#, "scheduledAt"),
        (r#""orderId":"a","scheduledAt":1768903200"#, "scheduledAt"),
        (r#""orderId":"a","scheduledAt":"1969-12-31T23:59:59Z""#, "scheduledAt"),
        (r#""orderId":"a","vendorDetails":"canary""#, "vendorDetails"),
        (r#""orderId":"a","vendorDetails":["canary"]"#, "vendorDetails"),
        (r#""orderId":"a","#, "(body)"),
        (r#""orderId":"a","awb":nope"#, "(body)"),
        (r#""orderId":7,"awb":nope"#, "(body)"),
    ] {
        let body = format!("{{{fields}}}");
        assert_eq!(
            invalid_field(NewOrder::read(body.as_bytes(), &REF_SOURCES)).as_deref(),
            Some(field),
            "{body}"
        );
    }
}

/// A misspelt field must not get lost.
#[test]
fn errors_name_an_unknown_field_of_an_order() {
    for (fields, field) in [
        (r#""custumer":{"phone":"canary"}"#, "custumer"),
        (r#""later":null"#, "later"),
        (r#""OrderID":"canary""#, "OrderID"),
        (r#""version":1"#, "version"),
        (r#""customer":{"phone":"1","email":"canary"}"#, "customer.email"),
        (r#""vendorDetails":{"vendor":"canary"}"#, "vendorDetails.vendor"),
        (r#""a, expected `b` at line 1":"canary""#, "a, expected `b` at line 1"),
    ] {
        let body = format!(r#"{{"orderId":"a",{fields}}}"#);
        let result = NewOrder::read(body.as_bytes(), &REF_SOURCES);
        let message = result.as_ref().unwrap_err().to_string();
        assert!(message.contains(": unknown field, expected one of `"), "{message}");
        assert_eq!(invalid_field(result).as_deref(), Some(field), "{body}");
    }
}

#[test]
fn rejects_long_names_and_phones() {
    for (field, limit) in [
        ("customerId", 200),
        ("carrierName", 200),
        ("customer.phone", 40),
        ("customer.firstName", 200),
        ("customer.lastName", 200),
    ] {
        let body = |length: usize| {
            // Characters count, not bytes.
            let text = "\u{eb}".repeat(length);
            let fields = match field.strip_prefix("customer.") {
                Some(name) => json!({"orderId": "a", "customer": {name: text}}),
                None => json!({"orderId": "a", field: text}),
            };
            fields.to_string()
        };
        read(&body(limit));
        let rejected = NewOrder::read(body(limit + 1).as_bytes(), &REF_SOURCES);
        assert_eq!(invalid_field(rejected).as_deref(), Some(field));
    }
    let digits = format!(r#"{{"orderId":"a","customer":{{"phone":{}}}}}"#, "7".repeat(41));
    let rejected = NewOrder::read(digits.as_bytes(), &REF_SOURCES);
    assert_eq!(invalid_field(rejected).as_deref(), Some("customer.phone"));
}

#[test]
fn accepts_unusual_values() {
    for fields in [
        r#""metadata":{"later":{"orderId":7}},"fare":{"LATER":null}"#,
        r#""metadata":{},"pickup":{},"drop":{"address":"\ud800"}"#,
        r#""items":[],"refs":{},"customer":{},"vendorDetails":{}"#,
        r#""fare":[[[[1e400]]]],"customerNotes":{"a":false},"paymentMethod":7"#,
        r#""carrierId":"","carrierName":"","customerId":"","customer":{"phone":"","firstName":""}"#,
        r#""items":[{"title":"","qty":0,"price":null,"later":1}]"#,
        r##""awb":"a#b \u202e<script>""##,
    ] {
        read(&format!(r#"{{"orderId":"a",{fields}}}"#));
    }
}

#[test]
fn equivalent_bodies_have_the_same_fingerprint() {
    let plain = full();
    let same = fingerprint(&plain.to_string());
    let mut backwards = String::new();
    for (name, value) in plain.as_object().unwrap().iter().rev() {
        backwards.insert_str(0, &format!(" {}\t:\n{value} ,", json!(name)));
    }
    let backwards = format!("\n{{{} }}\r\n", backwards.trim_end_matches(','));
    let with = |field: &str, value: Value| {
        let mut body = plain.clone();
        body[field] = value;
        body.to_string()
    };
    for body in [
        backwards,
        snake_keys(&plain, 2).to_string(),
        with("fare", json!({"total": "1.10"})).replace("1.10", "\\u0031.10"),
        with("awb", json!("19041424751540")),
        with("scheduledAt", json!("2026-01-21T10:00:00Z")),
        with("accountCode", Value::Null),
        with("status", Value::Null),
    ] {
        assert_eq!(fingerprint(&body), same, "{body}");
    }
}

#[test]
fn different_bodies_have_different_fingerprints() {
    let plain = full();
    let first = fingerprint(&plain.to_string());
    for field in plain
        .as_object()
        .unwrap()
        .keys()
        .filter(|field| !matches!(field.as_str(), "orderId" | "accountCode"))
    {
        let mut body = plain.clone();
        body[field] = if field == "status" { json!("assigned") } else { Value::Null };
        assert_ne!(fingerprint(&body.to_string()), first, "{field}");
    }
    let fare = |fare: &str| fingerprint(&format!(r#"{{"orderId":"a","fare":{fare}}}"#));
    for (one, other) in [("1.10", "1.01"), ("100", "\"100\""), (r#"{"a":1}"#, r#"{"b":1}"#)] {
        assert_ne!(fare(one), fare(other), "{one} {other}");
    }
}

/// A shop's client may write the same body in another way when it repeats a request.
#[test]
fn spellings_of_passed_through_values_have_the_same_fingerprint() {
    let fare = |fare: &str| fingerprint(&format!(r#"{{"orderId":"a","fare":{fare}}}"#));
    for (one, other) in [
        ("1.10", "1.1"),
        ("100", "1e2"),
        (r#"{"a":1,"b":[]}"#, "{\"b\" : [ ],\n\"a\": 1.0}"),
        (r#""a""#, r#""\u0061""#),
    ] {
        assert_eq!(fare(one), fare(other), "{one} {other}");
    }
}

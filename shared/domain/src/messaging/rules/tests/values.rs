use strum::VariantArray;

use super::*;
use crate::messaging::rules::values::Values;
use crate::testing::{FULL, MINIMAL, awb, minute};
use crate::webhooks::notification::Notification;

/// All values of a change, as `name=value`.
fn values(scene: &Scene, tracking_url: Option<&str>) -> Vec<String> {
    let notification = Notification::of_change(&scene.change());
    let values = Values { notification, tracking_url, zone: &Zone::india() };
    let value = |it: &Placeholder| Some(format!("{}={}", it.as_str(), values.get(*it)?));
    Placeholder::VARIANTS.iter().filter_map(value).collect()
}

fn out_for_delivery() -> Report {
    report("r1", Status::OutForDelivery, Some(minute(1)))
}

#[test]
fn a_full_order_has_every_value() {
    let report = Report {
        awb: Some(awb("19041424751540")),
        source_status: Some("OUT FOR DELIVERY".to_owned()),
        location: Some("Pune Hub".to_owned()),
        eta: Timestamp::parse("2026-01-20T18:30:00Z").ok(),
        ..out_for_delivery()
    };
    let expected = [
        "first_name=Zoë",
        "last_name=D'Souza 📦",
        "order_id=ORD-1001",
        "status=Out For Delivery",
        "shipment_status=OUT FOR DELIVERY",
        "awb=19041424751540",
        "carrier=Blue Dart",
        "location=Pune Hub",
        "eta=21 Jan 2026",
        "tracking_url=https://t.example/1",
        "account_code=STORE001",
    ];
    let scene = Scene::new(FULL, &report);
    assert_eq!(values(&scene, Some("https://t.example/1")), expected);
}

#[test]
fn a_small_order_lacks_values() {
    let expected = [
        "order_id=ORD-1",
        "status=Out For Delivery",
        "shipment_status=Out For Delivery",
        "account_code=STORE001",
    ];
    assert_eq!(values(&Scene::new(MINIMAL, &out_for_delivery()), None), expected);
}

#[test]
fn values_are_what_whatsapp_takes() {
    for (name, expected) in [
        ("Zo\u{eb}", Some("Zoë")),
        ("  Ann \t Lee \n", Some("Ann Lee")),
        ("A\u{0}\u{1b}B\u{85}C\u{2028}D\u{a0}E", Some("A B C D E")),
        ("a    b", Some("a b")),
        ("{last_name}", Some("{last_name}")),
        ("", None),
        (" \r\n\t\u{7f}", None),
    ] {
        let body = serde_json::json!({"orderId": "ORD-1", "customer": {"firstName": name}});
        let got = values(&Scene::new(&body.to_string(), &out_for_delivery()), None);
        let first = got.into_iter().find(|it| it.starts_with("first_name="));
        assert_eq!(first, expected.map(|it| format!("first_name={it}")), "{name:?}");
    }
    let report = Report { location: Some("é".repeat(2000)), ..out_for_delivery() };
    let got = values(&Scene::new(MINIMAL, &report), None);
    assert!(got.contains(&format!("location={}", "é".repeat(1024))));
}

/// As in webhooks: the order's carrier is no carrier of a parcel that only reports know.
#[test]
fn the_carrier_is_that_of_the_parcel() {
    let body = r#"{"orderId":"ORD-1","carrierName":"Blue Dart"}"#;
    let report = Report {
        awb: Some(awb("OTHER1")),
        carrier_name: Some("Delhivery".to_owned()),
        ..out_for_delivery()
    };
    let got = values(&Scene::new(body, &report), None);
    assert!(got.contains(&"carrier=Delhivery".to_owned()), "{got:?}");
    assert!(got.contains(&"awb=OTHER1".to_owned()), "{got:?}");
}

//! The bodies, byte for byte. Each snapshot has the posted body and a readable copy.

use super::{Changed, FORMATS, endpoint, fan_out, fan_out_changes, worded};
use crate::orders::order::Order;
use crate::testing::{FULL, MINIMAL, event_id, minute, order, readable, tracking_links};
use crate::tracking::status::Status;
use crate::webhooks::payload::Context;

fn body(format: &str, changed: Changed) -> String {
    let settings = format!(r#"{{"format":"{format}","accounts":["*"]}}"#);
    let deliveries = fan_out_changes(&event_id("e"), &[changed], &[endpoint("shop", &settings)]);
    deliveries[0].body.clone()
}

fn full() -> Changed {
    let mut order: Order = order("STORE001", FULL);
    order.state.latest_message_status = Some("read".to_owned());
    let reports = [
        worded("r1", 1, Status::Assigned, "order.assigned"),
        worded("r2", 2, Status::Accepted, "order.accepted"),
        worded("r3", 3, Status::Completed, "stamp.uploaded"),
        worded("r4", 4, Status::Cancelled, "order.cancelled"),
    ];
    Changed::by_reports(order, &reports)
}

fn minimal() -> Changed {
    Changed::first("STORE001", MINIMAL, "r1", Status::InTransit)
}

#[test]
fn every_format_has_its_body() {
    for format in FORMATS {
        for (name, changed) in [("full", full()), ("minimal", minimal())] {
            let body = body(format, changed);
            insta::assert_snapshot!(
                format!("{format}-{name}"),
                format!("{body}\n\n{}", readable(&body))
            );
        }
    }
}

/// It follows from the order, so a repeated fan-out has the same.
#[test]
fn every_format_has_the_link_of_the_orders_page() {
    let links = tracking_links();
    let changed = minimal();
    let link = links.of(&changed.order);
    for format in FORMATS {
        let settings = format!(r#"{{"format":"{format}","accounts":["*"]}}"#);
        for now in [minute(31), minute(3100)] {
            let context = Context { now, links: Some(&links) };
            let endpoints = [endpoint("shop", &settings)];
            let told = fan_out(&event_id("e"), &[changed.change()], &endpoints, context);
            assert!(told[0].body.contains(&format!(":\"{link}\"")), "{}", told[0].body);
        }
    }
}

#[test]
fn passes_values_through_byte_for_byte() {
    for raw in [
        "1.10",
        "1e2",
        "-0.0",
        "1E+400",
        "123456789012345678901234567890",
        "0.1000000000000000055511151231257827",
        "true",
        r#""\u0041\/ \ud83d\udce6""#,
        "\"\u{1F4E6} <b>&\u{2028}\"",
        r#"{"b":1,"a" :[ 1.0 ],"b":2}"#,
        "[]",
    ] {
        let request =
            format!(r#"{{"orderId":"ORD-1","carrierId":7,"fare":{raw},"customerNotes":{raw}}}"#);
        for format in ["order.status_changed", "standard"] {
            let body = body(format, Changed::first("STORE001", &request, "r1", Status::Delivered));
            assert!(body.contains(&format!(r#""fare":{raw},"#)), "{raw}: {body}");
            assert!(body.contains(&format!(r#""customerNotes":{raw},"#)), "{raw}: {body}");
        }
    }
    for raw in ["7", "7.50", r#""007""#, "123456789012345678901234567890"] {
        let request = format!(r#"{{"orderId":"ORD-1","carrierId":{raw}}}"#);
        let body =
            body("status_update", Changed::first("STORE001", &request, "r1", Status::Delivered));
        assert!(body.contains(&format!(r#""carrier_id":{raw},"#)), "{raw}: {body}");
    }
}

#[test]
fn counts_distinct_products_and_sums_quantities() {
    for (items, products, pieces) in [
        ("null", 0, 0),
        ("[]", 0, 0),
        (r#"[{"title":"a","qty":0,"price":1}]"#, 1, 0),
        (r#"[{"title":"a","qty":2,"price":1},{"title":"b","qty":3,"price":1}]"#, 2, 5),
        (r#"[{"title":"a","qty":2,"price":1},{"title":"a","qty":3,"price":2}]"#, 1, 5),
        (
            r#"[{"title":"a","sku":"1","qty":1,"price":1},{"title":"a","sku":"2","qty":1,"price":1}]"#,
            2,
            2,
        ),
        (
            r#"[{"title":"a","sku":"1","qty":1,"price":1},{"title":"b","sku":"1","qty":1,"price":1}]"#,
            1,
            2,
        ),
        (
            r#"[{"title":"a","sku":1,"qty":1,"price":1},{"title":"b","sku":"1","qty":1,"price":1}]"#,
            1,
            2,
        ),
        (r#"[{"title":"a","sku":null,"qty":1,"price":1},{"title":"a","qty":1,"price":1}]"#, 1, 2),
    ] {
        let request = format!(r#"{{"orderId":"ORD-1","items":{items}}}"#);
        let body =
            body("status_update", Changed::first("STORE001", &request, "r1", Status::Delivered));
        let expected = format!(r#""number_of_product":{products},"number_of_quantity":{pieces},"#);
        assert!(body.contains(&expected), "{items}: {body}");
    }
    let most = format!(
        r#"[{{"title":"a","qty":{0},"price":1}},{{"title":"b","qty":{0},"price":1}}]"#,
        u64::MAX
    );
    assert_eq!(
        order("STORE001", &format!(r#"{{"orderId":"a","items":{most}}}"#)).profile.counts(),
        (2, u64::MAX)
    );
}

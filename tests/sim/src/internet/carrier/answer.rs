//! Answers of the tracking API, true and odd ones.

use fastrand::Rng;
use serde_json::{Value, json};

use super::parcel::Parcel;

/// The product reads that much.
const MAX_ANSWER: usize = 2 * 1024 * 1024;

/// The answer to a call: the parcels that the carrier knows.
pub(crate) fn truth(parcels: &[&Parcel]) -> Vec<Value> {
    parcels.iter().filter_map(|parcel| parcel.item()).collect()
}

/// A readable list that is odd in one of many ways. `others` are parcels that nobody asked about.
pub(crate) fn odd(parcels: &[&Parcel], others: &[&Parcel], random: &mut Rng) -> String {
    let mut items = truth(parcels);
    let chosen = (!items.is_empty()).then(|| random.usize(..items.len()));
    let kind = random.u8(..20);
    match (kind, chosen) {
        (0 | 1, Some(chosen)) => drop(items.remove(chosen)),
        (2, _) => items.clear(),
        (3, _) => items.extend(truth(others)),
        (4, _) => items = truth(others),
        (5, Some(_)) => {
            items.extend(parcels.iter().filter_map(|parcel| parcel.earlier_item()));
        }
        (6, Some(_)) => {
            let earlier: Vec<Value> = parcels.iter().filter_map(|it| it.earlier_item()).collect();
            items.splice(..0, earlier);
        }
        (7, Some(_)) => items = parcels.iter().filter_map(|it| it.earlier_item()).collect(),
        (8, _) => items.reverse(),
        (9, _) => items.extend([Value::Null, json!(7), json!("x"), json!({}), json!([])]),
        (kind, Some(chosen)) => distort(&mut items[chosen], kind, random),
        _ => {}
    }
    let mark = if random.u8(..8) == 0 { "\u{feff}" } else { "" };
    format!("{mark}{}", Value::from(items))
}

/// Spoils one item.
fn distort(item: &mut Value, kind: u8, random: &mut Rng) {
    let awb = item["awb"].as_str().unwrap_or_default().to_owned();
    let details = &mut item["tracking_details"];
    match kind {
        10 => item["awb"] = spelled_otherwise(&awb, random),
        11 => item["awb"] = Value::Null,
        12 => details["shipment_track_activities"] = odd_value(random),
        13 => details["shipment_status"] = odd_value(random),
        14 => details["shipment_details"] = odd_value(random),
        15 => *details = odd_value(random),
        16 => details["shipment_track_activities"][0]["date"] = odd_date(random),
        17 => details["shipment_details"][0]["current_status"] = odd_value(random),
        18 => {
            let scan = details["shipment_track_activities"][0].clone();
            details["shipment_track_activities"] = vec![scan; 1000].into();
        }
        _ => details["shipment_details"] = details["shipment_details"][0].clone(),
    }
}

fn spelled_otherwise(awb: &str, random: &mut Rng) -> Value {
    match (awb.parse::<u64>(), random.bool()) {
        (Ok(number), true) => number.into(),
        (Ok(number), false) => number.to_string().into(),
        (Err(_), true) => awb.to_ascii_lowercase().into(),
        (Err(_), false) => awb.to_ascii_uppercase().into(),
    }
}

fn odd_value(random: &mut Rng) -> Value {
    let values = [
        Value::Null,
        json!(""),
        json!(7),
        json!(true),
        json!({}),
        json!([]),
        json!([null, 7, {"date": null}]),
        json!({"0": {"date": "2026-03-02 11:30:00", "activity": "x"}}),
        json!("XYZZY"),
        json!("x".repeat(5000)),
    ];
    values[random.usize(..values.len())].clone()
}

fn odd_date(random: &mut Rng) -> Value {
    let dates = [
        // In the future.
        json!("2031-01-01 00:00:00"),
        json!("2026-03-02 13:00:00"),
        // Long ago.
        json!("2001-01-01 00:00:00"),
        json!("0000-00-00 00:00:00"),
        json!("1970-01-01 05:30:00"),
        json!("02/03/2026 11:30"),
        json!("2026-03-02T06:00:00Z"),
        json!("2026-03-02T06:00:00+05:30"),
        json!("NaN"),
        json!(1_772_431_200),
        Value::Null,
    ];
    dates[random.usize(..dates.len())].clone()
}

/// A body that is no answer at all.
pub(crate) fn unreadable(parcels: &[&Parcel], random: &mut Rng) -> Vec<u8> {
    let list = Value::from(truth(parcels)).to_string();
    match random.u8(..14) {
        0 => "<!DOCTYPE html><html><body>Please log in</body></html>".into(),
        1 => r#"{"success":false,"message":"Something went wrong"}"#.into(),
        2 => format!(r#"{{"success":true,"data":{list}}}"#).into(),
        3 => format!(r#"{{"0":{list}}}"#).into(),
        4 => list.replace("\"awb\"", "\"waybill\"").replace("[]", "[{}]").into(),
        5 => list.replace("\"0.5\"", "NaN").replace("[]", "[NaN]").into(),
        6 => [list.as_bytes(), &[0xe4]].concat(),
        7 => vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x63, 0x60],
        8 => list.get(..list.len() / 2).unwrap_or_default().into(),
        9 => Vec::new(),
        10 => vec![b' '; MAX_ANSWER + 1],
        11 => "[".repeat(100).into(),
        12 => list.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        _ => "null".into(),
    }
}

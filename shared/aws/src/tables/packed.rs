//! JSON of an order's rows, compressed after a dictionary of its common parts.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::attr::{Item, bytes, read_bytes};
use super::deflate::{compress_after, decompress_after};
use crate::error::IoError;

/// Frequent text is near the end, where references to it are short.
const DICTIONARY: &str = concat!(
    r#"{"answer":{"at":"from":"text":"message_id":"in_reply_to":"withdrawal":{"report_id":""#,
    r#""logged_as":""parcel":{"rev":2,"change":{"named":{"direction":"forward","awb":"return"added":{"#,
    r#""carrier_id":null,"moved":{"name":{"released":{"recycled":true"latest_message_at":"#,
    r#""latest_message_id":"wa_"latest_message_status":"read"sent"delivered"erased_at":"#,
    r#""added":["return_awb":"replaced":true"learnt":true"added_at":"leg":"return""late":true,"#,
    r#""kind":"button"list"payload":"title":"answered":{"id":"template":"message_status":"whatsapp"#,
    r#"payment_requested payment_confirmed arrival_confirmed in_progress assigned accepted completed "#,
    r#"processing pickup_failed failed delayed exception lost cancelled return_initiated "#,
    r#"return_in_transit return_out_for_delivery returned unknown undelivered delivered picked_up "#,
    r#"Pickup Scheduled Out For Pickup PICKED UP SHIPPED RTO INITIATED REACHED AT DESTINATION HUB "#,
    r#"IN TRANSIT OUT FOR DELIVERY UNDELIVERED DELIVERED Picked Up Undelivered Delivered "#,
    r#""note":""esahayak"shipway"api"Hub Mumbai Delhi Bengaluru Chennai Pune "#,
    r#"Delhivery Surface Blue Dart Ekart Xpressbees "#,
    r#"{"created_at":"2026-01-20T10:00:00.000Z","entries":1,"entry_rev":"#,
    r#""parcels":[{"awb":"190","carrier_name":"Delhivery","checkpoints":""}],"#,
    r#""previous_status":"pending","profile_rev":1,"rev":2,"start":{"awb":"190","status":"pending"},"#,
    r#""tracking":{"accepted_at":"assigned_at":"attempts":1,"cancellation":{"at":"by":"api","reason":"#,
    r#""completed_at":"2026-01-20T10:00:00.000Z","eta":"2026-01-20T00:00:00.000Z","#,
    r#""label":"In Transit","location":"","since":"2026-01-20T10:00:00.000Z","status":"in_transit"},"#,
    r#""updated_at":"2026-01-20T10:00:00.000Z","version":2}"#,
    r#"[{"id":"","occurred_at":"2026-01-20T10:00:00.000Z","fact":{"report":{"source":"shiprocket","#,
    r#""awb":"190","provider_id":"","spelled_id":"","status":"in_transit","leg":"outbound","#,
    r#""source_status":"IN TRANSIT","location":"","eta":"2026-01-20T00:00:00.000Z","attempts":1,"#,
    r#""carrier_name":"Delhivery"}},"event_id":"","received_at":"2026-01-20T10:00:00.000Z","#,
    r#""recorded_at":"2026-01-20T10:00:00.000Z","rev":2,"transition":{"attempts":1,"#,
    r#""label":"Out For Delivery","occurred_at":"2026-01-20T10:00:00.000Z","#,
    r#""parcels":[{"awb":"190"}],"previous_attempts":1,"previous_label":"Pending","#,
    r#""previous_status":"pending","status":"out_for_delivery","version":2}},"#,
);

pub(crate) fn pack(value: &impl Serialize) -> Result<AttributeValue, IoError> {
    let json = serde_json::to_vec(value).map_err(|_| IoError::unreadable("serde_json", "value"))?;
    Ok(bytes(compress_after(DICTIONARY.as_bytes(), &json)))
}

pub(crate) fn unpack<T: DeserializeOwned>(row: &Item, name: &str) -> Result<T, IoError> {
    let unreadable = || IoError::unreadable("dynamodb", name);
    unpack_bytes(read_bytes(row, name).ok_or_else(unreadable)?).ok_or_else(unreadable)
}

/// `None` if it cannot be read.
pub fn unpack_bytes<T: DeserializeOwned>(packed: &[u8]) -> Option<T> {
    serde_json::from_slice(&decompress_after(DICTIONARY.as_bytes(), packed)?).ok()
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use data_encoding::HEXLOWER;
    use domain::core::hash::Fingerprint;
    use serde_json::{Value, json};

    use super::*;
    use crate::tables::attr::item;

    fn read(packed: AttributeValue) -> Result<Value, IoError> {
        unpack(&item([("state", packed)]), "state")
    }

    #[test]
    fn reads_what_it_packed() {
        for value in [json!({}), json!("pending"), json!({"text": "किताब \u{0}".repeat(9000)})]
        {
            assert_eq!(read(pack(&value).unwrap()).unwrap(), value);
        }
    }

    /// By the library of releases before, miniz_oxide.
    #[test]
    fn reads_what_another_library_packed() {
        let hex = b"7dd1a10900000844d15d1cc141dcc16415c124ee6e942bd77ff8f086a6bfa2406b1ed9257b";
        let packed = HEXLOWER.decode(hex).unwrap();
        let value = json!({"status": "out_for_delivery", "attempts": 2, "location": "Nagpur"});
        assert_eq!(read(bytes(packed)).unwrap(), value);
    }

    #[test]
    fn a_text_of_the_dictionary_is_a_few_bytes() {
        let (_, tail) = DICTIONARY.as_bytes().split_at(DICTIONARY.len() - 250);
        let packed = compress_after(DICTIONARY.as_bytes(), tail);
        assert!(packed.len() < 20, "{packed:?}");
    }

    #[test]
    fn the_dictionary_never_changes() {
        let hash = Fingerprint::of("dictionary").with(DICTIONARY).finish();
        assert_eq!(hash, "x5zfbxotkb5gyzkxzr6qslx7otuxgrey");
    }

    #[test]
    fn refuses_what_is_not_packed() {
        for bad in [&b""[..], b"\xff\xff", b"\x03\x00"] {
            assert!(read(bytes(bad.to_vec())).is_err(), "{bad:?}");
        }
        let json = compress_after(DICTIONARY.as_bytes(), b"{\"a\":");
        assert!(read(bytes(json)).is_err());
    }
}

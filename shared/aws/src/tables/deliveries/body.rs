//! The body of a delivery as its row has it: DEFLATE (RFC 1951) after a dictionary.
//!
//! Most of a body is names of fields. Compressed by one that knows them it takes half the space, and
//! the row of an ordinary delivery has one kilobyte, a write unit, instead of two.
//!
//! The first byte says which dictionary: its low bits, 111, begin no DEFLATE stream, so a release that
//! does not know it fails to read the row. Rows of older releases have DEFLATE without a dictionary.

mod dictionary;

use self::dictionary::DICTIONARY;
use crate::error::IoError;
use crate::tables::deflate::{compress_after, decompress, decompress_after};

/// A last block of the reserved type. The other bits have the number of the dictionary, 0.
const MARK: u8 = 0b111;

pub(super) fn pack(body: &[u8]) -> Vec<u8> {
    let mut packed = compress_after(DICTIONARY, body);
    packed.insert(0, MARK);
    packed
}

/// The body of a row's attribute `body`.
pub fn unpack(packed: &[u8]) -> Result<Vec<u8>, IoError> {
    match packed.split_first() {
        Some((&MARK, rest)) => {
            decompress_after(DICTIONARY, rest).ok_or_else(|| IoError::unreadable("deflate", "body"))
        }
        _ => decompress(packed),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use flate2::Crc;

    use super::*;
    use crate::tables::deflate::compress;

    const BODY: &str = concat!(
        r#"{"type":"order.status_changed","timestamp":"2023-05-23T03:30:00.000Z","data":{"#,
        r#""orderId":"ORD-1001","customerId":"C-7","status":"in_transit","previousStatus":"#,
        r#""picked_up","updatedAt":"2026-11-28T03:45:51.123Z","orderData":{"fare":300,"#,
        r#""paymentMethod":"cod","paymentStatus":null,"pickup":null,"drop":{"address": "पुणे"},"#,
        r#""items":[{"title":"Tea","sku":"T-1","qty":2,"price":1}],"customerNotes":null,"#,
        r#""vendorNotes":null,"scheduledAt":null,"assignedAt":"2026-11-28T03:45:51.123Z","#,
        r#""acceptedAt":null,"completedAt":null,"cancelledAt":null,"cancellationReason":null,"#,
        r#""cancelledBy":null,"createdAt":"2026-11-28T03:45:31.123Z","metadata":null},"#,
        r#""vendorDetails":{},"sequence":2,"accountCode":"STORE001","awb":"191764301234567","#,
        r#""occurredAt":"2023-05-23T03:30:00.000Z","currentShipmentStatus":"IN TRANSIT","#,
        r#""location":"Sampleville_H","eta":null,"note":null,"deliveryAttempts":0,"shipments":"#,
        r#"[{"awb":"191764301234567","direction":"forward","carrierName":"Delhivery","status":"#,
        r#""in_transit","currentShipmentStatus":"IN TRANSIT","deliveryAttempts":0,"replaced":"#,
        r#"false}],"trackingUrl":null}}"#
    );

    #[test]
    fn unpacks_what_it_packed() {
        let long = BODY.repeat(100);
        for body in ["", "{}", "नमस्ते", BODY, &long] {
            let packed = pack(body.as_bytes());
            assert_eq!(unpack(&packed).unwrap(), body.as_bytes());
            assert!(packed.len() < body.len() / 2 + 20, "{} of {}", packed.len(), body.len());
        }
        let (packed, plain) = (pack(BODY.as_bytes()), compress(BODY.as_bytes()));
        assert!(packed.len() * 3 < plain.len() * 2, "{} of {}", packed.len(), plain.len());
    }

    #[test]
    fn reads_rows_of_older_releases() {
        assert_eq!(unpack(&compress(BODY.as_bytes())).unwrap(), BODY.as_bytes());
        assert_eq!(unpack(&compress(b"")).unwrap(), b"");
    }

    /// Rows outlive releases: another dictionary gets another number.
    #[test]
    fn the_dictionary_never_changes() {
        let mut crc = Crc::new();
        crc.update(DICTIONARY);
        assert_eq!((DICTIONARY.len(), crc.sum()), (2742, 3_874_471_819));
        let stored = b"\x07\xc3\xd4\x80\x5c\x5b\x82\x63\xdc\x5f\xd7\x50\xa9\x16\x00";
        assert_eq!(unpack(stored).unwrap(), br#"{"type":"order.stalled","orderId":"O-1"}"#);
    }

    #[test]
    fn refuses_what_is_no_body() {
        let packed = pack(BODY.as_bytes());
        let mut newer = packed.clone();
        newer[0] |= 1 << 3;
        for other in [&packed[..packed.len() / 2], &newer, &[MARK], b"\xff\xff"] {
            assert!(unpack(other).is_err(), "{other:?}");
            assert!(decompress(&newer).is_err());
        }
    }
}

//! The couriers' own tracking pages.

use crate::core::id::Awb;

/// Names, lower case without spaces, and the address before the AWB. Source: the couriers' sites.
const PAGES: [(&str, &str); 4] = [
    (
        "bluedart",
        "https://www.bluedart.com/web/guest/trackdartresultthirdparty?trackFor=0&trackNo=",
    ),
    ("delhivery", "https://www.delhivery.com/track/package/"),
    ("ecomexpress", "https://www.ecomexpress.in/tracking/?awb_field="),
    ("xpressbees", "https://www.xpressbees.com/shipment/tracking?awbNo="),
];

/// The courier's page of a parcel. `None` for couriers whose pages are not known, and AWBs with
/// other characters than letters and digits.
pub fn courier_url(carrier: &str, awb: &Awb) -> Option<String> {
    let name: String =
        carrier.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let (_, page) = PAGES.iter().find(|(known, _)| name.starts_with(known))?;
    let awb = awb.as_str();
    let is_plain = awb.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_plain.then(|| format!("{page}{awb}"))
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn knows_couriers_by_their_names() {
        for (carrier, awb, expected) in [
            ("Delhivery Surface 2kg", "19000501", Some("delhivery.com/track/package/19000501")),
            ("Blue Dart", "75", Some("trackNo=75")),
            ("BLUEDART-AIR", "75", Some("trackNo=75")),
            ("Xpressbees", "1&a=b", None),
            ("Nobody", "75", None),
            ("", "75", None),
        ] {
            let awb = Awb::parse(awb).unwrap();
            let url = courier_url(carrier, &awb);
            assert_eq!(url.is_some(), expected.is_some(), "{carrier}");
            let expected = expected.unwrap_or_default();
            assert!(url.unwrap_or_default().ends_with(expected), "{carrier}");
        }
    }
}

//! Shiprocket's own count of delivery attempts.

use super::status::names_return;
use super::{order_label, shipment_label};
use crate::text::{Fields, normalise};

/// A higher count is a mistake.
const MAX: u32 = 99;

/// The count in `delivery_attempt_count` or in a label such as `UNDELIVERED-2ND ATTEMPT`, whichever
/// is higher. Zero is no count: bodies have it by default.
pub(super) fn read(body: &Fields) -> Option<u32> {
    let count = body.digits("delivery_attempt_count").and_then(|text| text.parse().ok());
    let labels = [shipment_label(body), order_label(body)];
    let in_labels = labels.iter().flatten().filter_map(|label| of_label(label));
    in_labels.chain(count).filter(|count| (1..=MAX).contains(count)).max()
}

/// Attempts to return the parcel to the shop do not count.
fn of_label(label: &str) -> Option<u32> {
    if names_return(label) {
        return None;
    }
    let label = normalise(label);
    let words: Vec<&str> = label.split(' ').collect();
    words.windows(2).find_map(|pair| if pair[1] == "ATTEMPT" { ordinal(pair[0]) } else { None })
}

fn ordinal(word: &str) -> Option<u32> {
    let suffixes = ["ST", "ND", "RD", "TH"];
    suffixes.into_iter().find_map(|suffix| word.strip_suffix(suffix)?.parse().ok())
}

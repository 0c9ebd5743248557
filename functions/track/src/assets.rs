//! The scripts: that of the page, whose name changes with its content so that browsers keep it for a
//! year, and that of shops, whose address stands in their pages.

use std::sync::LazyLock;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

pub(crate) const PAGE: &str = include_str!("../assets/track.js");
const ELEMENT: &str = include_str!("../assets/order-tracker.js");
const ELEMENT_NAME: &str = "order-tracker.js";

/// The name of the page's script.
pub(crate) static PAGE_SCRIPT: LazyLock<String> =
    LazyLock::new(|| format!("track-{}.js", HEXLOWER.encode(&Sha256::digest(PAGE)[..5])));

pub(crate) struct Asset {
    pub(crate) text: &'static str,
    pub(crate) cached: &'static str,
}

pub(crate) fn find(name: &str) -> Option<Asset> {
    let cached_for_ever = "public, max-age=31536000, immutable";
    match name {
        ELEMENT_NAME => Some(Asset { text: ELEMENT, cached: "public, max-age=3600" }),
        name if name == *PAGE_SCRIPT => Some(Asset { text: PAGE, cached: cached_for_ever }),
        _ => None,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use aws::lambda::gzip::gzip;

    use super::*;

    #[test]
    fn finds_scripts_by_their_names_only() {
        assert_eq!(find(&PAGE_SCRIPT).unwrap().cached, "public, max-age=31536000, immutable");
        assert_eq!(find(ELEMENT_NAME).unwrap().cached, "public, max-age=3600");
        for name in ["", "track.js", "track-0000000000.js", "../track.css"] {
            assert!(find(name).is_none(), "{name}");
        }
    }

    #[test]
    fn the_element_is_small() {
        assert!(gzip(ELEMENT, 9).unwrap().len() <= 15_000);
    }
}

//! The setting by which orders have links to their pages.

use serde_json::json;

/// Of the pages, which open sockets.
pub(crate) const SITE: &str = "https://track.example.com";

pub(crate) fn setting() -> String {
    let keys = ["canary-key-of-the-tracking-links-012"];
    json!({ "keys": keys, "public_url": SITE }).to_string()
}

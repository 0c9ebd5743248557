//! Pages of a list. A cursor encodes the sort key of the last item of a page, and a checksum.
//!
//! The checksum refuses an altered cursor. It is no signature: whoever forges one gets another place
//! in a list that shows only what the caller may see. A place that the caller may not know is
//! encrypted before (`ops`).

use data_encoding::BASE64URL_NOPAD;
use serde::Serialize;
use sha2::{Digest, Sha256};

pub const MAX_LIMIT: usize = 100;
pub const DEFAULT_LIMIT: usize = 50;

/// Bytes of a cursor's checksum.
const CHECKSUM: usize = 8;

#[derive(Debug, Serialize)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// The cursor of the next page; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page: Option<String>,
}

/// The result of a query: some items, and whether more follow.
#[derive(Debug)]
pub struct Slice<T> {
    pub items: Vec<T>,
    /// True if more items may follow.
    pub has_more: bool,
}

impl<T> Slice<T> {
    /// The cursor of the next page.
    pub fn next_page(&self, sort_key: impl Fn(&T) -> String) -> Option<String> {
        self.items.last().filter(|_| self.has_more).map(|last| cursor(&sort_key(last)))
    }
}

/// The query parameters `limit` and `page`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// 1 to [`MAX_LIMIT`].
    pub limit: usize,
    /// The sort key of the last item of the previous page.
    pub after: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPage {
    #[error("must be a whole number from 1 to 100")]
    Limit,
    #[error("must be the next_page of the previous page")]
    Page,
}

impl InvalidPage {
    pub fn field(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::Page => "page",
        }
    }
}

impl PageRequest {
    /// A cursor has a sort key only: it does not decide which tenant's items are shown.
    pub fn parse(limit: Option<&str>, page: Option<&str>) -> Result<Self, InvalidPage> {
        let limit =
            limit.map_or(Ok(DEFAULT_LIMIT), |text| text.parse().map_err(|_| InvalidPage::Limit))?;
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(InvalidPage::Limit);
        }
        let after = page.map(read_cursor).transpose()?;
        Ok(Self { limit, after })
    }
}

/// The cursor of the page after this sort key.
pub fn cursor(sort_key: &str) -> String {
    BASE64URL_NOPAD.encode(&[&checksum(sort_key)[..], sort_key.as_bytes()].concat())
}

fn checksum(sort_key: &str) -> [u8; CHECKSUM] {
    let digest = Sha256::new_with_prefix("page\n").chain_update(sort_key).finalize();
    std::array::from_fn(|n| digest[n])
}

fn read_cursor(text: &str) -> Result<String, InvalidPage> {
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| InvalidPage::Page)?;
    let (sum, key) = bytes.split_at_checked(CHECKSUM).ok_or(InvalidPage::Page)?;
    std::str::from_utf8(key)
        .ok()
        .filter(|key| !key.is_empty() && key.len() <= 1000 && sum == checksum(key))
        .map(str::to_owned)
        .ok_or(InvalidPage::Page)
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn parses_cursors_and_limits() {
        let next = cursor("2026-01-20T04:45:30.000Z/ORD#1");
        let page = PageRequest::parse(Some("7"), Some(&next)).unwrap();
        assert_eq!(
            page,
            PageRequest { limit: 7, after: Some("2026-01-20T04:45:30.000Z/ORD#1".to_owned()) }
        );
        assert_eq!(PageRequest::parse(None, None).unwrap().limit, DEFAULT_LIMIT);
        for limit in ["0", "-1", "101", "1e9", "x", ""] {
            assert_eq!(PageRequest::parse(Some(limit), None), Err(InvalidPage::Limit), "{limit}");
        }
        for page in ["", "!", "AAAA=", "_w"] {
            assert_eq!(PageRequest::parse(None, Some(page)), Err(InvalidPage::Page), "{page}");
        }
    }

    #[test]
    fn refuses_an_altered_cursor() {
        let page = |page: &str| PageRequest::parse(None, Some(page));
        let sort_key = "2026-01-20T04:45:30.000Z/ORD#1";
        let next = cursor(sort_key);
        let bytes = BASE64URL_NOPAD.decode(next.as_bytes()).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut altered = bytes.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(page(&BASE64URL_NOPAD.encode(&altered)), Err(InvalidPage::Page), "{bit}");
        }
        for other in [&bytes[1..], &bytes[..bytes.len() - 1], &bytes[..8], sort_key.as_bytes()] {
            assert_eq!(page(&BASE64URL_NOPAD.encode(other)), Err(InvalidPage::Page), "{other:?}");
        }
    }
}

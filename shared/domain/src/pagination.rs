//! Lists come in pages; a cursor says where the next one begins.

use data_encoding::BASE64URL_NOPAD;
use serde::Serialize;

/// The most items on a page, and
pub const MAX_LIMIT: usize = 100;
/// how many there are unless asked for otherwise.
pub const DEFAULT_LIMIT: usize = 50;

/// One page of a list.
#[derive(Debug, Serialize)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next page begins; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page: Option<String>,
}

/// Some of a list's items, and whether more come after them.
#[derive(Debug)]
pub struct Slice<T> {
    /// The items.
    pub items: Vec<T>,
    /// Whether there may be more.
    pub has_more: bool,
}

impl<T> Slice<T> {
    /// Where the next page begins, if there is one. `sort_key` says where an item stands in the list.
    pub fn next_page(&self, sort_key: impl Fn(&T) -> String) -> Option<String> {
        self.items.last().filter(|_| self.has_more).map(|last| cursor(&sort_key(last)))
    }
}

/// What a caller asks for with `limit` and `page`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// How many items, 1 to [`MAX_LIMIT`].
    pub limit: usize,
    /// The sort key of the last item of the page before.
    pub after: Option<String>,
}

/// A query parameter that is no page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPage {
    /// `limit`.
    #[error("must be a whole number from 1 to 100")]
    Limit,
    /// `page`.
    #[error("must be the next_page of the page before")]
    Page,
}

impl InvalidPage {
    /// The parameter at fault.
    pub fn field(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::Page => "page",
        }
    }
}

impl PageRequest {
    /// Reads the two query parameters. A cursor holds a sort key and nothing that decides whose items are shown.
    ///
    /// # Errors
    /// Which of them is wrong.
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

/// The cursor of the page that begins after this sort key.
pub fn cursor(sort_key: &str) -> String {
    BASE64URL_NOPAD.encode(sort_key.as_bytes())
}

fn read_cursor(text: &str) -> Result<String, InvalidPage> {
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| InvalidPage::Page)?;
    String::from_utf8(bytes)
        .ok()
        .filter(|key| !key.is_empty() && key.len() <= 1000)
        .ok_or(InvalidPage::Page)
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn cursors_round_trip_and_limits_hold() {
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
}

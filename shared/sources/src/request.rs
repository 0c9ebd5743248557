//! A webhook request.

use std::net::IpAddr;

use domain::core::hash::Fingerprint;
use domain::core::id::AccountCode;
use domain::tracking::report::SourceName;

#[derive(Clone, Copy, Default)]
pub struct Request<'a> {
    /// The tenant, if the hook or the source's settings name it. It is part of every report id.
    pub account: Option<&'a AccountCode>,
    pub headers: &'a [(&'a str, &'a str)],
    /// The peer address that API Gateway saw. The sender controls headers such as
    /// `x-forwarded-for`, so they are not used.
    pub source_ip: Option<IpAddr>,
    /// The raw bytes, over which signatures are computed.
    pub body: &'a [u8],
}

impl<'a> Request<'a> {
    /// Restores the request of a stored event, which keeps neither headers nor address.
    pub fn stored(account: Option<&'a AccountCode>, body: &'a [u8]) -> Self {
        Self { account, body, ..Self::default() }
    }

    /// Looks a header up by its name in any case. A repeated header counts as absent.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        single_value(self.headers, |key| key.eq_ignore_ascii_case(name))
    }

    /// Starts a report id. The caller adds everything that makes two reports the same report.
    pub(crate) fn report_id(&self, source: &SourceName) -> Fingerprint {
        let account = self.account.map_or("", AccountCode::as_str);
        Fingerprint::of("report").with(account).with(source.as_str())
    }
}

/// The value of the only pair with a matching name. A repeated name is ambiguous and counts as
/// absent.
pub(crate) fn single_value<'a>(
    pairs: &[(&str, &'a str)],
    matches: impl Fn(&str) -> bool,
) -> Option<&'a str> {
    let mut values = pairs.iter().filter(|(name, _)| matches(name));
    let first = values.next();
    first.filter(|_| values.next().is_none()).map(|(_, value)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_ignores_case_and_rejects_repeats() {
        let headers = [("X-Api-Key", "a"), ("x-twice", "a"), ("X-TWICE", "a")];
        let request = Request { headers: &headers, ..Request::default() };
        assert_eq!(request.header("x-api-key"), Some("a"));
        assert_eq!(request.header("x-twice"), None);
        assert_eq!(request.header("x-other"), None);
    }
}

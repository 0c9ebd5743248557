//! The filter of a log listing.

use std::collections::BTreeSet;

use domain::auth::{Accounts, Caller};
use domain::core::id::AccountCode;
use domain::core::timestamp::Timestamp;
use domain::tracking::report::SourceName;

use super::LogRow;
use crate::tables::inbound::EventState;

/// A listing's filter, including the caller's tenant scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFilter {
    pub status: Option<EventState>,
    pub source: Option<SourceName>,
    pub account: Option<AccountCode>,
    /// Received at this time or later.
    pub from: Option<Timestamp>,
    /// Received before this time.
    pub to: Option<Timestamp>,
    /// Sees only events of their own accounts.
    pub caller: Caller,
}

/// A query parameter with an unknown value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidFilter {
    #[error("must be one of {}", state_names())]
    Status,
    #[error("must be the name of a source")]
    Source,
}

fn state_names() -> String {
    let names: Vec<&str> = EventState::ALL.iter().map(|state| state.as_str()).collect();
    names.join(", ")
}

impl InvalidFilter {
    /// The name of the parameter.
    pub fn field(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Source => "source",
        }
    }
}

impl LogFilter {
    /// Parses the query parameters `status` and `source`. `is_source` recognizes names of sources.
    pub fn parse(
        caller: Caller,
        status: Option<&str>,
        source: Option<&str>,
        is_source: impl Fn(&str) -> bool,
    ) -> Result<Self, InvalidFilter> {
        let status =
            status.map(|text| EventState::parse(text).ok_or(InvalidFilter::Status)).transpose()?;
        let source = source.map(|name| {
            is_source(name).then(|| SourceName::from(name)).ok_or(InvalidFilter::Source)
        });
        let source = source.transpose()?;
        Ok(Self { status, source, account: None, from: None, to: None, caller })
    }

    /// True if many rows may have to be read for few matches. Notable states are not narrow: their
    /// index has no other events.
    pub(super) fn is_narrow(&self) -> bool {
        let by_state = self.status.is_some_and(|status| !status.is_notable());
        by_state || self.source.is_some() || self.account.is_some() || !self.caller.can_see(None)
    }

    /// The accounts whose events may match, unless all may.
    pub(super) fn accounts(&self) -> Option<BTreeSet<AccountCode>> {
        match (&self.account, self.caller.accounts()) {
            (Some(account), _) => Some([account.clone()].into()),
            (None, Accounts::Only(list)) => Some(list.clone()),
            (None, Accounts::All) => None,
        }
    }

    /// True if the row matches and the caller may see it.
    pub(super) fn matches(&self, row: &LogRow) -> bool {
        self.from.is_none_or(|from| row.received_at >= from)
            && self.to.is_none_or(|to| row.received_at < to)
            && self.status.is_none_or(|status| row.state == status)
            && self.source.as_ref().is_none_or(|source| row.source == *source)
            && self.account.as_ref().is_none_or(|account| row.account.as_ref() == Some(account))
            && self.caller.can_see(row.account.as_ref())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use domain::auth::BasicCredentials;
    use domain::core::id::EventId;

    use super::*;

    fn caller(accounts: &str) -> Caller {
        // The SHA-256 of `a-password-of-twenty`. The header is `u:` and that in base64.
        let hash = "107d6e8f38a9025a571664ca144b3790fae1726f4575acc6599ab059232e7fca";
        let user =
            format!(r#"{{"password_sha256":"{hash}","role":"viewer","accounts":{accounts}}}"#);
        let user = serde_json::from_str(&user).unwrap();
        BasicCredentials::parse("Basic dTphLXBhc3N3b3JkLW9mLXR3ZW50eQ==")
            .unwrap()
            .check(&user)
            .unwrap()
    }

    fn non_empty(text: &str) -> Option<&str> {
        Some(text).filter(|text| !text.is_empty())
    }

    fn filter(accounts: &str, status: &str, source: &str, account: &str) -> LogFilter {
        let filter =
            LogFilter::parse(caller(accounts), non_empty(status), non_empty(source), |_| true)
                .unwrap();
        LogFilter { account: AccountCode::parse(account).ok(), ..filter }
    }

    fn row(account: Option<&str>) -> LogRow {
        LogRow {
            id: EventId::parse("e").unwrap(),
            source: SourceName::new("shiprocket"),
            account: account.map(|code| AccountCode::parse(code).unwrap()),
            received_at: Timestamp::from_millis(0).unwrap(),
            state: EventState::Failed,
            reason: None,
            settled_at: None,
            erased_at: None,
        }
    }

    #[test]
    fn rejects_unknown_status_or_source() {
        let parse = |status, source| {
            LogFilter::parse(caller(r#"["*"]"#), status, source, |name| name == "shiprocket")
        };
        for &state in EventState::ALL {
            assert_eq!(parse(Some(state.as_str()), None).unwrap().status, Some(state));
        }
        assert_eq!(
            parse(None, Some("shiprocket")).unwrap().source,
            Some(SourceName::new("shiprocket"))
        );
        for status in ["", "Failed", "failed ", "pending", "*"] {
            let error = parse(Some(status), Some("nobody")).unwrap_err();
            assert_eq!((error, error.field()), (InvalidFilter::Status, "status"), "{status:?}");
        }
        for source in ["", "carrier", "Shiprocket", "*"] {
            let error = parse(Some("failed"), Some(source)).unwrap_err();
            assert_eq!((error, error.field()), (InvalidFilter::Source, "source"), "{source:?}");
        }
    }

    #[test]
    fn matches_rows_of_the_filter_that_the_caller_may_see() {
        let (all, ours) = (r#"["*"]"#, r#"["STORE001","STORE002"]"#);
        for (accounts, status, source, account, row_account, expected) in [
            (all, "", "", "", Some("STORE001"), true),
            (all, "", "", "", None, true),
            (all, "failed", "shiprocket", "STORE001", Some("STORE001"), true),
            (all, "ignored", "", "", Some("STORE001"), false),
            (all, "", "api", "", Some("STORE001"), false),
            (all, "", "", "STORE002", Some("STORE001"), false),
            (all, "", "", "STORE001", None, false),
            (ours, "", "", "", Some("STORE001"), true),
            (ours, "", "", "", Some("STORE003"), false),
            (ours, "", "", "STORE003", Some("STORE003"), false),
            (ours, "", "", "STORE002", Some("STORE001"), false),
            (ours, "", "", "", None, false),
            ("[]", "", "", "", Some("STORE001"), false),
        ] {
            let matches = filter(accounts, status, source, account).matches(&row(row_account));
            assert_eq!(
                matches, expected,
                "{accounts} {status:?} {source:?} {account:?} of {row_account:?}"
            );
        }
    }

    #[test]
    fn matches_rows_of_its_time() {
        let time = |millis| Timestamp::from_millis(millis).ok();
        for (from, to, expected) in [
            (None, None, true),
            (time(5), time(6), true),
            (None, time(5), false),
            (time(6), None, false),
        ] {
            let filter = LogFilter { from, to, ..filter(r#"["*"]"#, "", "", "") };
            let row = LogRow { received_at: time(5).unwrap(), ..row(None) };
            assert_eq!(filter.matches(&row), expected, "{from:?} {to:?}");
        }
    }

    #[test]
    fn is_narrow_unless_an_index_has_exactly_the_matches() {
        let (all, ours) = (r#"["*"]"#, r#"["STORE001"]"#);
        for (accounts, status, source, account, narrow) in [
            (all, "", "", "", false),
            (all, "failed", "", "", false),
            (all, "unmatched", "", "", false),
            (all, "processed", "", "", true),
            (all, "failed", "api", "", true),
            (all, "", "", "STORE001", true),
            (ours, "", "", "", true),
            (ours, "failed", "", "", true),
        ] {
            let filter = filter(accounts, status, source, account);
            assert_eq!(filter.is_narrow(), narrow, "{accounts} {status:?} {source:?} {account:?}");
        }
    }
}

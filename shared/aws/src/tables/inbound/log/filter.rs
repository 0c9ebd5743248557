//! Which of the log's rows are asked for.

use domain::auth::Caller;
use domain::core::id::AccountCode;
use domain::tracking::report::SourceName;

use super::LogRow;
use crate::tables::inbound::EventState;

/// What somebody wants to see of the log, and may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFilter {
    /// Only what has come this far.
    pub status: Option<EventState>,
    /// Only from this source.
    pub source: Option<SourceName>,
    /// Only of this account.
    pub account: Option<AccountCode>,
    /// Who asks, and is shown nothing of other accounts than theirs.
    pub caller: Caller,
}

/// A query parameter that names nothing there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidFilter {
    /// `status`.
    #[error("must be one of the states of an event")]
    Status,
    /// `source`.
    #[error("must be the name of a source")]
    Source,
}

impl InvalidFilter {
    /// The parameter at fault.
    pub fn field(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Source => "source",
        }
    }
}

impl LogFilter {
    /// Reads the query parameters `status` and `source`; `known` tells a source's name from any other word.
    ///
    /// # Errors
    /// Which of them is wrong.
    pub fn parse(
        caller: Caller,
        status: Option<&str>,
        source: Option<&str>,
        known: impl Fn(&str) -> bool,
    ) -> Result<Self, InvalidFilter> {
        let named = |text: &str| EventState::ALL.into_iter().find(|state| state.as_str() == text);
        let status = status.map(|text| named(text).ok_or(InvalidFilter::Status)).transpose()?;
        let source = source
            .map(|name| known(name).then(|| SourceName::from(name)).ok_or(InvalidFilter::Source));
        Ok(Self { status, source: source.transpose()?, account: None, caller })
    }

    /// Whether many rows may be looked at for few that are admitted. What the index of notable events has, it has by
    /// its state.
    pub(super) fn is_narrow(&self) -> bool {
        let by_state = self.status.is_some_and(|status| !status.is_notable());
        by_state || self.source.is_some() || self.account.is_some() || !self.caller.can_see(None)
    }

    /// Whether a row is asked for, and may be seen.
    pub(super) fn admits(&self, row: &LogRow) -> bool {
        self.status.is_none_or(|status| row.state == status)
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
    use domain::core::timestamp::Timestamp;

    use super::*;

    fn caller(accounts: &str) -> Caller {
        // The SHA-256 of `pw`, and `u:pw` in base64.
        let hash = "30c952fab122c3f9759f02a6d95c3758b246b4fee239957b2d4fee46e26170c4";
        let user =
            format!(r#"{{"password_sha256":"{hash}","role":"viewer","accounts":{accounts}}}"#);
        let user = serde_json::from_str(&user).unwrap();
        BasicCredentials::parse("Basic dTpwdw==").unwrap().check(&user).unwrap()
    }

    fn given(text: &str) -> Option<&str> {
        Some(text).filter(|text| !text.is_empty())
    }

    fn filter(accounts: &str, status: &str, source: &str, account: &str) -> LogFilter {
        let filter =
            LogFilter::parse(caller(accounts), given(status), given(source), |_| true).unwrap();
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
        }
    }

    #[test]
    fn a_parameter_that_names_nothing_is_named() {
        let parse = |status, source| {
            LogFilter::parse(caller(r#"["*"]"#), status, source, |name| name == "shiprocket")
        };
        for state in EventState::ALL {
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
    fn a_row_is_shown_to_those_who_ask_for_it_and_may_see_it() {
        let (all, ours) = (r#"["*"]"#, r#"["STORE001","STORE002"]"#);
        for (accounts, status, source, account, of, shown) in [
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
            let admits = filter(accounts, status, source, account).admits(&row(of));
            assert_eq!(
                admits, shown,
                "{accounts} asks for {status:?} {source:?} {account:?} of {of:?}"
            );
        }
    }

    #[test]
    fn what_is_narrow_looks_at_more_than_it_shows() {
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

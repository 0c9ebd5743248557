//! Redrives: dead deliveries are sent again, failed events processed again, many at a time.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use crate::auth::Accounts;
use crate::core::hash::Fingerprint;
use crate::core::id::{AccountCode, EndpointName};
use crate::core::request_body::{InvalidBody, read_object};
use crate::core::timestamp::Timestamp;
use crate::webhooks::retry::DeadReason;

/// Restarts in a second, of all jobs together.
pub const PER_SECOND: u32 = 5;
/// The time between two of them.
pub const GAP: Duration = Duration::from_millis(1000 / PER_SECOND as u64);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum RedriveKind {
    /// Dead deliveries.
    Deliveries,
    /// Failed events of the inbound log.
    Events,
}

/// Which ones: those that match every part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redrive {
    pub kind: RedriveKind,
    /// Of deliveries only.
    pub endpoint: Option<EndpointName>,
    pub reason: Option<DeadReason>,
    /// Of events only.
    pub source: Option<String>,
    pub account_code: Option<AccountCode>,
    /// Created or received at this time or later.
    pub from: Option<Timestamp>,
    /// Created or received before this time.
    pub to: Option<Timestamp>,
    /// At most so many.
    pub limit: Option<u32>,
}

/// The body of `POST /api/dlq/…/replay`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedriveRequest {
    pub redrive: Redrive,
    /// Only count.
    pub dry_run: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    endpoint: Option<EndpointName>,
    reason: Option<DeadReason>,
    source: Option<String>,
    #[serde(alias = "accountCode")]
    account_code: Option<AccountCode>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    limit: Option<u32>,
    #[serde(default)]
    dry_run: bool,
}

impl RedriveRequest {
    pub fn read(kind: RedriveKind, body: &[u8]) -> Result<Self, InvalidBody> {
        let fields: Fields = read_object(body)?;
        let Fields { endpoint, reason, source, account_code, from, to, limit, dry_run } = fields;
        let foreign = match kind {
            RedriveKind::Deliveries => source.as_ref().map(|_| "source"),
            RedriveKind::Events => {
                endpoint.as_ref().map(|_| "endpoint").or(reason.map(|_| "reason"))
            }
        };
        if let Some(field) = foreign {
            let kind: &str = kind.into();
            return Err(InvalidBody::field(field, format!("{kind} have none")));
        }
        if from.zip(to).is_some_and(|(from, to)| from >= to) {
            return Err(InvalidBody::field("to", "must be later than from"));
        }
        if limit == Some(0) {
            return Err(InvalidBody::field("limit", "must be at least 1"));
        }
        let redrive = Redrive { kind, endpoint, reason, source, account_code, from, to, limit };
        Ok(Self { redrive, dry_run })
    }
}

impl Redrive {
    /// The id of the job that does this for these accounts: the same in the same minute, so that a
    /// double click makes one job. Ids sort by time.
    pub fn job_id(&self, accounts: &Accounts, now: Timestamp) -> String {
        let minute: String = now.to_string().chars().take(16).filter(|c| *c != ':').collect();
        // String keys and no floats: serialization cannot fail.
        let json = serde_json::to_string(&(self, accounts)).unwrap_or_default();
        format!("{minute}-{}", Fingerprint::of("job").with(&minute).with(json).finish())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(kind: RedriveKind, body: &serde_json::Value) -> Result<RedriveRequest, InvalidBody> {
        RedriveRequest::read(kind, body.to_string().as_bytes())
    }

    #[test]
    fn reads_which_ones() {
        let body = json!({
            "endpoint": "shop", "reason": "exhausted", "account_code": "A",
            "from": "2026-01-20T00:00:00Z", "to": "2026-01-21T00:00:00Z", "limit": 5,
            "dry_run": true,
        });
        let RedriveRequest { redrive, dry_run } = read(RedriveKind::Deliveries, &body).unwrap();
        assert!(dry_run);
        assert_eq!((redrive.reason, redrive.limit), (Some(DeadReason::Exhausted), Some(5)));
        let all = read(RedriveKind::Events, &json!({})).unwrap();
        assert_eq!((all.redrive.source, all.dry_run), (None, false));
    }

    #[test]
    fn an_error_of_the_limit_says_what_a_limit_is() {
        for limit in [json!("5"), json!(1.5), json!(-1), json!(5_000_000_000_u64)] {
            let error = read(RedriveKind::Deliveries, &json!({"limit": limit})).unwrap_err();
            let message = "must be a whole number from 0 to 4294967295";
            assert_eq!(error, InvalidBody::field("limit", message), "{limit}");
        }
        let error = read(RedriveKind::Deliveries, &json!({"limit": 0})).unwrap_err();
        assert_eq!(error, InvalidBody::field("limit", "must be at least 1"));
    }

    #[test]
    fn errors_name_the_invalid_field() {
        let (deliveries, events) = (RedriveKind::Deliveries, RedriveKind::Events);
        for (kind, body, field) in [
            (deliveries, json!({"source": "shipway"}), "source"),
            (events, json!({"endpoint": "shop"}), "endpoint"),
            (events, json!({"reason": "gone"}), "reason"),
            (deliveries, json!({"reason": "401"}), "reason"),
            (deliveries, json!({"limit": 0}), "limit"),
            (deliveries, json!({"limit": -1}), "limit"),
            (deliveries, json!({"from": "now"}), "from"),
            (events, json!({"from": "2026-01-20T00:00:00Z", "to": "2026-01-20T00:00:00Z"}), "to"),
            (events, json!({"dryrun": true}), "dryrun"),
        ] {
            let error = read(kind, &body).unwrap_err();
            let is_named = matches!(&error, InvalidBody::Invalid { field: it, .. } if it == field);
            assert!(is_named, "{body}: {error}");
        }
    }

    #[test]
    fn a_double_click_makes_one_job() {
        let redrive = |body| read(RedriveKind::Deliveries, &body).unwrap().redrive;
        let (one, other) = (redrive(json!({})), redrive(json!({"endpoint": "shop"})));
        let at = |text| Timestamp::parse(text).unwrap();
        let id = one.job_id(&Accounts::All, at("2026-01-20T04:45:00Z"));
        assert!(id.starts_with("2026-01-20T0445-"), "{id}");
        assert_eq!(one.job_id(&Accounts::All, at("2026-01-20T04:45:59.999Z")), id);
        for another in [
            one.job_id(&Accounts::All, at("2026-01-20T04:46:00Z")),
            one.job_id(&Accounts::default(), at("2026-01-20T04:45:00Z")),
            other.job_id(&Accounts::All, at("2026-01-20T04:45:00Z")),
        ] {
            assert_ne!(another, id);
        }
    }
}

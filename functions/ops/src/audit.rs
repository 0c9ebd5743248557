//! `GET /api/audit`, and the entries of admins' actions.

use aws::lambda::http_api::{ApiError, json, page_request};
use aws::tables::audit::{AuditAction, AuditEntry};
use domain::auth::{Accounts, Caller};
use domain::core::id::AccountCode;
use domain::core::timestamp::Timestamp;
use domain::pagination::{Page, PageRequest, cursor};
use lambda_http::{Body, Request, Response};

use crate::Ops;
use crate::list::invalid_page;
use crate::sealed::{open, seal};

/// An action of an admin, before it takes effect.
pub(crate) struct Act<'a> {
    pub(crate) action: AuditAction,
    /// An id or a name.
    pub(crate) target: &'a str,
    pub(crate) details: Option<serde_json::Value>,
    /// The accounts that it is about.
    pub(crate) accounts: Accounts,
}

impl<'a> Act<'a> {
    pub(crate) fn new(action: AuditAction, target: &'a str, accounts: Accounts) -> Self {
        Self { action, target, details: None, accounts }
    }
}

/// Actions of no account are shown to admins of all accounts only.
pub(crate) fn only(account: Option<&AccountCode>) -> Accounts {
    account.map_or(Accounts::All, |account| Accounts::Only([account.clone()].into()))
}

impl Ops {
    /// Call it before the act takes effect: none goes unrecorded.
    pub(crate) async fn record(
        &self,
        caller: &Caller,
        act: Act<'_>,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let Act { action, target, details, accounts } = act;
        let by = caller.name.clone().unwrap_or_default();
        let entry =
            AuditEntry { at: now, by, action, target: target.to_owned(), details, accounts };
        Ok(self.tables.audit.record(&entry).await?)
    }

    /// A page may hold fewer items than the limit, or none, as those about other accounts are left
    /// out.
    pub(crate) async fn list_audit(
        &self,
        request: &Request,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<Response<Body>, ApiError> {
        let page = page_request(request)?;
        let key = self.callers.private_key(now).await?;
        let after = page.after.as_deref();
        let after = after.map(|cursor| open(&key, cursor).ok_or_else(invalid_page)).transpose()?;
        let found = self.tables.audit.list(&PageRequest { after, ..page }, now).await?;
        let next = found.next.map(|sort_key| seal(&key, &sort_key)).transpose()?;
        let entries = found.items.into_iter();
        let items = entries.filter(|entry| caller.can_see_all(&entry.accounts)).collect();
        Ok(json(200, &Page { items, next_page: next.as_deref().map(cursor) }))
    }
}

//! `PATCH /api/external/orders/{order_id}`.

use aws::lambda::auth::{authorize_order, query_account};
use aws::lambda::http_api::{ApiError, json_body};
use aws::tables::contention::{Try, retry};
use aws::tables::orders::PatchOutcome;
use domain::auth::Caller;
use domain::core::hash::Fingerprint;
use domain::core::id::OrderKey;
use domain::core::timestamp::Timestamp;
use domain::orders::api_event::Reshipment;
use domain::orders::order::{Order, Profile};
use domain::orders::request::OrderPatch;
use domain::tracking::timeline::State;
use lambda_http::{Body, Request, Response};

use crate::create::reconciliation_event;
use crate::{BODY_LIMIT, OrdersApi, TRIES, name_taken};

impl OrdersApi {
    pub(crate) async fn patch(
        &self,
        request: &Request,
        caller: &Caller,
        order: &str,
        now: Timestamp,
    ) -> Result<Response<Body>, ApiError> {
        let patch = OrderPatch::read(json_body(request, BODY_LIMIT)?)?;
        let query_account = query_account(request)?;
        let account = patch.account().or(query_account.as_ref());
        let key = authorize_order(caller, account, order, "accountCode")?;
        let patched = retry(TRIES, || async {
            match self.patch_once(&key, &patch, now).await? {
                PatchOutcome::Patched => Ok(Try::Done(())),
                PatchOutcome::NameTaken(name) => Err(name_taken(&name)),
                PatchOutcome::RevMismatch => Ok(Try::Contended),
            }
        });
        patched.await?.ok_or_else(ApiError::unavailable)?;
        self.show(&key, 200).await
    }

    async fn patch_once(
        &self,
        key: &OrderKey,
        patch: &OrderPatch,
        now: Timestamp,
    ) -> Result<PatchOutcome, ApiError> {
        let before =
            self.orders.load(key).await?.ok_or_else(|| ApiError::not_found("no such order"))?;
        let profile = patch.apply(&before.profile, &sources::ref_sources())?;
        if profile == before.profile {
            // A repeated request: the first one may have crashed before it queued its event.
            if let Some(reconciliation) = self.orders.last_reconciliation(key).await? {
                self.queue_event(&reconciliation).await;
            }
            return Ok(PatchOutcome::Patched);
        }
        let rev = before.state.rev + 1;
        let state = State { rev, profile_rev: rev, updated_at: now, ..before.state.clone() };
        let after = Order { key: key.clone(), profile, state };
        let reshipped = reshipment(&before.profile, &after, now);
        let new_refs = after.profile.refs().difference(&before.profile.refs()).next().is_some();
        let reconciliation =
            (new_refs || reshipped.is_some()).then(|| reconciliation_event(&after, reshipped, now));
        let patched =
            self.orders.patch(&before, &after, &self.events, reconciliation.as_ref()).await?;
        if let (PatchOutcome::Patched, Some(reconciliation)) = (&patched, &reconciliation) {
            self.queue_event(&reconciliation.id).await;
        }
        Ok(patched)
    }
}

/// Only the replacement of one AWB by another is a reshipment.
fn reshipment(before: &Profile, after: &Order, now: Timestamp) -> Option<Reshipment> {
    let (old, new) = (before.awb.as_ref()?, after.profile.awb.as_ref()?);
    let report_id = Fingerprint::of("reshipped")
        .with(&after.key.account)
        .with(&after.key.order)
        .with(new)
        .with(after.state.rev.to_be_bytes());
    (old != new).then(|| Reshipment { report_id: report_id.into(), at: now })
}

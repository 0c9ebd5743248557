//! `PATCH /api/external/orders/{order_id}`.

use aws::lambda::auth::{authorize_order, query_account};
use aws::lambda::http_api::{ApiError, json_body};
use aws::tables::contention::pause;
use aws::tables::orders::Patched;
use domain::auth::Caller;
use domain::core::hash::Fingerprint;
use domain::core::id::OrderKey;
use domain::core::timestamp::Timestamp;
use domain::orders::api_event::Reshipment;
use domain::orders::order::{Order, Profile};
use domain::orders::request::OrderPatch;
use domain::tracking::timeline::State;
use lambda_http::{Body, Request, Response};

use crate::create::adoption_event;
use crate::{BODY_LIMIT, Orders, TRIES, name_taken};

impl Orders {
    pub(crate) async fn patch(
        &self,
        request: &Request,
        caller: &Caller,
        order: &str,
        now: Timestamp,
    ) -> Result<Response<Body>, ApiError> {
        let patch = OrderPatch::read(json_body(request, BODY_LIMIT)?)?;
        let in_query = query_account(request)?;
        let key = authorize_order(
            caller,
            patch.account_code.as_ref().or(in_query.as_ref()),
            order,
            "accountCode",
        )?;
        for attempt in 0..TRIES {
            match self.patch_once(&key, &patch, now).await? {
                Patched::Done => return self.show(&key, 200).await,
                Patched::NameTaken(name) => return Err(name_taken(&name)),
                Patched::Stale => pause(attempt).await,
            }
        }
        Err(ApiError::unavailable())
    }

    async fn patch_once(
        &self,
        key: &OrderKey,
        patch: &OrderPatch,
        now: Timestamp,
    ) -> Result<Patched, ApiError> {
        let before =
            self.orders.load(key).await?.ok_or_else(|| ApiError::not_found("no such order"))?;
        let profile = patch.apply(&before.profile, &sources::with_order_refs())?;
        if profile == before.profile {
            // Said before; the request that said it may have died before it sent its event.
            if let Some(reconciliation) = self.orders.last_adoption(key).await? {
                self.send(&reconciliation).await;
            }
            return Ok(Patched::Done);
        }
        let rev = before.state.rev + 1;
        let state = State { rev, profile_rev: rev, updated_at: now, ..before.state.clone() };
        let after = Order { key: key.clone(), profile, state };
        let reshipped = reshipment(&before.profile, &after, now);
        let new_names = after.profile.refs().difference(&before.profile.refs()).next().is_some();
        let reconciliation =
            (new_names || reshipped.is_some()).then(|| adoption_event(&after, reshipped, now));
        let patched =
            self.orders.patch(&before, &after, &self.events, reconciliation.as_ref()).await?;
        if let (Patched::Done, Some(reconciliation)) = (&patched, &reconciliation) {
            self.send(&reconciliation.id).await;
        }
        Ok(patched)
    }
}

/// The first AWB is no new parcel, and neither is none.
fn reshipment(before: &Profile, after: &Order, now: Timestamp) -> Option<Reshipment> {
    let (old, new) = (before.awb.as_ref()?, after.profile.awb.as_ref()?);
    let report_id = Fingerprint::of("reshipped")
        .with(&after.key.account)
        .with(&after.key.order)
        .with(new)
        .with(after.state.rev.to_be_bytes());
    (old != new).then(|| Reshipment { report_id: report_id.into(), at: now })
}

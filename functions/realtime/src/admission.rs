//! `POST /api/realtime/pusher-auth`: admits a client to a private channel of Pusher.

use aws::error::IoError;
use aws::lambda::http_api::{ApiError, check_query, form_body, json};
use domain::core::timestamp::Timestamp;
use domain::live::Scope;
use domain::live::pusher::Admission;
use lambda_http::Request;
use serde::Serialize;

use crate::Realtime;
use crate::cross_origin::Granted;

/// In bytes.
const BODY_LIMIT: usize = 256 * 1024;

/// Admits one socket to one channel.
#[derive(Serialize)]
struct Admitted<'a> {
    auth: &'a str,
}

impl Realtime {
    /// 403 for any channel that is not the caller's to see, whether or not it exists.
    pub(crate) async fn admit(
        &self,
        request: &Request,
        now: Timestamp,
    ) -> Result<Granted, ApiError> {
        check_query(request, &[])?;
        // A form without a token is of no interest before its caller is known.
        let asked = form_body(request, BODY_LIMIT).and_then(|form| Ok(Admission::read(form)?));
        let token = asked.as_ref().ok().and_then(|admission| admission.token.as_deref());
        let caller = match token {
            Some(_) => None,
            None => Some(self.callers.authenticate(request, now).await?),
        };
        if caller.as_ref().is_some_and(|caller| !caller.can_watch()) {
            return Err(ApiError::forbidden("these credentials do not allow live updates"));
        }
        let asked = asked?;
        let app = self.pusher.get(now).await.map_err(IoError::from)?;
        let setting = app
            .as_ref()
            .as_ref()
            .ok_or_else(|| ApiError::not_found("this installation does not use Pusher"))?;
        let scope = asked.scope(setting).ok_or_else(forbidden)?;
        let is_theirs = match &caller {
            Some(caller) => caller.can_see(Some(&scope.account)),
            None => self.shows(&scope, asked.token.as_deref().unwrap_or_default(), now).await?,
        };
        if !is_theirs {
            return Err(forbidden());
        }
        tracing::info!(account = %scope.account, "channel.joined");
        let response = json(200, &Admitted { auth: &asked.sign(setting) });
        Ok(Granted { account: scope.account, response })
    }

    /// Whether a link with this token shows what the scope does: one order.
    async fn shows(&self, scope: &Scope, token: &str, now: Timestamp) -> Result<bool, ApiError> {
        let Some(order) = scope.order() else { return Ok(false) };
        let links = self.links.get(now).await?;
        Ok(links.as_ref().as_ref().is_some_and(|links| links.check(&order, token, now).is_ok()))
    }
}

fn forbidden() -> ApiError {
    ApiError::forbidden("this channel is not yours to see")
}

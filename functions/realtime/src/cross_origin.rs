//! The sites whose pages may read an answer: those of the orders that it is about.

use aws::lambda::cross_origin::{origin, preflight};
use aws::lambda::http_api::ApiError;
use domain::core::id::AccountCode;
use domain::core::timestamp::Timestamp;
use lambda_http::{Body, Request, Response};

use crate::Realtime;

/// The answer to a granted request: a secret of the account.
pub(crate) struct Granted {
    pub(crate) account: AccountCode,
    pub(crate) response: Response<Body>,
}

pub(crate) const PREFLIGHT: &str = "OPTIONS /api/realtime/ticket";

impl Realtime {
    /// A browser asks before it posts. It does not say for which account.
    pub(crate) async fn preflight(
        &self,
        request: &Request,
        now: Timestamp,
    ) -> Result<Response<Body>, ApiError> {
        Ok(preflight(self.reader(request, None, now).await))
    }

    /// The site that may read the answer: of what was granted, one of the account. A refusal is the same for
    /// every order, so all sites that we know may read it.
    pub(crate) async fn reader<'a>(
        &self,
        request: &'a Request,
        granted: Option<&Granted>,
        now: Timestamp,
    ) -> Option<&'a str> {
        let site = origin(request)?;
        let links = self.links.get(now).await.ok()?;
        let links = links.as_ref().as_ref()?;
        let may_read = match granted {
            Some(Granted { account, .. }) => links.allows_origin(account, site),
            None => links.knows_origin(site),
        };
        may_read.then_some(site)
    }
}

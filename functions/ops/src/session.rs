//! `POST /api/session`: a token that a user of the console carries in place of the password.

use aws::lambda::http_api::{ApiError, json};
use domain::auth::{Accounts, Caller, Principal, Role};
use domain::core::timestamp::Timestamp;
use lambda_http::{Body, Request, Response};
use serde::Serialize;

use crate::Ops;

#[derive(Serialize)]
struct Session<'a> {
    token: String,
    expires_at: Timestamp,
    user: &'a str,
    role: Role,
    accounts: &'a Accounts,
}

impl Ops {
    pub(crate) async fn open_session(
        &self,
        request: &Request,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<Response<Body>, ApiError> {
        let Principal::User(role) = caller.principal else {
            return Err(ApiError::forbidden("only users have sessions"));
        };
        let token = self.callers.open_session(request, caller, now).await?;
        // The user was removed since.
        let token = token.ok_or_else(ApiError::unauthorized)?;
        let session = Session {
            token: token.to_text(),
            expires_at: token.ends_at(),
            user: &token.name,
            role,
            accounts: caller.accounts(),
        };
        Ok(json(200, &session))
    }
}

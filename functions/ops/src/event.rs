//! `GET /api/webhooks/logs/{id}`. The body is a shopper's data: it is shown to whoever asks for it,
//! and the audit log says who did.

use aws::lambda::http_api::{ApiError, json};
use aws::tables::audit::AuditAction;
use aws::tables::inbound::LogRow;
use domain::auth::Caller;
use domain::core::timestamp::Timestamp;
use domain::orders::api_event::ApiEvent;
use domain::tracking::report::SourceName;
use lambda_http::{Body, Request, RequestExt, Response};

use crate::audit::{Act, only};
use crate::event_view::{EventDetail, EventSummary};
use crate::{Ops, no_such_event};

impl Ops {
    pub(crate) async fn show_event(
        &self,
        request: &Request,
        caller: &Caller,
        id: &str,
        now: Timestamp,
    ) -> Result<Response<Body>, ApiError> {
        let query = request.query_string_parameters_ref();
        let reveals = read_flag(query.and_then(|query| query.first("reveal")))?;
        let row = self.find_event(caller, id).await?;
        let body = self.body_of(&row).await?;
        if reveals && body.is_some() {
            let act = Act::new(AuditAction::RevealEvent, id, only(row.account.as_ref()));
            self.record(caller, act, now).await?;
        }
        let summary = EventSummary::of(&row);
        Ok(json(200, &EventDetail::new(summary, body.as_deref(), reveals)))
    }

    /// None if it was erased, and of the request for an erasure: that has the shopper's phone number
    /// until its last pass.
    async fn body_of(&self, row: &LogRow) -> Result<Option<Vec<u8>>, ApiError> {
        if row.erased_at.is_some() {
            return Ok(None);
        }
        let event = self.tables.events.load(&row.id).await?.ok_or_else(no_such_event)?;
        let is_ours = row.source == SourceName::API;
        Ok(Some(event.body).filter(|body| !(is_ours && ApiEvent::is_erasure(body))))
    }
}

fn read_flag(text: Option<&str>) -> Result<bool, ApiError> {
    match text {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(ApiError::invalid("reveal", "must be true or false")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_revealed_only_when_asked_for() {
        assert_eq!(
            [None, Some("false"), Some("true")].map(read_flag),
            [Ok(false), Ok(false), Ok(true)]
        );
        for text in ["", "1", "TRUE"] {
            let error = ApiError::invalid("reveal", "must be true or false");
            assert_eq!(read_flag(Some(text)), Err(error));
        }
    }
}

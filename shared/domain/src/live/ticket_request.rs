//! The body of a request for a ticket.

use serde::Deserialize;

use crate::core::id::{AccountCode, OrderId};
use crate::core::request_body::{InvalidBody, read_object};

/// With a `token` of an order's tracking page, both ids are required.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TicketRequest {
    #[serde(alias = "accountCode")]
    pub account_code: Option<AccountCode>,
    #[serde(alias = "orderId")]
    pub order_id: Option<OrderId>,
    /// A secret.
    pub token: Option<String>,
}

impl std::fmt::Debug for TicketRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TicketRequest").field("order_id", &self.order_id).finish_non_exhaustive()
    }
}

impl TicketRequest {
    pub fn read(body: &[u8]) -> Result<Self, InvalidBody> {
        let request: Self = read_object(body)?;
        let missing = |field| Err(InvalidBody::field(field, "is required with a token"));
        match &request {
            Self { token: Some(_), account_code: None, .. } => missing("account_code"),
            Self { token: Some(_), order_id: None, .. } => missing("order_id"),
            _ => Ok(request),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_scope_with_or_without_a_token() {
        let scope = |body: &str| {
            let request = TicketRequest::read(body.as_bytes()).unwrap();
            (request.account_code.is_some(), request.order_id.is_some(), request.token.is_some())
        };
        assert_eq!(scope("{}"), (false, false, false));
        assert_eq!(scope(r#"{"accountCode":"A","order_id":null}"#), (true, false, false));
        let whole = r#"{"account_code":"A","orderId":"O","token":"t"}"#;
        assert_eq!(scope(whole), (true, true, true));
    }

    #[test]
    fn rejects_other_bodies_by_field() {
        for (body, expected) in [
            (r#"{"token":"t"}"#, "account_code"),
            (r#"{"token":"t","account_code":"A"}"#, "order_id"),
            (r#"{"order_id":""}"#, "order_id"),
            (r#"{"ticket":"t"}"#, "ticket"),
            (r#"{"token":7}"#, "token"),
        ] {
            let error = TicketRequest::read(body.as_bytes()).unwrap_err();
            let is_about = |field: &str| field == expected;
            assert!(
                matches!(&error, InvalidBody::Invalid { field, .. } if is_about(field)),
                "{body}: {error:?}"
            );
        }
    }

    #[test]
    fn debug_output_has_no_secrets() {
        let body = br#"{"account_code":"A","order_id":"O","token":"canary"}"#;
        let request = TicketRequest::read(body).unwrap();
        assert!(!format!("{request:?}").contains("canary"));
    }
}

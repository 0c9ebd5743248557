//! `GET /api/messages/whatsapp`.

use aws::lambda::auth::{authorize, query_account};
use aws::lambda::http_api::{ApiError, json, page_request};
use domain::auth::Caller;
use domain::messaging::conversation::Contact;
use domain::pagination::Page;
use lambda_http::{Body, Request, RequestExt, Response};

use crate::Messages;

impl Messages {
    pub(crate) async fn show_conversation(
        &self,
        request: &Request,
        caller: &Caller,
    ) -> Result<Response<Body>, ApiError> {
        let account = authorize(caller, query_account(request)?.as_ref(), "account_code")?;
        // In the query, not in the path: access logs leave the query out.
        let query = request.query_string_parameters_ref();
        let parameter = |name: &str| query.and_then(|query| query.first(name));
        let with = contact(parameter("phone"), parameter("user_id"));
        let with = with.map_err(|(parameter, problem)| ApiError::invalid(parameter, problem))?;
        let page = page_request(request)?;
        let heard = self.messages.conversation(&account, &with, &page).await?;
        let next_page = heard.next_page(|last| last.sort_key.clone());
        Ok(json(
            200,
            &Page {
                items: heard.items.into_iter().map(|heard| heard.message).collect(),
                next_page,
            },
        ))
    }
}

/// Whom the query means; else the parameter at fault, and what is wrong with it.
fn contact(
    phone: Option<&str>,
    user_id: Option<&str>,
) -> Result<Contact, (&'static str, &'static str)> {
    match (phone, user_id) {
        (Some(phone), None) => Contact::of_phone(phone)
            .ok_or(("phone", "must be 5 to 20 digits, with the country's code")),
        (None, Some(user)) => {
            Contact::parse(user).ok_or(("user_id", "must be 1 to 128 visible ASCII characters"))
        }
        (None, None) => Err(("phone", "must be there, or user_id")),
        (Some(_), Some(_)) => Err(("user_id", "must not be there beside phone")),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_is_named_one_way() {
        assert_eq!(contact(Some("+91 98765-43210"), None).unwrap().as_str(), "919876543210");
        assert_eq!(contact(None, Some("US.1349")).unwrap().as_str(), "US.1349");
        for (phone, user_id, parameter) in [
            (None, None, "phone"),
            (Some(""), None, "phone"),
            (Some("abcde"), None, "phone"),
            (None, Some(""), "user_id"),
            (None, Some("a b"), "user_id"),
            (Some("919876543210"), Some("US.1349"), "user_id"),
        ] {
            assert_eq!(contact(phone, user_id).unwrap_err().0, parameter, "{phone:?} {user_id:?}");
        }
    }
}

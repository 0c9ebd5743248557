//! `GET /api/messages/whatsapp`.

use aws::lambda::auth::{authorize, query_account};
use aws::lambda::http_api::{ApiError, json, page_request};
use aws::tables::messages::StoredMessage;
use domain::auth::Caller;
use domain::core::id::AccountCode;
use domain::messaging::conversation::Contact;
use domain::messaging::conversation_view::ConversationView;
use domain::messaging::message_status::ProviderMessageKey;
use domain::messaging::recipient::{CountryCode, Recipient};
use domain::pagination::Page;
use lambda_http::{Body, Request, RequestExt, Response};

use crate::MessagesApi;

impl MessagesApi {
    pub(crate) async fn show_conversation(
        &self,
        request: &Request,
        caller: &Caller,
    ) -> Result<Response<Body>, ApiError> {
        let account = authorize(caller, query_account(request)?.as_ref(), "account_code")?;
        // The phone number is in the query, not the path: access logs omit the query.
        let query = request.query_string_parameters_ref();
        let parameter = |name: &str| query.and_then(|query| query.first(name));
        let contact = parse_contact(parameter("phone"), parameter("user_id"));
        let contact =
            contact.map_err(|(parameter, problem)| ApiError::invalid(parameter, problem))?;
        let page = page_request(request)?;
        let rows = self.messages.conversation(&account, &contact, &page).await?;
        let next_page = rows.next_page(|last| last.sort_key.clone());
        let view = |row: &StoredMessage| {
            let view = ConversationView::read(&row.message);
            if view.is_none() {
                tracing::error!(id = row.sort_key, "row.unreadable");
            }
            view
        };
        let mut items: Vec<_> = rows.items.iter().filter_map(view).collect();
        self.add_statuses(&account, &mut items).await?;
        Ok(json(200, &Page { items, next_page }))
    }

    /// Adds the present status and the provider's id of the business's own messages.
    async fn add_statuses(
        &self,
        account: &AccountCode,
        messages: &mut [ConversationView],
    ) -> Result<(), ApiError> {
        let outbound = messages.iter_mut().filter_map(|message| {
            let id = message.outbound_id()?;
            let key = ProviderMessageKey { account: account.clone(), message: id };
            Some((key, message))
        });
        let (keys, outbound): (Vec<_>, Vec<_>) = outbound.unzip();
        let rows = self.messages.readable_trackings(&keys).await?;
        for (row, message) in rows.iter().zip(outbound) {
            let Some(row) = row else { continue };
            if let Some(status) = row.tracked.tracking.status() {
                message.set_status(status.shown());
            }
            if let Some(id) = &row.tracked.provider_id {
                message.set_provider_id(id);
            }
        }
        Ok(())
    }
}

/// As in a request to send, a short number without `+` is a national one. Shoppers with other numbers
/// have conversations, too.
fn contact_of_phone(text: &str) -> Option<Contact> {
    // An unescaped `+` in a query is a space.
    let text = text.strip_prefix(' ').map_or_else(|| text.to_owned(), |rest| format!("+{rest}"));
    match Recipient::parse(&text, &CountryCode::default()) {
        Some(recipient @ Recipient::Phone(_)) => recipient.contact(),
        Some(Recipient::UserId(_)) | None => Contact::of_phone(&text),
    }
}

/// An error is the invalid parameter and its message.
pub(crate) fn parse_contact(
    phone: Option<&str>,
    user_id: Option<&str>,
) -> Result<Contact, (&'static str, &'static str)> {
    match (phone, user_id) {
        (Some(phone), None) => contact_of_phone(phone)
            .ok_or(("phone", "must be 5 to 20 digits including the country code")),
        (None, Some(user)) => {
            Contact::parse(user).ok_or(("user_id", "must be 1 to 135 visible ASCII characters"))
        }
        (None, None) => Err(("phone", "phone or user_id is required")),
        (Some(_), Some(_)) => Err(("user_id", "must not be combined with phone")),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn accepts_either_phone_or_user_id() {
        for phone in ["+91 98765-43210", "98765 43210", "09876543210", " 919876543210"] {
            assert_eq!(parse_contact(Some(phone), None).unwrap().as_str(), "919876543210");
        }
        for phone in ["+4512345678", " 4512345678"] {
            assert_eq!(parse_contact(Some(phone), None).unwrap().as_str(), "4512345678");
        }
        assert_eq!(parse_contact(Some("12345"), None).unwrap().as_str(), "12345");
        assert_eq!(parse_contact(None, Some("US.1349")).unwrap().as_str(), "US.1349");
        for (phone, user_id, parameter) in [
            (None, None, "phone"),
            (Some(""), None, "phone"),
            (Some("abcde"), None, "phone"),
            (None, Some(""), "user_id"),
            (None, Some("a b"), "user_id"),
            (Some("919876543210"), Some("US.1349"), "user_id"),
        ] {
            assert_eq!(
                parse_contact(phone, user_id).unwrap_err().0,
                parameter,
                "{phone:?} {user_id:?}"
            );
        }
    }
}

//! `GET /api/messages`.

use aws::lambda::auth::{authorize, query_account};
use aws::lambda::http_api::{ApiError, json, page_request};
use aws::tables::messages::{MessageFilter, MessagesOf};
use domain::auth::Caller;
use domain::core::id::{AccountCode, OrderId, OrderKey};
use domain::core::timestamp::Timestamp;
use domain::messaging::linked::MessageView;
use domain::messaging::message::MessageStatus;
use domain::messaging::message_details::TemplateName;
use domain::pagination::{InvalidPage, Page, PageRequest, cursor};
use lambda_http::{Body, Request, RequestExt, Response};

use crate::MessagesApi;
use crate::conversation::parse_contact;

impl MessagesApi {
    pub(crate) async fn find(
        &self,
        request: &Request,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<Response<Body>, ApiError> {
        let account = authorize(caller, query_account(request)?.as_ref(), "account_code")?;
        let query = request.query_string_parameters_ref();
        let filter = read_filter(account, |name| query.and_then(|query| query.first(name)))?;
        let page = page_request(request)?;
        check_cursor(&page)?;
        let found = self.messages.find(&filter, &page, now).await?;
        let items = found.items.iter().map(|it| MessageView::new(&it.record, &it.tracked, now));
        let next_page = found.next.as_deref().map(cursor);
        Ok(json(200, &Page { items: items.collect(), next_page }))
    }
}

/// A cursor of another list may have another form.
fn check_cursor(page: &PageRequest) -> Result<(), ApiError> {
    let Some(after) = &page.after else { return Ok(()) };
    let time = after.split('/').next().unwrap_or_default();
    let invalid = |_| ApiError::invalid(InvalidPage::Page.field(), InvalidPage::Page.to_string());
    Timestamp::parse(time).map(drop).map_err(invalid)
}

fn read_filter<'a>(
    account: AccountCode,
    parameter: impl Fn(&str) -> Option<&'a str>,
) -> Result<MessageFilter, ApiError> {
    let (from, to) = read_times(parameter("from"), parameter("to"))?;
    let status = parameter("status").map(|text| {
        let invalid = "must be 1 to 64 letters, digits, `_`, `.` or `-`";
        MessageStatus::parse(text).ok_or_else(|| ApiError::invalid("status", invalid))
    });
    let template = parameter("template").map(read_template);
    Ok(MessageFilter {
        of: read_of(account, &parameter)?,
        from,
        to,
        status: status.transpose()?,
        template: template.transpose()?,
    })
}

fn read_of<'a>(
    account: AccountCode,
    parameter: impl Fn(&str) -> Option<&'a str>,
) -> Result<MessagesOf, ApiError> {
    let [order, phone, user_id] = ["order_id", "phone", "user_id"].map(parameter);
    if let Some(order) = order {
        let mut others = [("phone", phone), ("user_id", user_id)].into_iter();
        if let Some((name, _)) = others.find(|(_, value)| value.is_some()) {
            return Err(ApiError::invalid(name, "must not be combined with order_id"));
        }
        let order = OrderId::parse(order);
        let order = order.map_err(|error| ApiError::invalid("order_id", error.to_string()))?;
        return Ok(MessagesOf::Order(OrderKey { account, order }));
    }
    if phone.is_none() && user_id.is_none() {
        return Ok(MessagesOf::Account(account));
    }
    let contact = parse_contact(phone, user_id);
    let contact = contact.map_err(|(parameter, problem)| ApiError::invalid(parameter, problem))?;
    Ok(MessagesOf::Shopper(account, contact))
}

pub(crate) fn read_template(text: &str) -> Result<TemplateName, ApiError> {
    text.to_owned().try_into().map_err(|problem: String| ApiError::invalid("template", problem))
}

/// Answers 422 unless `from` is before `to`.
fn read_times(
    from: Option<&str>,
    to: Option<&str>,
) -> Result<(Option<Timestamp>, Option<Timestamp>), ApiError> {
    let read = |name: &'static str, text: Option<&str>| {
        let time = text.map(Timestamp::parse).transpose();
        time.map_err(|error| ApiError::invalid(name, error.to_string()))
    };
    let (from, to) = (read("from", from)?, read("to", to)?);
    if from.zip(to).is_some_and(|(from, to)| from >= to) {
        return Err(ApiError::invalid("to", "must be later than from"));
    }
    Ok((from, to))
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn filter(parameters: &[(&str, &str)]) -> Result<MessageFilter, ApiError> {
        let value = |name: &str| {
            parameters.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
        };
        read_filter(AccountCode::parse("A").unwrap(), value)
    }

    #[test]
    fn lists_an_account_an_order_or_a_shopper() {
        let of = |parameters: &[_]| filter(parameters).unwrap().of;
        assert!(matches!(of(&[]), MessagesOf::Account(_)));
        assert!(matches!(of(&[("order_id", "O-1")]), MessagesOf::Order(_)));
        for contact in [("phone", "+919876543210"), ("user_id", "IN.1349")] {
            assert!(matches!(of(&[contact]), MessagesOf::Shopper(..)));
        }
        let all = filter(&[
            ("from", "2026-01-20T00:00:00Z"),
            ("to", "2026-01-21T00:00:00Z"),
            ("status", "read"),
            ("template", "order_shipped"),
        ]);
        let all = all.unwrap();
        assert!(all.from < all.to && all.status.is_some() && all.template.is_some());
    }

    #[test]
    fn rejects_what_it_cannot_list() {
        let time = "2026-01-20T00:00:00Z";
        for parameters in [
            &[("order_id", "O"), ("phone", "919876543210")][..],
            &[("order_id", "O"), ("user_id", "IN.1349")],
            &[("phone", "919876543210"), ("user_id", "IN.1349")],
            &[("order_id", "")],
            &[("phone", "x")],
            &[("status", "")],
            &[("template", " ")],
            &[("from", "today")],
            &[("from", time), ("to", time)],
        ] {
            assert!(filter(parameters).is_err(), "{parameters:?}");
        }
    }

    #[test]
    fn rejects_cursors_of_lists_that_have_no_times() {
        let page = |after: &str| PageRequest { limit: 1, after: Some(after.to_owned()) };
        assert!(check_cursor(&page("2026-01-20T00:00:00.000Z/wa_1")).is_ok());
        assert!(check_cursor(&page("2026-01-20T00:00:00.000Z")).is_ok());
        assert!(check_cursor(&page("ORD-1/A")).is_err());
        assert!(check_cursor(&PageRequest { limit: 1, after: None }).is_ok());
    }
}

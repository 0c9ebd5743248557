//! `GET /api/external/orders`: lists orders, or finds them by status, AWB or phone number.

use aws::lambda::auth::{authorize, query_account};
use aws::lambda::http_api::{ApiError, json, page_request};
use aws::tables::orders::{Listed, sort_key_of};
use domain::auth::Caller;
use domain::core::id::{AccountCode, Awb, OrderId, OrderKey};
use domain::orders::order::Order;
use domain::orders::phone::PhoneKey;
use domain::orders::view::OrderSummary;
use domain::pagination::{MAX_LIMIT, Page, PageRequest, cursor};
use domain::tracking::report::Ref;
use domain::tracking::status::Status;
use lambda_http::{Body, Request, RequestExt, Response};

use crate::OrdersApi;

/// Queries a page of a search by status: one that finds too few orders looks further.
const MAX_QUERIES: usize = 5;

/// The filter of a list.
#[derive(Debug, PartialEq)]
enum Filter {
    None,
    Status(Status),
    Awb(Awb),
    Phone(PhoneKey),
}

/// A page of orders, and the cursor of the next one.
type Found = (Vec<Order>, Option<String>);

impl OrdersApi {
    pub(crate) async fn list(
        &self,
        request: &Request,
        caller: &Caller,
    ) -> Result<Response<Body>, ApiError> {
        let account = authorize(caller, query_account(request)?.as_ref(), "accountCode")?;
        let page = page_request(request)?;
        let query = request.query_string_parameters_ref();
        let parameter = |name: &str| query.and_then(|query| query.first(name));
        let filter = parse_filter(parameter("status"), parameter("awb"), parameter("phone"))
            .map_err(|(parameter, problem)| ApiError::invalid(parameter, problem))?;
        let (orders, next_page) = match filter {
            Filter::None => self.list_page(&account, &page).await?,
            Filter::Status(status) => self.find_by_status(&account, &page, status).await?,
            Filter::Awb(awb) => self.find_by_awb(&account, &page, &awb).await?,
            Filter::Phone(phone) => self.find_by_phone(&account, &page, &phone).await?,
        };
        let items = orders.iter().map(OrderSummary::of).collect();
        Ok(json(200, &Page { items, next_page }))
    }

    async fn list_page(
        &self,
        account: &AccountCode,
        page: &PageRequest,
    ) -> Result<Found, ApiError> {
        let listed = self.orders.list(account, page).await?;
        self.load_page(account, page, &listed).await
    }

    async fn find_by_phone(
        &self,
        account: &AccountCode,
        page: &PageRequest,
        phone: &PhoneKey,
    ) -> Result<Found, ApiError> {
        let listed = self.orders.list_by_phone(account, phone, page).await?;
        self.load_page(account, page, &listed).await
    }

    async fn load_page(
        &self,
        account: &AccountCode,
        page: &PageRequest,
        listed: &[Listed],
    ) -> Result<Found, ApiError> {
        let orders = self.orders.load_all(account, listed).await?;
        let last = listed.last().filter(|_| listed.len() == page.limit);
        Ok((orders, last.map(|listed| cursor(&listed.sort_key))))
    }

    /// An AWB names at most one order of an account, so there is no second page.
    async fn find_by_awb(
        &self,
        account: &AccountCode,
        page: &PageRequest,
        awb: &Awb,
    ) -> Result<Found, ApiError> {
        if page.after.is_some() {
            return Ok((Vec::new(), None));
        }
        let Some(order) = self.order_of_awb(account, awb).await? else {
            return Ok((Vec::new(), None));
        };
        let key = OrderKey { account: account.clone(), order };
        Ok((self.orders.load(&key).await?.into_iter().collect(), None))
    }

    /// The order that has this parcel, in whatever spelling.
    pub(crate) async fn order_of_awb(
        &self,
        account: &AccountCode,
        awb: &Awb,
    ) -> Result<Option<OrderId>, ApiError> {
        Ok(self.orders.named(account, &Ref::awb(awb)).await?)
    }

    /// One query finds a page of a status with a search key of its own, and mostly one of
    /// `delivered`, which has none. Of a shared key, it reads as many orders as possible. The index
    /// may be behind, so the status is checked in any case.
    async fn find_by_status(
        &self,
        account: &AccountCode,
        page: &PageRequest,
        status: Status,
    ) -> Result<Found, ApiError> {
        let mut found = Vec::new();
        let limit = if status.shares_search_key() { MAX_LIMIT } else { page.limit };
        let mut step = PageRequest { limit, ..page.clone() };
        for _ in 0..MAX_QUERIES {
            let listed = self.orders.list_by_status(account, status, &step).await?;
            for order in self.orders.load_all(account, &listed).await? {
                if order.state.tracking.status == status {
                    found.push(order);
                }
                if found.len() == page.limit {
                    let last = found.last().map(sort_key_of);
                    return Ok((found, last.as_deref().map(cursor)));
                }
            }
            if listed.len() < step.limit {
                return Ok((found, None));
            }
            step = PageRequest {
                limit: MAX_LIMIT,
                after: listed.last().map(|listed| listed.sort_key.clone()),
            };
        }
        Ok((found, step.after.as_deref().map(cursor)))
    }
}

/// An error is the invalid parameter and its message.
fn parse_filter(
    status: Option<&str>,
    awb: Option<&str>,
    phone: Option<&str>,
) -> Result<Filter, (&'static str, String)> {
    let combined = |parameter| (parameter, "must not be combined with another filter".to_owned());
    match (status, awb, phone) {
        (None, None, None) => Ok(Filter::None),
        (Some(status), None, None) => Status::parse(status).map(Filter::Status).ok_or_else(|| {
            let names: Vec<&str> = Status::ALL.iter().map(|status| status.as_str()).collect();
            ("status", format!("must be one of {}", names.join(", ")))
        }),
        (None, Some(awb), None) => {
            Awb::parse(awb).map(Filter::Awb).map_err(|error| ("awb", error.to_string()))
        }
        (None, None, Some(phone)) => PhoneKey::parse(phone)
            .map(Filter::Phone)
            .ok_or_else(|| ("phone", "must be 5 to 20 digits".to_owned())),
        (_, Some(_), None) => Err(combined("awb")),
        (_, _, Some(_)) => Err(combined("phone")),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn parses_one_filter() {
        let phone = PhoneKey::parse("9876543210").unwrap();
        for (given, filter) in [
            ((None, None, None), Filter::None),
            ((Some("lost"), None, None), Filter::Status(Status::Lost)),
            ((None, Some("0019"), None), Filter::Awb(Awb::parse("0019").unwrap())),
            ((None, None, Some(" 91 98765-43210")), Filter::Phone(phone)),
        ] {
            assert_eq!(parse_filter(given.0, given.1, given.2), Ok(filter), "{given:?}");
        }
    }

    #[test]
    fn rejects_invalid_and_combined_filters() {
        for (given, parameter) in [
            ((Some("gone"), None, None), "status"),
            ((None, Some(""), None), "awb"),
            ((None, Some("a/b"), None), "awb"),
            ((None, None, Some("")), "phone"),
            ((None, None, Some("1234")), "phone"),
            ((Some("lost"), Some("19"), None), "awb"),
            ((Some("lost"), None, Some("9876543210")), "phone"),
            ((None, Some("19"), Some("9876543210")), "phone"),
        ] {
            let error = parse_filter(given.0, given.1, given.2).unwrap_err();
            assert_eq!(error.0, parameter, "{given:?}");
        }
    }
}

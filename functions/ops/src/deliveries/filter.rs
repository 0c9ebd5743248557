//! The query parameters of a list of deliveries.

use std::str::FromStr;

use aws::lambda::auth::{authorize, query_account};
use aws::lambda::http_api::ApiError;
use aws::tables::deliveries::DeliveryFilter;
use domain::auth::Caller;
use domain::core::id::{EndpointName, OrderId, OrderKey};
use domain::core::timestamp::Timestamp;
use lambda_http::{Request, RequestExt};
use strum::VariantArray;

pub(super) fn read(request: &Request, caller: &Caller) -> Result<DeliveryFilter, ApiError> {
    let query = request.query_string_parameters_ref();
    let parameter = |name: &str| query.and_then(|query| query.first(name));
    let account = query_account(request)?;
    let authorized = || authorize(caller, account.as_ref(), "account_code");
    let endpoint = parameter("endpoint").map(|name| {
        EndpointName::parse(name).map_err(|error| ApiError::invalid("endpoint", error.to_string()))
    });
    let (from, to) = read_times(parameter("from"), parameter("to"))?;
    Ok(DeliveryFilter {
        account: account.as_ref().map(|_| authorized()).transpose()?,
        endpoint: endpoint.transpose()?,
        state: parameter("state").map(|text| choose("state", text)).transpose()?,
        kind: parameter("kind").map(|text| choose("kind", text)).transpose()?,
        reason: parameter("reason").map(|text| choose("reason", text)).transpose()?,
        from,
        to,
        ..DeliveryFilter::all(caller.accounts().clone())
    })
}

/// An order is named by its id and its account, which a caller with one account may leave out.
pub(crate) fn query_order(
    request: &Request,
    caller: &Caller,
) -> Result<Option<OrderKey>, ApiError> {
    let query = request.query_string_parameters_ref();
    let Some(id) = query.and_then(|query| query.first("order_id")) else { return Ok(None) };
    let order = OrderId::parse(id);
    let order = order.map_err(|error| ApiError::invalid("order_id", error.to_string()))?;
    let account = authorize(caller, query_account(request)?.as_ref(), "account_code")?;
    Ok(Some(OrderKey { account, order }))
}

/// Reads a parameter with a fixed set of values. Answers 422 naming them.
pub(crate) fn choose<T>(field: &str, text: &str) -> Result<T, ApiError>
where
    T: VariantArray + Copy + Into<&'static str> + FromStr,
{
    text.parse().map_err(|_| {
        let names: Vec<&str> = T::VARIANTS.iter().map(|value| (*value).into()).collect();
        ApiError::invalid(field, format!("must be one of {}", names.join(", ")))
    })
}

/// Reads `from` and `to`. Answers 422 unless `from` is before `to`.
pub(crate) fn read_times(
    from: Option<&str>,
    to: Option<&str>,
) -> Result<(Option<Timestamp>, Option<Timestamp>), ApiError> {
    let from = from.map(|text| read_time("from", text)).transpose()?;
    let to = to.map(|text| read_time("to", text)).transpose()?;
    if from.zip(to).is_some_and(|(from, to)| from >= to) {
        return Err(ApiError::invalid("to", "must be later than from"));
    }
    Ok((from, to))
}

fn read_time(field: &str, text: &str) -> Result<Timestamp, ApiError> {
    Timestamp::parse(text).map_err(|error| ApiError::invalid(field, error.to_string()))
}

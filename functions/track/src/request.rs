//! The parts of a request.

use domain::core::id::{AccountCode, OrderId, OrderKey};
use lambda_http::{Request, RequestExt};

use crate::html::Form;

pub(crate) fn form(request: &Request) -> Form {
    match query(request, "embed") {
        Some("page") => Form::Update,
        Some("compact") => Form::Compact,
        Some(_) => Form::Embedded,
        None => Form::Page,
    }
}

pub(crate) fn order_of(request: &Request) -> Option<OrderKey> {
    Some(OrderKey {
        account: AccountCode::parse(path_parameter(request, "account_code")).ok()?,
        order: OrderId::parse(path_parameter(request, "order_id")).ok()?,
    })
}

pub(crate) fn path_parameter<'a>(request: &'a Request, name: &str) -> &'a str {
    request.path_parameters_ref().and_then(|path| path.first(name)).unwrap_or_default()
}

/// The first of its name. Others are ignored: messengers add parameters of their own to links.
pub(crate) fn query<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.query_string_parameters_ref()?.first(name)
}

//! The tracking page: shows an order to the holder of its link. It is public: it reads only the data
//! that it shows, and does not reveal whether an order exists.

mod assets;
mod facts;
mod html;
mod languages;
mod response;
mod settings;
mod style;
#[cfg(test)]
mod tests;

use aws::client::Clients;
use aws::clock::now;
use aws::env::{BadEnvironment, Environment};
use aws::lambda::HttpInvocation;
use aws::lambda::http_api::{request_id, respond, route_key};
use aws::settings::Settings;
use aws::tables::messages::Messages;
use aws::tables::orders::Orders;
use domain::core::id::{AccountCode, OrderId, OrderKey};
use domain::core::timestamp::Timestamp;
use domain::page::{ShopPage, TokenError};
use lambda_http::{Body, Request, RequestExt, Response};

use crate::html::{Frame, Plain, error_page, order_page};
use crate::languages::Language;
use crate::response::{asset, html_response};
use crate::settings::PageSettings;

const PAGE: &str = "GET /track/{account_code}/{order_id}";
const ASSET: &str = "GET /assets/{file}";

pub struct Track {
    orders: Orders,
    messages: Messages,
    settings: PageSettings,
}

/// A page that shows no order.
#[derive(Debug)]
enum Failure {
    /// The link is wrong, or its order does not exist: strangers must not learn which.
    NotFound,
    Expired(Box<ShopPage>),
    Unavailable,
}

impl Track {
    pub fn from_environment(
        clients: &Clients,
        environment: &Environment,
    ) -> Result<Self, BadEnvironment> {
        let dynamodb = clients.dynamodb();
        let settings = Settings::from_environment(clients.ssm(), environment)?;
        Ok(Self {
            orders: Orders::new(dynamodb.clone(), environment.variable("ORDERS_TABLE")?),
            messages: Messages::new(dynamodb, environment.variable("MESSAGES_TABLE")?),
            settings: PageSettings::new(settings),
        })
    }

    pub fn handle(&self, request: Request) -> HttpInvocation<'_> {
        Box::pin(async move {
            let id = request_id(&request);
            respond(&id, Ok(self.route(&request, now()).await))
        })
    }

    async fn route(&self, request: &Request, now: Timestamp) -> Response<Body> {
        match route_key(request) {
            ASSET => asset(path_parameter(request, "file")),
            PAGE => self.page(request, now).await,
            _ => self.failed(request, Failure::NotFound),
        }
    }

    async fn page(&self, request: &Request, now: Timestamp) -> Response<Body> {
        let order = order_of(request);
        let shown = match &order {
            Some(order) => self.show(order, request, now).await,
            None => Err(Failure::NotFound),
        };
        shown.unwrap_or_else(|failure| self.failed(request, failure))
    }

    async fn show(
        &self,
        order: &OrderKey,
        request: &Request,
        now: Timestamp,
    ) -> Result<Response<Body>, Failure> {
        let links = self.settings.links(now).await?;
        let links = links.as_ref().as_ref().ok_or(Failure::NotFound)?;
        let token = query(request, "t").unwrap_or_default();
        match links.check(order, token, now) {
            Err(TokenError::Wrong) => return Err(Failure::NotFound),
            Err(TokenError::Expired) => {
                let shop = self.settings.shop(&order.account, now).await?;
                return Err(Failure::Expired(Box::new(shop)));
            }
            Ok(()) => {}
        }
        let page = self.load(order, now).await?.ok_or(Failure::NotFound)?;
        let shop = self.settings.shop(&order.account, now).await?;
        let frame = frame(request, &shop, now);
        let (account, order_id) = (&order.account, &order.order);
        tracing::info!(%account, %order_id, language = frame.language.code, "page.shown");
        Ok(html_response(200, &frame, order_page(&frame, &page)))
    }

    fn failed(&self, request: &Request, failure: Failure) -> Response<Body> {
        let unknown = ShopPage::default();
        let (status, shop, kind) = match &failure {
            Failure::NotFound => (404, &unknown, Plain::NotFound),
            Failure::Expired(shop) => (410, &**shop, Plain::Expired),
            Failure::Unavailable => (503, &unknown, Plain::Unavailable),
        };
        tracing::info!(status, "page.refused");
        // An error page shows no time.
        let frame = frame(request, shop, Timestamp::EPOCH);
        html_response(status, &frame, error_page(&frame, kind))
    }
}

fn frame<'a>(request: &'a Request, shop: &'a ShopPage, now: Timestamp) -> Frame<'a> {
    let accepted = request.headers().get("accept-language").and_then(|value| value.to_str().ok());
    Frame {
        language: Language::choose(query(request, "lang"), accepted, &shop.languages),
        shop,
        token: query(request, "t").unwrap_or_default(),
        now,
    }
}

fn order_of(request: &Request) -> Option<OrderKey> {
    Some(OrderKey {
        account: AccountCode::parse(path_parameter(request, "account_code")).ok()?,
        order: OrderId::parse(path_parameter(request, "order_id")).ok()?,
    })
}

fn path_parameter<'a>(request: &'a Request, name: &str) -> &'a str {
    request.path_parameters_ref().and_then(|path| path.first(name)).unwrap_or_default()
}

/// The first of its name. Others are ignored: messengers add parameters of their own to links.
fn query<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.query_string_parameters_ref()?.first(name)
}

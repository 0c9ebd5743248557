//! The tracking page: shows an order to the holder of its link, also within a page of the shop. It is
//! public: it reads only the data that it shows, and does not reveal whether an order exists.

mod assets;
mod facts;
mod html;
mod languages;
mod request;
mod response;
mod settings;
mod style;
#[cfg(test)]
mod tests;

use aws::client::Clients;
use aws::clock::now;
use aws::env::{BadEnvironment, Environment};
use aws::lambda::HttpInvocation;
use aws::lambda::cross_origin::{allow, origin};
use aws::lambda::http_api::{request_id, respond, route_key};
use aws::settings::Settings;
use aws::tables::messages::Messages;
use aws::tables::orders::Orders;
use domain::core::id::OrderKey;
use domain::core::timestamp::Timestamp;
use domain::page::{ShopPage, TokenError};
use lambda_http::{Body, Request, Response};
use maud::Markup;

use crate::html::{Frame, Plain, error_page, order_page};
use crate::languages::Language;
use crate::request::{form, order_of, path_parameter, query};
use crate::response::{asset, html_response};
use crate::settings::PageSettings;

const PAGE: &str = "GET /track/{account_code}/{order_id}";
const ASSET: &str = "GET /assets/{file}";

pub struct Track {
    orders: Orders,
    messages: Messages,
    settings: PageSettings,
    /// Where clients open sockets; `None` in a stage without live updates.
    sockets: Option<String>,
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
            sockets: environment.optional("SOCKETS_CLIENT_URL"),
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
            ASSET => asset(request, path_parameter(request, "file")),
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
        let mut response = shown.unwrap_or_else(|failure| self.failed(request, failure));
        if !form(request).is_own() {
            // Others are the same for every order.
            let is_about_order = matches!(response.status().as_u16(), 200 | 410);
            let order = order.filter(|_| is_about_order);
            let site = self.reader(request, order.as_ref(), now).await;
            allow(response.headers_mut(), site);
        }
        response
    }

    /// The site whose page may read an answer about this order, or about none.
    async fn reader<'a>(
        &self,
        request: &'a Request,
        order: Option<&OrderKey>,
        now: Timestamp,
    ) -> Option<&'a str> {
        let site = origin(request)?;
        let links = self.settings.links(now).await.ok()?;
        let links = links.as_ref().as_ref()?;
        let may_read = match order {
            Some(order) => links.allows_origin(&order.account, site),
            None => links.knows_origin(site),
        };
        may_read.then_some(site)
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
        let frame = self.frame(request, &shop, now);
        let (account, order_id) = (&order.account, &order.order);
        tracing::info!(%account, %order_id, language = frame.language.code, "page.shown");
        Ok(self.response(request, 200, &frame, order_page(&frame, &page)))
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
        let frame = self.frame(request, shop, Timestamp::EPOCH);
        self.response(request, status, &frame, error_page(&frame, kind))
    }

    fn response(
        &self,
        request: &Request,
        status: u16,
        frame: &Frame<'_>,
        page: Markup,
    ) -> Response<Body> {
        html_response(request, status, frame, page, self.sockets.as_deref())
    }

    fn frame<'a>(&self, request: &'a Request, shop: &'a ShopPage, now: Timestamp) -> Frame<'a> {
        let accepted = request.headers().get("accept-language");
        let accepted = accepted.and_then(|value| value.to_str().ok());
        Frame {
            form: form(request),
            language: Language::choose(query(request, "lang"), accepted, &shop.languages),
            has_sockets: self.sockets.is_some(),
            shop,
            token: query(request, "t").unwrap_or_default(),
            now,
        }
    }
}

//! Bad requests at every route of messages: the answer, and that nothing is recorded or sent.

mod bodies;
mod credentials;
mod repeats;
mod values;

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::support::graph::phone;
use crate::support::messages::{CONVERSATION, TRACK, messages};
use crate::support::{Answer, Parcel, http, stack};

/// Of a request body, in bytes.
const LIMIT: usize = 256 * 1024;

/// A route that takes a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route {
    Track,
    Send,
}

impl Route {
    const ALL: [Self; 2] = [Self::Track, Self::Send];

    fn path(self) -> &'static str {
        match self {
            Self::Track => TRACK,
            Self::Send => CONVERSATION,
        }
    }

    fn success(self) -> u16 {
        match self {
            Self::Track => 201,
            Self::Send => 202,
        }
    }

    /// A valid body about an order.
    fn body(self, order: &str) -> Value {
        match self {
            Self::Track => json!({
                "order_id": order, "account_code": "STORE001", "message_status": "sent",
            }),
            Self::Send => super::sends::body(order, &phone()),
        }
    }

    /// A valid body with this JSON text as the value of a field.
    fn body_with(self, order: &str, pointer: &str, text: &str) -> Vec<u8> {
        const PLACE: &str = "the place of the value";
        let mut body = self.body(order);
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[name] = json!(PLACE);
        body.to_string().replace(&format!("\"{PLACE}\""), text).into_bytes()
    }

    fn request(self) -> RequestBuilder {
        http::client().post(stack().url(self.path()))
    }

    /// Posts as the partner of the account.
    async fn post(self, content_type: Option<&str>, body: Vec<u8>) -> Answer {
        let partner = &stack().users["partner"];
        let request = self.request().basic_auth(&partner.name, Some(&partner.password));
        let request = match content_type {
            Some(content_type) => request.header("content-type", content_type),
            None => request,
        };
        http::send_undocumented(request.body(body)).await
    }

    async fn post_json(self, body: Vec<u8>) -> Answer {
        self.post(Some("application/json"), body).await
    }
}

/// An order that no bad request may change.
struct Untouched(String);

impl Untouched {
    async fn new() -> Self {
        let parcel = Parcel::new();
        stack().create_order(&parcel.order()).await;
        Self(parcel.order_id)
    }

    async fn check(&self) {
        assert_eq!(messages(&self.0, "").await["items"], json!([]));
        assert_eq!(stack().order(&self.0).await["latestMessageStatus"], Value::Null);
    }
}

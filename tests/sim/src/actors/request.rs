//! How callers send requests: again and again, until they have an answer that counts.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use domain::core::id::OrderKey;
use serde_json::Value;
use tokio::task::spawn_local;

use super::Actors;
use crate::clock;
use crate::lambda::{ApiRequest, Response};
use crate::ledger::{Promise, Saying, What};
use crate::setup::{ADMIN, PASSWORD, vendor_secret};
use crate::world::State;

/// A caller gives a request up after so many tries. It never comes to that once faults have ended.
const TRIES: u32 = 300;
/// A call that a killed sandbox made may still have an effect for so long.
const IN_FLIGHT_MS: u64 = 2000;

/// What a caller knows about a request after its last try.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) answer: Option<Response>,
    /// An earlier try may have had an effect.
    is_uncertain: bool,
    pub(super) tries: u32,
    /// When the first try began.
    pub(super) from: u64,
    /// When the last one was answered.
    pub(super) until: u64,
}

impl Asked {
    pub(super) fn promise(&self) -> Promise {
        match &self.answer {
            Some(answer) if answer.is_success() => Promise::Accepted,
            Some(_) if !self.is_uncertain => Promise::None,
            _ => Promise::Unknown,
        }
    }

    /// Of the fields of an order: a 200 says that the order exists as it was asked for now or
    /// before, and may have changed since.
    pub(super) fn as_creation(&self) -> Self {
        let mut asked = self.clone();
        if self.status() == 200 {
            asked.answer = None;
        }
        asked
    }

    pub(super) fn saying(&self, order: OrderKey, what: What) -> Saying {
        let (promise, from, until) = (self.promise(), self.from, self.until + IN_FLIGHT_MS);
        Saying { order, what, promise, from, until }
    }

    pub(super) fn status(&self) -> u16 {
        self.answer.as_ref().map_or(0, |answer| answer.status)
    }
}

impl Actors {
    /// Sends a request until it is accepted or refused for good. Some senders repeat it afterwards.
    pub(super) async fn request_until_answered(&self, request: &ApiRequest) -> Option<Response> {
        let asked = self.ask(request).await;
        if asked.answer.is_some() {
            self.repeat(request);
        }
        asked.answer
    }

    /// Sends a request until it is accepted or refused for good.
    pub(super) async fn ask(&self, request: &ApiRequest) -> Asked {
        let from = clock::now_ms();
        let mut is_uncertain = false;
        for tries in 1..=TRIES {
            let (request, may_be_refused) = self.world.lock().with_secret(request);
            let answer = self.lambda.request(&request).await;
            let told =
                answer.as_ref().map_or_else(|| "no answer".to_owned(), |it| it.status.to_string());
            self.world.tell("caller", || format!("{} {} -> {told}", request.method, request.path));
            match answer {
                // The shop's secret is being changed.
                Some(answer) if answer.status == 401 && may_be_refused => {}
                Some(answer) if answer.status < 500 && answer.status != 429 => {
                    let (answer, until) = (Some(answer), clock::now_ms());
                    return Asked { answer, is_uncertain, tries, from, until };
                }
                _ => is_uncertain = true,
            }
            self.world.pause(20_000).await;
        }
        let told = format!("{} {} is never answered", request.method, request.path);
        self.world.lock().ledger.violation(told);
        Asked { answer: None, is_uncertain, tries: TRIES, from, until: clock::now_ms() }
    }

    /// Some senders repeat what was accepted.
    pub(super) fn repeat(&self, request: &ApiRequest) {
        let chance = self.world.lock().faults.repeat;
        if self.world.lock().strikes("repeat", chance) {
            let (actors, request) = (self.clone(), request.clone());
            spawn_local(async move {
                actors.world.pause(30_000).await;
                let (request, _) = actors.world.lock().with_secret(&request);
                actors.lambda.request(&request).await;
            });
        }
    }
}

const VENDOR: &str = "x-vendor-server-secret";

impl State {
    /// The request with a secret that the shop has now. It may be refused if the shop has several:
    /// one of them is not in force yet, or not any more.
    fn with_secret(&mut self, request: &ApiRequest) -> (ApiRequest, bool) {
        let mut request = request.clone();
        let Some(header) = request.headers.get_mut(VENDOR) else { return (request, false) };
        let is_own = |(account, _): &(&&str, _)| *header == vendor_secret(account);
        let Some((_, secrets)) = self.vendors.iter().find(is_own) else { return (request, false) };
        header.clone_from(&secrets[self.random.usize(..secrets.len())]);
        // A sandbox that cannot read the settings goes on with the last ones.
        let may_be_refused = secrets.len() > 1 || self.struck.contains_key("settings");
        (request, may_be_refused)
    }
}

/// A request of a shop's server. Its secret is that of the beginning until it is sent.
pub(super) fn vendor(account: &str, method: &'static str, path: &str, body: &Value) -> ApiRequest {
    let secret = (VENDOR.to_owned(), vendor_secret(account));
    ApiRequest { headers: headers(secret), ..request(method, path, body) }
}

/// A request of an admin, who may do everything in all accounts.
pub(super) fn admin(account: &str, method: &'static str, path: &str, body: &Value) -> ApiRequest {
    let query = vec![("account_code".to_owned(), account.to_owned())];
    ApiRequest { query, ..user(ADMIN, method, path, body) }
}

/// A request of a user.
pub(super) fn user(name: &str, method: &'static str, path: &str, body: &Value) -> ApiRequest {
    let basic = BASE64.encode(format!("{name}:{PASSWORD}").as_bytes());
    let basic = ("authorization".to_owned(), format!("Basic {basic}"));
    ApiRequest { headers: headers(basic), ..request(method, path, body) }
}

/// A request without credentials.
pub(super) fn anybody(method: &'static str, path: &str, body: &Value) -> ApiRequest {
    let json = ("content-type".to_owned(), "application/json".to_owned());
    ApiRequest { headers: [json].into(), ..request(method, path, body) }
}

fn request(method: &'static str, path: &str, body: &Value) -> ApiRequest {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    ApiRequest { method, path: path.to_owned(), body, ..ApiRequest::default() }
}

fn headers(credentials: (String, String)) -> BTreeMap<String, String> {
    [credentials, ("content-type".to_owned(), "application/json".to_owned())].into()
}

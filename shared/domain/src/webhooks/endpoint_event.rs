//! Events of endpoints: one was paused, disabled or recovered, and other endpoints are notified.

use serde::Serialize;

use crate::auth::Accounts;
use crate::core::hash::Fingerprint;
use crate::core::id::EndpointName;
use crate::core::timestamp::Timestamp;
use crate::webhooks::delivery::Delivery;
use crate::webhooks::endpoint::{Endpoint, EventType, Format};
use crate::webhooks::health::EndpointState;
use crate::webhooks::kind::Kind;

/// The state that an endpoint came into.
#[derive(Debug, Clone, Copy)]
pub struct EndpointChange<'a> {
    pub endpoint: &'a EndpointName,
    /// The accounts that the endpoint gets deliveries of.
    pub accounts: &'a Accounts,
    pub state: EndpointState,
    /// Why it is paused or disabled.
    pub reason: Option<&'a str>,
    pub since: Timestamp,
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: &'static str,
    timestamp: Timestamp,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    endpoint: &'a EndpointName,
    state: &'static str,
    reason: Option<&'a str>,
    since: Timestamp,
}

impl EndpointChange<'_> {
    /// `None` for an endpoint that only had a few failures.
    fn event(&self) -> Option<EventType> {
        match self.state {
            EndpointState::Active => None,
            EndpointState::Paused => Some(EventType::EndpointPaused),
            EndpointState::Recovering => Some(EventType::EndpointRecovered),
            EndpointState::Disabled => Some(EventType::EndpointDisabled),
        }
    }

    fn body(&self, event: EventType) -> String {
        let data = Data {
            endpoint: self.endpoint,
            state: self.state.as_str(),
            reason: self.reason,
            since: self.since,
        };
        let body = Body { r#type: event.as_str(), timestamp: self.since, data };
        // String keys and no floats: serialization cannot fail.
        serde_json::to_string(&body).unwrap_or_default()
    }
}

/// One delivery for each other endpoint whose `events` name the event, and whose accounts include
/// all of the changed endpoint. The same change gives the same deliveries with the same ids.
pub fn fan_out<'a>(
    change: &EndpointChange<'_>,
    endpoints: impl IntoIterator<Item = &'a Endpoint>,
) -> Vec<Delivery> {
    let Some(event) = change.event() else { return Vec::new() };
    let is_subscribed = |endpoint: &&Endpoint| {
        endpoint.name != *change.endpoint
            && endpoint.settings.asks_for(event)
            && endpoint.settings.accounts.include_all(change.accounts)
    };
    let kind = Kind::Webhook { format: Format::Standard, event };
    let to_endpoint = |endpoint: &Endpoint| Delivery {
        v: kind.version(),
        id: delivery_id(change, endpoint),
        run: 1,
        endpoint: endpoint.name.clone(),
        kind,
        account: None,
        order_id: None,
        version: None,
        order_created_at: None,
        awb: None,
        probe: false,
        accepted_at: None,
        traceparent: None,
        body: change.body(event),
    };
    endpoints.into_iter().filter(is_subscribed).map(to_endpoint).collect()
}

fn delivery_id(change: &EndpointChange<'_>, endpoint: &Endpoint) -> String {
    let hash = Fingerprint::of("endpoint event").with(&endpoint.name).with(change.endpoint);
    let id = hash.with(change.state.as_str()).with(change.since.to_string()).finish();
    format!("msg_{id}")
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::webhooks::endpoint::Settings;

    fn endpoint(name: &str, settings: &str) -> Endpoint {
        let name = EndpointName::parse(name).unwrap();
        Endpoint { name, settings: Settings::parse(settings).unwrap() }
    }

    fn told(change: &EndpointChange<'_>) -> Vec<String> {
        let every = r#"["endpoint.paused","endpoint.disabled","endpoint.recovered"]"#;
        let with = |accounts: &str, events: &str| {
            format!(r#"{{"accounts":{accounts},"events":{events}}}"#)
        };
        let endpoints = [
            endpoint("shop", &with(r#"["*"]"#, every)),
            endpoint("all", &with(r#"["*"]"#, every)),
            endpoint("own", &with(r#"["STORE001","STORE003"]"#, every)),
            endpoint("other", &with(r#"["STORE002"]"#, every)),
            endpoint("paused-only", &with(r#"["*"]"#, r#"["endpoint.paused"]"#)),
            endpoint("default", r#"{"accounts":["*"]}"#),
        ];
        fan_out(change, &endpoints).iter().map(|it| it.endpoint.to_string()).collect()
    }

    #[test]
    fn notifies_other_endpoints_that_ask_and_see_all_its_accounts() {
        let shop = EndpointName::parse("shop").unwrap();
        let store = Accounts::try_from(std::collections::BTreeSet::from(["STORE001".to_owned()]));
        let store = store.unwrap();
        let change = |accounts, state| EndpointChange {
            endpoint: &shop,
            accounts,
            state,
            reason: None,
            since: Timestamp::EPOCH,
        };
        let of_store = |state| told(&change(&store, state));
        assert_eq!(of_store(EndpointState::Paused), ["all", "own", "paused-only"]);
        assert_eq!(of_store(EndpointState::Disabled), ["all", "own"]);
        assert_eq!(of_store(EndpointState::Recovering), ["all", "own"]);
        assert!(of_store(EndpointState::Active).is_empty());
        let of_all = told(&change(&Accounts::All, EndpointState::Paused));
        assert_eq!(of_all, ["all", "paused-only"]);
    }

    #[test]
    fn the_body_says_what_and_since_when() {
        let shop = EndpointName::parse("shop").unwrap();
        let since = Timestamp::parse("2026-01-20T10:00:00Z").unwrap();
        let change = EndpointChange {
            endpoint: &shop,
            accounts: &Accounts::All,
            state: EndpointState::Paused,
            reason: Some("failing"),
            since,
        };
        let ops = endpoint("ops", r#"{"accounts":["*"],"events":["endpoint.paused"]}"#);
        let deliveries = fan_out(&change, [&ops]);
        assert_eq!(
            deliveries[0].body,
            concat!(
                r#"{"type":"endpoint.paused","timestamp":"2026-01-20T10:00:00.000Z","#,
                r#""data":{"endpoint":"shop","state":"paused","reason":"failing","#,
                r#""since":"2026-01-20T10:00:00.000Z"}}"#
            )
        );
        assert_eq!(fan_out(&change, [&ops]), deliveries);
        let later =
            EndpointChange { since: since.after(std::time::Duration::from_secs(1)), ..change };
        assert_ne!(fan_out(&later, [&ops])[0].id, deliveries[0].id);
    }
}

//! Repeats of a request: sixteen at once, with another body, and after its row was forgotten.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use futures::future::join_all;
use serde_json::{Value, json};

use super::{Route, Untouched};
use crate::support::graph::calls;
use crate::support::messages::messages;
use crate::support::{Answer, Calls, eventually, http, stack, unique};

async fn post(route: Route, key: &str, body: &Value) -> Answer {
    let partner = &stack().users["partner"];
    let request = route.request().basic_auth(&partner.name, Some(&partner.password));
    http::send_undocumented(http::with_json(request.header("idempotency-key", key), Some(body)))
        .await
}

fn id(route: Route, answer: &Answer) -> String {
    let data = if route == Route::Track { &answer.json["data"] } else { &answer.json };
    data["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn sixteen_copies_are_one_message() {
    for route in Route::ALL {
        let (order, key) = (Untouched::new().await, unique("canary-key-"));
        let body = route.body(&order.0);
        let answers = join_all((0..16).map(|_| post(route, &key, &body))).await;
        for answer in &answers {
            assert_eq!(answer.status, route.success(), "{route:?}: {}", answer.json);
        }
        let ids: BTreeSet<String> = answers.iter().map(|answer| id(route, answer)).collect();
        assert_eq!(ids.len(), 1, "{route:?}");
        assert_eq!(messages(&order.0, "").await["items"].as_array().unwrap().len(), 1);
        if route == Route::Send {
            let id = ids.first().unwrap();
            eventually("a request", async || calls(id).await.pop()).await;
            assert_eq!(calls(id).await.len(), 1, "sent once");
        }
    }
}

#[tokio::test]
async fn a_key_is_of_one_body() {
    for route in Route::ALL {
        let (order, other) = (Untouched::new().await, Untouched::new().await);
        let (key, body) = (unique("canary-key-"), route.body(&order.0));
        let first = post(route, &key, &body).await;
        assert_eq!(first.status, route.success(), "{}", first.json);
        let mut changed = body.clone();
        match route {
            Route::Track => changed["message_status"] = json!("read"),
            Route::Send => changed["template"]["language"] = json!("hi"),
        }
        assert_eq!(post(route, &key, &changed).await.error(), (409, "conflict", None));
        let again = post(route, &key, &body).await;
        assert_eq!((again.status, id(route, &again)), (first.status, id(route, &first)));
        for key in ["", "a b", "\u{e9}", &"k".repeat(256)] {
            let answer = post(route, key, &route.body(&other.0)).await;
            assert_eq!(answer.error(), (400, "malformed", None), "{key} at {route:?}");
        }
        other.check().await;
    }
}

/// A request is forgotten after thirty days, its message is not.
#[tokio::test]
async fn a_repeat_after_thirty_days_sends_nothing() {
    let (order, key) = (Untouched::new().await, unique("canary-key-"));
    let body = Route::Send.body(&order.0);
    let first = id(Route::Send, &post(Route::Send, &key, &body).await);
    eventually("a request", async || calls(&first).await.pop()).await;
    let dynamodb = stack().dynamodb(&Calls::default());
    let delete = dynamodb.delete_item().table_name(&stack().tables["messages"]);
    let delete = delete
        .key("pk", AttributeValue::S(format!("order:8:STORE001:{}", order.0)))
        .key("sk", AttributeValue::S(format!("id:{first}")));
    let deleted = delete.return_values(ReturnValue::AllOld).send().await.unwrap();
    assert!(deleted.attributes.unwrap().contains_key("ttl"));

    let again = post(Route::Send, &key, &body).await;
    assert_eq!((again.status, id(Route::Send, &again)), (202, first.clone()), "{}", again.json);
    assert_eq!(messages(&order.0, "").await["items"].as_array().unwrap().len(), 1);
    assert_eq!(calls(&first).await.len(), 1);
}

//! Live updates by way of Pusher: what is published, and who joins which channel.

use std::time::{Duration, Instant};

use aws::client::{CallTimeouts, Clients, Edge};
use aws::clock::system_time;
use aws::env::Environment;
use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage};
use domain::live::{LiveMessage, LiveUpdate, MessageNews, ServerFrame};
use egress::Http;
use lambda_http::lambda_runtime::{Context, LambdaEvent};
use push::Push;
use serde_json::{Value, json};

use super::links::token_of;
use super::new_order;
use crate::support::http::{client, send};
use crate::support::pusher::{Event, KEY, PusherServer, SECRET};
use crate::support::{
    Answer, Calls, OURS, Parcel, THEIRS, block_on_in_drop, eventually, hmac, messages, put_secret,
    seconds_from_now, settings_to_expire, stack, unique,
};
use crate::whatsapp;

const PARAMETER: &str = "realtime/pusher";
const AUTH: &str = "/api/realtime/pusher-auth";
const SOCKET: &str = "1234.5678";

/// The setting of the stack, until it is dropped. Without it the stack publishes nothing.
struct Installed;

impl Installed {
    async fn new(server: &PusherServer, changes: Value) -> Self {
        let installed = Self;
        installed.change(server, changes).await;
        installed
    }

    async fn change(&self, server: &PusherServer, changes: Value) {
        let setting = server.setting(&changes).to_string();
        put_secret(&format!("local/{PARAMETER}"), &setting).await;
        settings_to_expire().await;
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        block_on_in_drop(async {
            let ssm = stack().ssm(&Calls::default());
            let name = format!("/waypost/local/{PARAMETER}");
            ssm.delete_parameter().name(name).send().await.unwrap();
        });
    }
}

/// All that needs the stack's one setting.
#[tokio::test]
async fn changes_are_published_and_clients_join_their_own_channels() {
    let server = PusherServer::start().await;
    let without = ask(&as_user("partner"), &[("channel_name", "private-shipments")]).await;
    assert_eq!(without.error(), (404, "not_found", None));
    let installed = Installed::new(&server, json!({})).await;
    publishes_a_change_on_its_order_and_account(&server).await;
    publishes_the_status_of_a_message(&server).await;
    users_join_channels_of_their_accounts().await;
    a_token_joins_the_channel_of_its_order().await;
    refuses_forms_that_are_wrong().await;
    let own = json!({"account": OURS, "public_channels": true});
    installed.change(&server, own).await;
    publishes_on_public_channels_if_the_setting_asks(&server).await;
}

async fn publishes_a_change_on_its_order_and_account(server: &PusherServer) {
    let (parcel, began) = (new_order().await, Instant::now());
    stack().webhook(&parcel.in_transit()).await;
    let events = events_of(server, &parcel.order_id, 2).await;
    println!("an event came after {:?}", began.elapsed());
    let expected = [
        ("status_changed", format!("private-order-{}@{OURS}", parcel.order_id)),
        ("shipment-update", format!("private-shipments@{OURS}")),
    ];
    assert_eq!(names(&events), expected);
    let news = events[0].json();
    assert_eq!(news["type"], "order_update");
    let shown = [&news["orderId"], &news["status"], &news["version"]];
    assert_eq!(shown, [&json!(parcel.order_id), &json!("in_transit"), &json!(2)]);
    assert!(events.iter().all(|event| event.data == events[0].data));
    assert!(!events[0].data.contains("canary"), "no personal data: {}", events[0].data);
}

async fn publishes_the_status_of_a_message(server: &PusherServer) {
    let (parcel, message) = (new_order().await, unique("wamid."));
    let tracked = messages::link(&parcel.order_id, &message, "sent").await;
    assert_eq!(tracked.status, 201, "{}", tracked.json);
    whatsapp::post_status(&message, "delivered").await;
    let of_order = format!("private-order-{}@{OURS}", parcel.order_id);
    let event = eventually("an event of the message", async || {
        let events = server.events(&parcel.order_id).into_iter();
        let mut of_order = events.filter(|event| event.channel == of_order);
        of_order.find(|event| event.json()["status"] == "delivered")
    })
    .await;
    assert_eq!(event.name, "message_status_update");
    assert!(!event.data.contains(&message), "the provider's id has the phone number");
}

async fn publishes_on_public_channels_if_the_setting_asks(server: &PusherServer) {
    let parcel = new_order().await;
    stack().webhook(&parcel.in_transit()).await;
    let events = events_of(server, &parcel.order_id, 3).await;
    let expected = [
        ("status_changed", format!("private-order-{}", parcel.order_id)),
        ("status_changed", format!("order-{}", parcel.order_id)),
        ("shipment-update", "private-shipments".to_owned()),
    ];
    assert_eq!(names(&events), expected);
    let twin = Parcel { order_id: parcel.order_id.clone(), awb: unique("18") };
    stack().create_order_in(THEIRS, &twin.order()).await;
    let path = format!("/api/external/orders/{}/status?account_code={THEIRS}", twin.order_id);
    let answer = stack().user("admin", "POST", &path, Some(&json!({"status": "in_transit"}))).await;
    assert_eq!(answer.status, 202, "{}", answer.json);
    let events = events_of(server, &parcel.order_id, 6).await;
    let theirs = &names(&events)[3..];
    let expected = [
        ("status_changed", format!("private-order-{}@{THEIRS}", parcel.order_id)),
        ("status_changed", format!("order-{}@{THEIRS}", parcel.order_id)),
        ("shipment-update", format!("private-shipments@{THEIRS}")),
    ];
    assert_eq!(theirs, expected);
    let own = format!("private-order-{}", parcel.order_id);
    assert_admitted(&ask(&as_user("partner"), &[("channel_name", &own)]).await, &own);
    for (user, channel, status) in [
        ("partner", format!("{own}@{THEIRS}"), 403),
        ("admin", format!("{own}@{THEIRS}"), 200),
        ("partner", format!("{own}@{OURS}"), 403),
        ("partner", format!("order-{}", parcel.order_id), 403),
    ] {
        let answer = ask(&as_user(user), &[("channel_name", &channel)]).await;
        assert_eq!(answer.status, status, "{user} {channel}");
    }
}

async fn users_join_channels_of_their_accounts() {
    let nobody = unique("ORD-of-nobody-");
    for user in ["admin", "partner", "viewer"] {
        for channel in
            [format!("private-shipments@{OURS}"), format!("private-order-{nobody}@{OURS}")]
        {
            assert_admitted(&ask(&as_user(user), &[("channel_name", &channel)]).await, &channel);
        }
    }
    for channel in [
        format!("private-shipments@{THEIRS}"),
        format!("private-order-{nobody}@{THEIRS}"),
        "private-shipments@STORE404".to_owned(),
        "private-shipments".to_owned(),
        format!("private-order-{nobody}"),
        format!("presence-order-{nobody}@{OURS}"),
        format!("private-order-@{OURS}"),
        format!("order-{nobody}@{OURS}"),
        "private-encrypted-a".to_owned(),
        "a".to_owned(),
    ] {
        let answer = ask(&as_user("partner"), &[("channel_name", &channel)]).await;
        assert_eq!(answer.error(), (403, "forbidden", None), "{channel}");
        assert_eq!(answer.json["error"]["message"], "this channel is not yours to see");
    }
    let channel = format!("private-shipments@{OURS}");
    let vendor = [("x-vendor-server-secret", stack().vendor_secret.clone())];
    assert_eq!(ask(&vendor, &[("channel_name", &channel)]).await.status, 403);
    assert_eq!(ask(&[], &[("channel_name", &channel)]).await.status, 401);
    let wrong = [("authorization", "Basic YWRtaW46Y2FuYXJ5LXBhc3N3b3JkLWxvbmc=".to_owned())];
    assert_eq!(ask(&wrong, &[("channel_name", &channel)]).await.of_first_failure().status, 401);
}

async fn a_token_joins_the_channel_of_its_order() {
    let (parcel, other) = (new_order().await, new_order().await);
    let token = token_of(&parcel).await;
    let channel = |order: &str, account: &str| format!("private-order-{order}@{account}");
    let own = channel(&parcel.order_id, OURS);
    assert_admitted(&ask(&[], &[("channel_name", &own), ("token", &token)]).await, &own);
    for (channel, token) in [
        (channel(&other.order_id, OURS), &*token),
        (channel(&parcel.order_id, THEIRS), &token),
        (channel(&unique("ORD-of-nobody-"), OURS), &token),
        (format!("private-shipments@{OURS}"), &token),
        (own.clone(), "canary"),
        (own.clone(), ""),
        (own, &format!("{token}A")),
    ] {
        // A user's credentials do not count beside a token.
        for caller in [&[][..], &as_user("admin")] {
            let answer = ask(caller, &[("channel_name", &channel), ("token", token)]).await;
            assert_eq!(answer.error(), (403, "forbidden", None), "{channel}");
        }
    }
}

async fn refuses_forms_that_are_wrong() {
    let channel = format!("private-shipments@{OURS}");
    for (fields, field) in [
        (vec![("channel_name", "private-a:private-b")], "channel_name"),
        (vec![("channel_name", &*channel), ("socket_id", "1.2")], "socket_id"),
        (vec![("channel_name", &*channel), ("user", "x")], "user"),
        (vec![], "channel_name"),
    ] {
        let answer = ask(&as_user("partner"), &fields).await;
        assert_eq!(answer.error(), (422, "invalid", Some(field)));
    }
    let request = client().post(stack().url(AUTH)).header("content-type", "application/json");
    let request = request.header("authorization", &as_user("partner")[0].1).body("{}");
    assert_eq!(send(request).await.error(), (415, "unsupported_media_type", None));
}

#[tokio::test]
async fn publishes_in_batches_of_ten() {
    let server = PusherServer::start().await;
    let push = push(&server.setting(&json!({}))).await;
    invoke(&push, &updates(12)).await;
    let mut batches = server.batches();
    batches.sort_unstable();
    assert_eq!(batches, [4, 10, 10]);
    assert_eq!(server.events("m-11").len(), 2);
}

/// The message counts as done, as the next one would end no better.
#[tokio::test]
async fn a_refusal_or_a_dead_server_does_no_harm() {
    let server = PusherServer::start().await;
    let push = push(&server.setting(&json!({}))).await;
    for status in [401, 413, 429, 500, 302] {
        server.refuse(status);
        invoke(&push, &updates(1)).await;
    }
    server.refuse(0);
    invoke(&push, &updates(1)).await;
    assert_eq!(server.batches(), [2; 6], "each invocation tries once");
    let setting = server.setting(&json!({}));
    drop(server);
    tokio::task::yield_now().await;
    let dead = self::push(&setting).await;
    let began = Instant::now();
    for _ in 0..20 {
        invoke(&dead, &updates(1)).await;
    }
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    let wrong = self::push(&json!({"app_id": "canary"})).await;
    invoke(&wrong, &updates(1)).await;
}

/// The function `push` with this setting.
async fn push(setting: &Value) -> Push {
    let prefix = unique("it");
    put_secret(&format!("{prefix}/{PARAMETER}"), &setting.to_string()).await;
    let environment = [
        ("CONNECTIONS_TABLE", stack().tables["connections"].clone()),
        ("SOCKETS_URL", "http://127.0.0.1:1".to_owned()),
        ("SETTINGS_PREFIX", format!("/waypost/{prefix}")),
        ("CONFIG_TTL_SECONDS", "600".to_owned()),
    ];
    let environment: Environment =
        environment.map(|(name, value)| (name.to_owned(), value)).into_iter().collect();
    let clients = Clients::new(stack().sdk(), Edge::system(), CallTimeouts::Http);
    Push::from_environment(&clients, &environment, Http::new(system_time).unwrap()).unwrap()
}

/// Updates that no socket sees, two events each.
fn updates(count: usize) -> Vec<LiveUpdate> {
    let update = |number| {
        let frame = ServerFrame::MessageStatusUpdate(MessageNews {
            message_id: format!("m-{number}"),
            order_id: None,
            status: "read".to_owned(),
            timestamp: seconds_from_now(0),
        });
        let about = json!({"account": OURS, "order": "ORD-1"});
        LiveUpdate::new(Vec::new(), &frame).about(serde_json::from_value(about).unwrap())
    };
    (0..count).map(update).collect()
}

async fn invoke(push: &Push, updates: &[LiveUpdate]) {
    let mut record = SqsMessage::default();
    record.body = Some(LiveMessage::new(updates.to_vec()).write());
    let mut batch = SqsEvent::default();
    batch.records = vec![record];
    let answer = push.invoke(LambdaEvent::new(batch, Context::default())).await.unwrap();
    assert!(answer.batch_item_failures.is_empty());
}

async fn events_of(server: &PusherServer, text: &str, count: usize) -> Vec<Event> {
    eventually(&format!("{count} events with {text}"), async || {
        Some(server.events(text)).filter(|events| events.len() >= count)
    })
    .await
}

fn names(events: &[Event]) -> Vec<(&str, String)> {
    events.iter().map(|event| (event.name.as_str(), event.channel.clone())).collect()
}

fn as_user(name: &str) -> [(&'static str, String); 1] {
    let user = &stack().users[name];
    let credentials = format!("{}:{}", user.name, user.password);
    let encoded = data_encoding::BASE64.encode(credentials.as_bytes());
    [("authorization", format!("Basic {encoded}"))]
}

/// Sends the form of `pusher-js`.
async fn ask(headers: &[(&str, String)], fields: &[(&str, &str)]) -> Answer {
    let mut form = reqwest::Url::parse("http://x").unwrap();
    form.query_pairs_mut().append_pair("socket_id", SOCKET).extend_pairs(fields);
    let request = client().post(stack().url(AUTH));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let request =
        headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
    send(request.body(form.query().unwrap().to_owned())).await
}

fn assert_admitted(answer: &Answer, channel: &str) {
    assert_eq!(answer.status, 200, "{channel}: {}", answer.json);
    let signature = hmac(SECRET, format!("{SOCKET}:{channel}").as_bytes());
    assert_eq!(answer.json, json!({"auth": format!("{KEY}:{signature}")}), "{channel}");
}

//! Sends every sample under `events/` to its source, expects 200, and compares the final status of
//! each event with a snapshot. A new source needs `events/{source}/auth.txt`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use domain::core::timestamp::Timestamp;
use futures::StreamExt;
use futures::future::LocalBoxFuture;
use futures::stream::iter;
use serde_json::{Value, json};
use sources::DedupKey;
use tokio::sync::OnceCell;

use crate::bad_inputs::request::WebhookRequest;
use crate::bad_inputs::source_fixture::SourceFixture;
use crate::bad_inputs::{esahayak, shipway, whatsapp};
use crate::support::{Answer, OURS, eventually, hmac, http, put_setting, stack, unique};

/// Requests in parallel.
const CONCURRENCY: usize = 8;

type CustomRequest = fn(Vec<u8>) -> LocalBoxFuture<'static, Request>;

/// Sources whose authentication needs more than the headers of `events/{source}/auth.txt`. All hooks
/// belong to accounts without orders, so that no order of the demo or of an earlier run changes the
/// outcome.
const CUSTOM: [(&str, CustomRequest); 3] = [
    ("esahayak", |body| Box::pin(esahayak_request(body))),
    ("shipway", |body| Box::pin(shipway_request(body))),
    ("whatsapp", |body| Box::pin(async { to(&whatsapp::fixture(), body) })),
];

fn custom_request(source: &str) -> Option<CustomRequest> {
    CUSTOM.iter().find(|(name, _)| *name == source).map(|(_, request)| *request)
}

/// A request, and the account of its path.
struct Request {
    account: String,
    webhook: WebhookRequest,
}

fn to(source: &SourceFixture, body: Vec<u8>) -> Request {
    Request { account: source.account.clone(), webhook: source.request(body) }
}

/// The event type is in a header too.
async fn esahayak_request(body: Vec<u8>) -> Request {
    static OWN_HOOK: OnceCell<SourceFixture> = OnceCell::const_new();
    let kind = text(&body, "type");
    let request = to(OWN_HOOK.get_or_init(esahayak::on_new_hook).await, body);
    let webhook = request.webhook.with_header("x-esahayak-event", kind);
    Request { webhook, ..request }
}

/// A body with a `hash` goes to the plain path, with the hash of the demo's credentials.
async fn shipway_request(body: Vec<u8>) -> Request {
    let mut json: Value = serde_json::from_slice(&body).unwrap();
    let Some(hash) = json.get_mut("hash") else { return to(shipway::fixture().await, body) };
    *hash = stack().sources["shipway"]["hash"].as_str().into();
    let webhook = WebhookRequest::json("/webhooks/shipway", json.to_string());
    Request { account: OURS.to_owned(), webhook }
}

/// Headers from `auth.txt`.
struct HeaderTemplates(Vec<(String, String)>);

impl HeaderTemplates {
    fn fill(&self, secret: &str, body: &[u8]) -> Vec<(String, String)> {
        let hmac = hmac(secret, body);
        let fill = |template: &str| template.replace("{secret}", secret).replace("{hmac}", &hmac);
        self.0.iter().map(|(name, template)| (name.clone(), fill(template))).collect()
    }
}

/// A hook whose requests authenticate by headers.
struct Hook {
    account: String,
    path: String,
    secret: String,
    headers: HeaderTemplates,
}

impl Hook {
    /// None if the source authenticates in another way.
    async fn create(source: &str) -> Option<Self> {
        if custom_request(source).is_some() {
            return None;
        }
        let file = events().join(source).join("auth.txt");
        let text = std::fs::read_to_string(&file).unwrap_or_else(|_| {
            panic!("add {} with the headers that authenticate {source}", file.display())
        });
        let (settings, headers): (Vec<&str>, Vec<&str>) =
            text.lines().partition(|line| line.starts_with("settings: "));
        if !stack().sources.contains_key(source) {
            let default = r#"{"account":"STORE001"}"#;
            let settings = settings.first().map_or(default, |line| &line["settings: ".len()..]);
            put_setting(&format!("local/sources/{source}/settings"), settings).await;
        }
        let (account, secret) = (unique("ACC-"), unique("canary-secret-"));
        let setting = json!({"account": account, "secret": secret});
        let headers = headers.into_iter().filter_map(|line| line.split_once(": "));
        let headers = HeaderTemplates(
            headers.map(|(name, template)| (name.to_owned(), template.to_owned())).collect(),
        );
        let filled = headers.fill(&secret, b"{}");
        let filled: Vec<(&str, &str)> =
            filled.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let path = stack().hook(source, &setting, &filled).await;
        Some(Self { account, path, secret, headers })
    }

    fn request(&self, body: Vec<u8>) -> Request {
        let headers = self.headers.fill(&self.secret, &body);
        let mut webhook = WebhookRequest::json(&self.path, body);
        webhook.headers.extend(headers);
        Request { account: self.account.clone(), webhook }
    }
}

struct Sent {
    name: String,
    account: String,
    /// As it is stored.
    body: Vec<u8>,
    event_id: String,
    dedup_key: DedupKey,
}

async fn send(name: String, file: PathBuf, hook: Option<&Hook>) -> Sent {
    let body = std::fs::read(file).unwrap();
    let request = match (hook, custom_request(source(&name))) {
        (Some(hook), _) => hook.request(body),
        (None, custom) => custom.unwrap()(body).await,
    };
    let Request { account, webhook } = request;
    let request = http::client().post(stack().url(&webhook.path)).body(webhook.body.clone());
    let request =
        webhook.headers.iter().fold(request, |request, (name, value)| request.header(name, value));
    // Not `send_undocumented`: openapi.yaml describes every sample.
    let answer = http::send(request).await;
    assert_eq!(
        (answer.status, &answer.json["received"]),
        (200, &json!(true)),
        "{name}: {}",
        answer.json
    );
    assert!(answer.json["processed_at"].as_str().unwrap().ends_with('Z'), "{name}");
    let dedup_key = dedup_key(&name, &webhook);
    let body = sources::by_name(source(&name)).unwrap().without_credentials(&webhook.body);
    Sent { account, body: body.into_owned(), event_id: answer.event_id(), dedup_key, name }
}

fn dedup_key(name: &str, webhook: &WebhookRequest) -> DedupKey {
    let headers: Vec<(&str, &str)> =
        webhook.headers.iter().map(|(name, value)| (&**name, value.as_str())).collect();
    let request =
        sources::Request { headers: &headers, body: &webhook.body, ..sources::Request::default() };
    let source = sources::by_name(source(name)).unwrap();
    source.parse(&request, Timestamp::EPOCH).unwrap().dedup_key
}

fn source(name: &str) -> &str {
    name.split('/').next().unwrap()
}

fn text(body: &[u8], name: &str) -> String {
    let body: Value = serde_json::from_slice(body).unwrap();
    body[name].as_str().unwrap().to_owned()
}

async fn get(path: &str) -> Answer {
    stack().user("admin", "GET", &format!("/api/webhooks/logs{path}"), None).await
}

async fn get_json(path: &str) -> Value {
    let answer = get(path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.json);
    answer.json
}

/// The final status and reason of a sample's event.
async fn outcome(sent: &Sent) -> Value {
    let path = format!("/{}?reveal=true", log_id(sent).await);
    let event = eventually(&format!("the outcome of {}", sent.name), async || {
        Some(get_json(&path).await).filter(|event| event["status"] != "received")
    })
    .await;
    assert_eq!(
        (event["source"].as_str(), event["body"].as_str()),
        (Some(source(&sent.name)), std::str::from_utf8(&sent.body).ok())
    );
    json!({"status": event["status"], "reason": event["reason"]})
}

/// The event's id in the log. Sources with event ids of their own are answered with those.
async fn log_id(sent: &Sent) -> String {
    if get(&format!("/{}", sent.event_id)).await.status == 200 {
        return sent.event_id.clone();
    }
    // The answer has the provider's id instead.
    let provider_id = DedupKey::ProviderId(sent.event_id.clone());
    assert_eq!(sent.dedup_key, provider_id, "{}", sent.name);
    let list = format!("?source={}&limit=100&account_code={}", source(&sent.name), sent.account);
    eventually(&format!("{} in the log", sent.name), async || {
        for item in get_json(&list).await["items"].as_array().unwrap() {
            let id = item["id"].as_str().unwrap();
            let event = get_json(&format!("/{id}?reveal=true")).await;
            if event["body"].as_str() == std::str::from_utf8(&sent.body).ok() {
                return Some(id.to_owned());
            }
        }
        None
    })
    .await
}

fn events() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../events")
}

/// The path of each sample by `{source}/{file}`.
fn samples() -> BTreeMap<String, PathBuf> {
    let root = events();
    let list = |folder: &Path| {
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>()
    };
    // The files of `field` are no bodies.
    let folders = list(&root).into_iter().filter(|path| path.is_dir() && !path.ends_with("field"));
    let files = folders.flat_map(|folder| list(&folder));
    let files = files.filter(|file| file.extension().is_some_and(|extension| extension == "json"));
    files
        .map(|file| (file.strip_prefix(&root).unwrap().to_str().unwrap().to_owned(), file.clone()))
        .collect()
}

#[tokio::test]
async fn accepts_every_sample_and_ends_as_in_the_snapshot() {
    let samples = samples();
    let sources: BTreeSet<&str> = samples.keys().map(|name| source(name)).collect();
    let mut hooks = BTreeMap::new();
    for source in sources {
        hooks.insert(source.to_owned(), Hook::create(source).await);
    }
    let sending = samples.into_iter().map(|(name, file)| {
        let hook = hooks[source(&name)].as_ref();
        send(name, file, hook)
    });
    let sent: Vec<Sent> = iter(sending).buffer_unordered(CONCURRENCY).collect().await;
    let outcomes = iter(sent.iter().map(async |sent| (&sent.name, outcome(sent).await)));
    let outcomes: BTreeMap<&String, Value> = outcomes.buffer_unordered(CONCURRENCY).collect().await;
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_json_snapshot!("samples", outcomes);
    });
}

//! Sends every sample under `events/` to its source, expects 200, and compares the final status of
//! each event with a snapshot. A new source needs one entry in [`SAMPLE_AUTH`].

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use futures::StreamExt;
use futures::future::LocalBoxFuture;
use futures::stream::iter;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::bad_inputs::post::Post;
use crate::bad_inputs::surface::Surface;
use crate::bad_inputs::{esahayak, shipway, whatsapp};
use crate::support::{Answer, OURS, eventually, http, put_setting, stack, unique};

/// Requests in parallel.
const CONCURRENCY: usize = 8;

enum SampleAuth {
    /// A token or signature in a header, for a hook with its own secret.
    Header {
        /// `sources/{source}/settings`, if the demo has none.
        settings: &'static str,
        /// Makes the header from the hook's secret and the body.
        sign: fn(&str, &[u8]) -> (&'static str, String),
    },
    Custom(fn(Vec<u8>) -> LocalBoxFuture<'static, Request>),
}

/// How each source authenticates. Hooks belong to accounts without orders, so that no order of the
/// demo or of an earlier run changes the outcome.
///
/// An HMAC source: `sign: |secret, body| ("x-bluebird-signature", hmac(secret, body))`, with
/// [`crate::bad_inputs::post::hmac`].
const SAMPLE_AUTH: [(&str, SampleAuth); 4] = [
    (
        "shiprocket",
        SampleAuth::Header {
            settings: r#"{"mode":"token","account":"STORE001"}"#,
            sign: |secret, _| ("x-api-key", secret.to_owned()),
        },
    ),
    ("esahayak", SampleAuth::Custom(|body| Box::pin(esahayak_request(body)))),
    ("shipway", SampleAuth::Custom(|body| Box::pin(shipway_request(body)))),
    ("whatsapp", SampleAuth::Custom(|body| Box::pin(async { to(&whatsapp::surface(), body) }))),
];

fn sample_auth(source: &str) -> &'static SampleAuth {
    let entry = SAMPLE_AUTH.iter().find(|(name, _)| *name == source);
    let (_, auth) = entry.unwrap_or_else(|| {
        panic!("add how `{source}` authenticates to SAMPLE_AUTH in tests/it/samples.rs")
    });
    auth
}

/// A request, and the account of its path.
struct Request {
    account: String,
    post: Post,
}

fn to(surface: &Surface, body: Vec<u8>) -> Request {
    Request { account: surface.account.clone(), post: surface.post(body) }
}

/// The event type is in a header too.
async fn esahayak_request(body: Vec<u8>) -> Request {
    static OWN_HOOK: OnceCell<Surface> = OnceCell::const_new();
    let kind = text(&body, "type");
    let request = to(OWN_HOOK.get_or_init(esahayak::make).await, body);
    Request { post: request.post.with("x-esahayak-event", kind), ..request }
}

/// A body with a `hash` goes to the plain path, with the hash of the demo's credentials.
async fn shipway_request(body: Vec<u8>) -> Request {
    let mut json: Value = serde_json::from_slice(&body).unwrap();
    let Some(hash) = json.get_mut("hash") else { return to(shipway::surface().await, body) };
    *hash = stack().sources["shipway"]["hash"].as_str().into();
    let post = Post::to("/webhooks/shipway", json.to_string());
    Request { account: OURS.to_owned(), post }
}

/// A hook for header authentication.
struct Hook {
    account: String,
    path: String,
    secret: String,
    sign: fn(&str, &[u8]) -> (&'static str, String),
}

impl Hook {
    /// None if the source authenticates in another way.
    async fn create(source: &str) -> Option<Self> {
        let SampleAuth::Header { settings, sign } = sample_auth(source) else { return None };
        if !stack().sources.contains_key(source) {
            put_setting(&format!("local/sources/{source}/settings"), settings).await;
        }
        let (account, secret) = (unique("ACC-"), unique("canary-secret-"));
        let (header, value) = sign(&secret, b"{}");
        let setting = json!({"account": account, "secret": secret});
        let path = stack().hook(source, &setting, &[(header, &value)]).await;
        Some(Self { account, path, secret, sign: *sign })
    }

    fn request(&self, body: Vec<u8>) -> Request {
        let (header, value) = (self.sign)(&self.secret, &body);
        let post = Post::to(&self.path, body).with(header, value);
        Request { account: self.account.clone(), post }
    }
}

struct Sent {
    name: String,
    account: String,
    body: Vec<u8>,
    event_id: String,
}

async fn send(name: String, file: PathBuf, hook: Option<&Hook>) -> Sent {
    let body = std::fs::read(file).unwrap();
    let request = match (hook, sample_auth(source(&name))) {
        (_, SampleAuth::Custom(request)) => request(body).await,
        (hook, SampleAuth::Header { .. }) => hook.unwrap().request(body),
    };
    let Request { account, post } = request;
    let request = http::client().post(stack().url(&post.path)).body(post.body.clone());
    let request =
        post.headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
    // Not `send_undocumented`: openapi.yaml describes every sample.
    let answer = http::send(request).await;
    assert_eq!(
        (answer.status, &answer.json["received"]),
        (200, &json!(true)),
        "{name}: {}",
        answer.json
    );
    assert!(answer.json["processed_at"].as_str().unwrap().ends_with('Z'), "{name}");
    Sent { name, account, body: post.body, event_id: answer.event_id() }
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
    let path = format!("/{}", log_id(sent).await);
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
    assert_eq!(sent.event_id, text(&sent.body, "id"));
    let list = format!("?source={}&limit=100&account_code={}", source(&sent.name), sent.account);
    eventually(&format!("{} in the log", sent.name), async || {
        for item in get_json(&list).await["items"].as_array().unwrap() {
            let id = item["id"].as_str().unwrap();
            let event = get_json(&format!("/{id}")).await;
            if event["body"].as_str() == std::str::from_utf8(&sent.body).ok() {
                return Some(id.to_owned());
            }
        }
        None
    })
    .await
}

/// The path of each sample by `{source}/{file}`.
fn samples() -> BTreeMap<String, PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events");
    let list = |folder: &Path| {
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>()
    };
    let files =
        list(&root).into_iter().filter(|path| path.is_dir()).flat_map(|folder| list(&folder));
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

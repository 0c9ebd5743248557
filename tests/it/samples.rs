//! Every sample under `events/` through the front door: all are answered 200, and this is how they end.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use futures::StreamExt;
use futures::stream::iter;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::bad_inputs::post::Post;
use crate::bad_inputs::surface::Surface;
use crate::bad_inputs::{esahayak, shiprocket, shipway, whatsapp};
use crate::support::{eventually, http, stack};

/// So many samples are sent, or looked for, side by side.
const AT_ONCE: usize = 8;

/// The request that its provider would send. Hooks are of accounts where no sample's order is: neither the demo nor an
/// earlier run has a say in how a sample ends.
async fn post(source: &str, body: Vec<u8>) -> Post {
    match source {
        "shiprocket" => shiprocket::surface().await.post(body),
        "esahayak" => {
            let kind = text(&body, "type");
            alone().await.post(body).with("x-esahayak-event", kind)
        }
        "shipway" => match rehashed(&body) {
            Some(body) => Post::to("/webhooks/shipway", body),
            None => shipway::surface().await.post(body),
        },
        "whatsapp" => whatsapp::surface().post(body),
        other => panic!("how does {other} prove who it is?"),
    }
}

/// eSahayak's samples are looked for in the log, so nothing else is there.
async fn alone() -> &'static Surface {
    static ALONE: OnceCell<Surface> = OnceCell::const_new();
    ALONE.get_or_init(esahayak::make).await
}

fn text(body: &[u8], name: &str) -> String {
    let body: Value = serde_json::from_slice(body).unwrap();
    body[name].as_str().unwrap().to_owned()
}

/// A body that shows a hash, with this installation's.
fn rehashed(body: &[u8]) -> Option<Vec<u8>> {
    let mut body: Value = serde_json::from_slice(body).unwrap();
    let hash = body.get_mut("hash")?;
    *hash = stack().sources["shipway"]["hash"].as_str().into();
    Some(body.to_string().into_bytes())
}

/// `{source}/{file}` of every sample, with its path.
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

/// A sample that was sent.
struct Sent {
    name: String,
    body: Vec<u8>,
    event_id: String,
}

async fn send(name: String, file: PathBuf) -> Sent {
    let post = post(source(&name), std::fs::read(file).unwrap()).await;
    let request = http::client().post(stack().url(&post.path)).body(post.body.clone());
    let request =
        post.headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
    // Not `send_odd`: a sample is what openapi.yaml describes.
    let answer = http::send(request).await;
    assert_eq!(
        (answer.status, &answer.json["received"]),
        (200, &json!(true)),
        "{name}: {}",
        answer.json
    );
    assert!(answer.json["processed_at"].as_str().unwrap().ends_with('Z'), "{name}");
    Sent { name, body: post.body, event_id: answer.json["event_id"].as_str().unwrap().to_owned() }
}

fn source(name: &str) -> &str {
    name.split('/').next().unwrap()
}

async fn log(path: &str) -> Value {
    let log = stack().user("admin", "GET", &format!("/api/webhooks/logs{path}"), None).await;
    assert_eq!(log.status, 200, "{path}: {}", log.json);
    log.json
}

/// How a sample ends in the log.
async fn end(sent: &Sent) -> Value {
    let id =
        if source(&sent.name) == "esahayak" { found(sent).await } else { sent.event_id.clone() };
    let path = format!("/{id}");
    let ended = async || Some(log(&path).await).filter(|log| log["status"] != "received");
    let log = eventually(&format!("the end of {}", sent.name), ended).await;
    assert_eq!(
        (log["source"].as_str(), log["body"].as_str()),
        (Some(source(&sent.name)), utf8(&sent.body))
    );
    json!({"status": log["status"], "reason": log["reason"]})
}

fn utf8(body: &[u8]) -> Option<&str> {
    std::str::from_utf8(body).ok()
}

/// eSahayak is answered with its own id: the log's is in the list.
async fn found(sent: &Sent) -> String {
    assert_eq!(sent.event_id, text(&sent.body, "id"));
    let path = format!("?source=esahayak&limit=100&account_code={}", alone().await.account);
    eventually(&format!("{} in the log", sent.name), async || {
        for item in log(&path).await["items"].as_array().unwrap() {
            let id = item["id"].as_str().unwrap();
            if log(&format!("/{id}")).await["body"].as_str() == utf8(&sent.body) {
                return Some(id.to_owned());
            }
        }
        None
    })
    .await
}

#[tokio::test]
async fn every_sample_is_taken_and_ends_as_its_snapshot_says() {
    let sent = iter(samples()).map(|(name, file)| send(name, file)).buffer_unordered(AT_ONCE);
    let sent: Vec<Sent> = sent.collect().await;
    let ends =
        iter(sent.iter().map(async |sent| (&sent.name, end(sent).await))).buffer_unordered(AT_ONCE);
    let ends: BTreeMap<&String, Value> = ends.collect().await;
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_json_snapshot!("samples", ends);
    });
}

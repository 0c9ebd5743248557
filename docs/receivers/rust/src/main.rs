//! Receives Waypost's webhooks: verifies the signature and drops repeats.

use std::collections::VecDeque;
use std::env;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokio::net::TcpListener;

const BODY_LIMIT: usize = 1024 * 1024;
const TOLERANCE_SECONDS: u64 = 5 * 60;
const REMEMBERED_IDS: usize = 10_000;

struct App {
    mac: Hmac<Sha256>,
    /// This memory is lost on a restart and belongs to one process. In production, insert the id
    /// into a table with a unique key, in the transaction that applies the event, and keep it for
    /// 30 days.
    handled: Mutex<VecDeque<String>>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mac = Hmac::new_from_slice(&read_key(&env::var("WEBHOOK_SECRET").unwrap_or_default())?)?;
    let port = env::var("PORT").map_or(Ok(8080), |port| port.parse())?;
    let app = Arc::new(App { mac, handled: Mutex::default() });
    let service = post(receive).layer(DefaultBodyLimit::max(BODY_LIMIT)).with_state(app);
    axum::serve(TcpListener::bind(("127.0.0.1", port)).await?, service).await?;
    Ok(())
}

fn read_key(secret: &str) -> Result<Vec<u8>, &'static str> {
    let encoded = secret.strip_prefix("whsec_").unwrap_or_default();
    let key = BASE64.decode(encoded.as_bytes()).ok().filter(|key| key.len() >= 24);
    key.ok_or("WEBHOOK_SECRET must be whsec_ and base64 of at least 24 bytes")
}

/// `Bytes` is the body as sent: the signature covers it, and re-encoded JSON does not verify.
async fn receive(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let Some(id) = verify(&app.mac, &headers, &body) else { return StatusCode::BAD_REQUEST };
    let mut handled = app.handled.lock().unwrap_or_else(PoisonError::into_inner);
    if !handled.iter().any(|known| known == id) {
        handle(id, &body);
        // Recorded after handling: if handle panics, no answer goes out and Waypost sends it again.
        handled.push_back(id.to_owned());
        if handled.len() > REMEMBERED_IDS {
            handled.pop_front();
        }
    }
    StatusCode::NO_CONTENT
}

/// Returns the verified `webhook-id`.
fn verify<'a>(mac: &Hmac<Sha256>, headers: &'a HeaderMap, body: &[u8]) -> Option<&'a str> {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let (id, timestamp) = (header("webhook-id")?, header("webhook-timestamp")?);
    let now = SystemTime::UNIX_EPOCH.elapsed().ok()?.as_secs();
    // Limits how long a recorded request can be replayed.
    if id.is_empty() || now.abs_diff(timestamp.parse().ok()?) > TOLERANCE_SECONDS {
        return None;
    }
    let mac = mac.clone().chain_update(format!("{id}.{timestamp}.")).chain_update(body);
    // During a rotation the header carries one signature per secret, separated by spaces.
    let matches = header("webhook-signature")?.split(' ').any(|signature| {
        let bytes = signature.strip_prefix("v1,").map(|text| BASE64.decode(text.as_bytes()));
        // Takes the same time wherever the bytes differ, unlike `==`.
        bytes.is_some_and(|bytes| bytes.is_ok_and(|it| mac.clone().verify_slice(&it).is_ok()))
    });
    matches.then_some(id)
}

/// Your code. Waypost waits only seconds for the answer: queue slow work.
fn handle(id: &str, _body: &[u8]) {
    println!("handled {id}");
}

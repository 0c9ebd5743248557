//! Shared test helpers: the running stack, HTTP and AWS clients, builders, faults and waiting.

mod callers;
mod clients;
mod dead_letters;
mod endpoint;
mod events;
mod faults;
mod functions;
pub mod graph;
pub mod http;
mod kill_points;
pub mod messages;
mod meter;
mod openapi;
mod parameters;
mod parcel;
pub mod pusher;
mod receiver;
mod signatures;
pub mod sockets;
mod tls_server;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::Path;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use domain::core::timestamp::Timestamp;
use serde::Deserialize;
use serde_json::Value;

pub use callers::{Caller, OURS, Role, THEIRS, caller, callers, callers_of};
pub use dead_letters::{take_dead_letter, take_unreadable_dead_letter};
pub use endpoint::{SIGNING_SECRET, TestEndpoint};
pub use events::{
    body_event_id, detail, detail_in_status, forget_deliveries_of_events, inbound_event,
    insert_event, order_key, quarantined_event_id, revealed, trace_delivery,
};
pub use faults::{Calls, Fault};
pub use functions::api_request;
pub use http::Answer;
pub use kill_points::{process_event, survives_kill_points};
pub use meter::{Index, Meter, Row, Usage, row_size};
pub use openapi::check_delivery;
pub use parameters::{put_secret, put_setting, remove_parameters, settings_to_expire};
pub use parcel::Parcel;
pub use receiver::Received;
pub use signatures::{hmac, hmac_bytes, hmac_signature};
pub use tls_server::{Mistake, TlsServer};

/// `target/local/stack.json`.
#[derive(Debug, Deserialize)]
pub struct Stack {
    pub region: String,
    pub endpoint_url: String,
    pub aws: Keys,
    pub api_url: String,
    pub functions: BTreeMap<String, String>,
    pub receiver_url: String,
    pub shipway_url: String,
    pub graph_url: String,
    pub users: BTreeMap<String, User>,
    pub vendor_secret: String,
    pub sources: BTreeMap<String, BTreeMap<String, String>>,
    pub endpoints: BTreeMap<String, Endpoint>,
    pub queues: BTreeMap<String, String>,
    pub tables: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
pub struct Keys {
    pub access_key_id: String,
    pub secret_access_key: String,
}

#[derive(Debug, Deserialize)]
pub struct User {
    pub name: String,
    pub password: String,
}

/// An endpoint of the demo settings.
#[derive(Debug, Deserialize)]
pub struct Endpoint {
    pub url: String,
    pub format: String,
}

impl Endpoint {
    pub fn path(&self) -> String {
        let start = self.url.rfind('/').unwrap();
        self.url[start..].to_owned()
    }
}

static STACK: LazyLock<Stack> = LazyLock::new(|| {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/local/stack.json");
    let text =
        std::fs::read_to_string(file).expect("no running stack: run these tests with `make e2e`");
    serde_json::from_str(&text).expect("target/local/stack.json has an unexpected form")
});

pub fn stack() -> &'static Stack {
    &STACK
}

/// A string that no other test and no earlier run has used. Digits follow the prefix.
pub fn unique(prefix: &str) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    format!(
        "{prefix}{}{:03}",
        since_1970.as_micros() % 1_000_000_000_000,
        COUNT.fetch_add(1, Ordering::Relaxed)
    )
}

/// A sample body, e.g. `shiprocket/test_ping`.
pub fn sample(path: &str) -> Value {
    let file = format!("{}/../events/{path}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

/// Polls until `check` returns a value; fails the test after a minute.
pub async fn eventually<T>(what: &str, check: impl AsyncFn() -> Option<T>) -> T {
    eventually_within(Duration::from_secs(60), what, check).await
}

/// As [`eventually`], for what takes longer.
pub async fn eventually_within<T>(
    longest: Duration,
    what: &str,
    check: impl AsyncFn() -> Option<T>,
) -> T {
    poll_until(longest, what, async || check().await.ok_or("")).await
}

/// Polls until `check` succeeds; fails the test after a minute, with the last error.
pub async fn eventually_ok<T, E: Display>(what: &str, check: impl AsyncFn() -> Result<T, E>) -> T {
    poll_until(Duration::from_secs(60), what, check).await
}

async fn poll_until<T, E: Display>(
    longest: Duration,
    what: &str,
    check: impl AsyncFn() -> Result<T, E>,
) -> T {
    let deadline = Instant::now() + longest;
    let mut pause = Duration::from_millis(50);
    loop {
        match check().await {
            Ok(found) => return found,
            Err(error) => {
                assert!(Instant::now() < deadline, "timed out waiting for {what}; last: {error}");
            }
        }
        tokio::time::sleep(pause).await;
        // Many tests poll one stack at once.
        pause = (pause * 3 / 2).min(Duration::from_millis(400));
    }
}

/// A time relative to now; negative for the past.
pub fn seconds_from_now(seconds: i64) -> Timestamp {
    Timestamp::from_millis(aws::clock::now().millis() + seconds * 1000).unwrap()
}

/// Rows written in one millisecond are ordered by their ids; this keeps the order of insertion.
pub async fn next_millisecond() {
    tokio::time::sleep(Duration::from_millis(2)).await;
}

/// Runs a future in `drop`, on a thread of its own: the test's runtime may be shutting down.
pub fn block_on_in_drop(future: impl Future<Output = ()> + Send) {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    std::thread::scope(|scope| scope.spawn(|| runtime().block_on(future)).join()).unwrap();
}

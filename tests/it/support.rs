//! The running stack as a test sees it.

mod aws_calls;
mod functions;
mod hooks;
pub mod http;
mod openapi;
mod receiver;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use serde::Deserialize;

pub use aws_calls::{Calls, Fault};
pub use http::Answer;
pub use openapi::check_delivery;
pub use receiver::Received;

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
    let text = std::fs::read_to_string(file)
        .expect("no running stack: these tests run through `make e2e`");
    serde_json::from_str(&text).expect("target/local/stack.json has an unexpected form")
});

pub fn stack() -> &'static Stack {
    &STACK
}

/// A word that no other test and no earlier run has used.
pub fn unique(prefix: &str) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    format!(
        "{prefix}{}{:03}",
        since_1970.as_micros() % 1_000_000_000_000,
        COUNT.fetch_add(1, Ordering::Relaxed)
    )
}

/// Asks until there is an answer. The one place that waits.
pub async fn eventually<T>(what: &str, ask: impl AsyncFn() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut pause = Duration::from_millis(50);
    loop {
        if let Some(found) = ask().await {
            return found;
        }
        assert!(Instant::now() < deadline, "never came: {what}");
        tokio::time::sleep(pause).await;
        // Many tests ask one stack at once.
        pause = (pause * 3 / 2).min(Duration::from_millis(400));
    }
}

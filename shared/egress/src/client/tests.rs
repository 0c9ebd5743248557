//! An endpoint's owner decides what it answers, so these are answers nobody should have to cope with.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use crate::policy::{Loopback, Target};

use super::resolve::system;
use super::{HeaderMap, Http, LOOPBACK, PostError, Reply};
use evil::Evil;

mod answers;
mod broken;
mod dns;
mod evil;
mod get;
mod requests;
mod tls;

/// Long enough that passing it means a hang.
const LONG: Duration = Duration::from_secs(30);

/// For answers that never come.
const SHORT: Duration = Duration::from_millis(250);

/// The client as it is with the loopback feature, in whatever build.
fn local() -> Http {
    Http::with(Loopback::Allowed, system()).unwrap()
}

async fn post(target: &Target, timeout: Duration) -> Result<Reply, PostError> {
    local().post(target, HeaderMap::new(), b"{}".to_vec(), timeout).await
}

#[test]
fn the_build_decides_on_loopback() {
    assert_eq!(Http::new().unwrap().loopback, LOOPBACK);
}

#[tokio::test]
async fn a_deploy_build_posts_to_nothing_local() {
    let evil = Evil::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let deployed = Http::with(Loopback::Refused, system()).unwrap();
    for origin in [
        "http://127.0.0.1",
        "http://localhost",
        "https://127.0.0.1",
        "https://localhost",
        "https://[::1]",
    ] {
        let posted =
            deployed.post(&evil.target_on(origin, "/"), HeaderMap::new(), vec![], LONG).await;
        assert!(matches!(posted, Err(PostError::Refused(_))), "{origin}: {posted:?}");
    }
    assert_eq!(evil.connections(), 0);
}

//! Tests against hostile servers: the owner of an endpoint controls every byte of its responses.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod broken;
mod dns;
mod get;
mod requests;
mod responses;
mod server;
mod tls;

use std::time::Duration;

use super::{HeaderMap, Http, LOOPBACK, PostResponse};
use crate::error::SendError;
use crate::policy::{Loopback, Target};
use crate::resolve::system;
use server::HostileServer;

/// Never reached, unless the client hangs.
const LONG: Duration = Duration::from_secs(30);

/// For responses that never arrive.
const SHORT: Duration = Duration::from_millis(250);

/// The client as built with the feature `loopback`.
fn local() -> Http {
    Http::with(Loopback::Allowed, system()).unwrap()
}

async fn post(target: &Target, timeout: Duration) -> Result<PostResponse, SendError> {
    local().post(target, HeaderMap::new(), b"{}".to_vec(), timeout).await
}

#[test]
fn the_build_selects_the_loopback_policy() {
    assert_eq!(Http::new().unwrap().loopback, LOOPBACK);
}

#[tokio::test]
async fn rejects_a_post_to_loopback_in_a_deploy_build() {
    let server = HostileServer::responding("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let deployed = Http::with(Loopback::Refused, system()).unwrap();
    for origin in [
        "http://127.0.0.1",
        "http://localhost",
        "https://127.0.0.1",
        "https://localhost",
        "https://[::1]",
    ] {
        let posted =
            deployed.post(&server.target_on(origin, "/"), HeaderMap::new(), vec![], LONG).await;
        assert!(matches!(posted, Err(SendError::Refused(_))), "{origin}: {posted:?}");
    }
    assert_eq!(server.connections(), 0);
}

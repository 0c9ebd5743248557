//! Tests against hostile servers: the owner of an endpoint controls every byte of its responses.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod broken;
mod connections;
mod dns;
mod get;
mod requests;
mod responses;
mod server;
mod tls;

use std::time::{Duration, SystemTime};

use super::{HeaderMap, Http, LOOPBACK, PostResponse};
use crate::error::SendError;
use crate::policy::{Loopback, Target};
use crate::resolve::{Lookup, system};
use crate::roots::SystemRoots;
use crate::transport::{Transport, system_tls};
use server::HostileServer;

/// Never reached, unless the client hangs.
const LONG: Duration = Duration::from_secs(30);

/// For responses that never arrive.
const SHORT: Duration = Duration::from_millis(250);

fn client(loopback: Loopback, lookup: Lookup) -> Http {
    let tls = system_tls(SystemRoots::read().unwrap()).unwrap();
    Http::over(Transport::new(loopback, lookup, tls, SystemTime::now), loopback)
}

/// The client as built with the feature `loopback`.
fn local() -> Http {
    client(Loopback::Allowed, system())
}

async fn post(target: &Target, timeout: Duration) -> Result<PostResponse, SendError> {
    local().post(target, HeaderMap::new(), b"{}".to_vec(), timeout).await
}

#[test]
fn the_build_selects_the_loopback_policy() {
    assert_eq!(Http::new(SystemTime::now).unwrap().loopback, LOOPBACK);
}

#[test]
fn the_machine_has_certificates() {
    Http::new(SystemTime::now).unwrap().wait().unwrap();
}

#[tokio::test]
async fn rejects_a_post_to_loopback_in_a_deploy_build() {
    let server = HostileServer::responding("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let deployed = client(Loopback::Refused, system());
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

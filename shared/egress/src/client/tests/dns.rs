//! SSRF guard: every address is vetted, on each lookup that leads to a connection.

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use tower::ServiceExt;

use super::server::HostileServer;
use super::{LONG, client, post};
use crate::policy::{Loopback, Target};
use crate::resolve::{Blocked, Guard, Lookup};
use crate::{HeaderMap, PostResponse, SendError};

/// Answers lookups from a list, in order.
pub(super) fn scripted(answers: &[&[&str]]) -> Lookup {
    let parse = |answer: &&[&str]| answer.iter().map(|ip| ip.parse().unwrap()).collect();
    let answers: Mutex<VecDeque<Vec<IpAddr>>> = Mutex::new(answers.iter().map(parse).collect());
    Arc::new(move |_| {
        let answer = answers.lock().unwrap().pop_front().expect("unexpected lookup");
        Box::pin(async { Ok(answer) })
    })
}

async fn post_through(lookup: Lookup, target: &Target) -> Result<PostResponse, SendError> {
    let http = client(Loopback::Allowed, lookup);
    http.post(target, HeaderMap::new(), vec![], LONG).await
}

fn target(url: &str) -> Target {
    Target::parse(url, Loopback::Allowed).unwrap()
}

#[tokio::test]
async fn returns_public_addresses_in_order() {
    let guard = Guard::new(Loopback::Allowed, scripted(&[&["2606:4700::1111", "1.1.1.1"]]));
    let addresses: Vec<_> = guard.oneshot("hook.example".parse().unwrap()).await.unwrap().collect();
    assert_eq!(addresses, ["[2606:4700::1111]:0".parse().unwrap(), "1.1.1.1:0".parse().unwrap()]);
}

#[tokio::test]
async fn blocks_a_name_with_one_private_address() {
    for answer in [
        &["127.0.0.1"][..], // loopback is permitted for `localhost` only
        &["1.1.1.1", "10.0.0.1"],
        &["169.254.169.254", "1.1.1.1"],
        &["1.1.1.1", "::ffff:7f00:1"],
        &["fd00:ec2::254"],
    ] {
        let guard = Guard::new(Loopback::Allowed, scripted(&[answer]));
        let error = guard.oneshot("hook.example".parse().unwrap()).await.err().unwrap();
        assert!(error.is::<Blocked>(), "{answer:?}: {error}");
        let posted = post_through(scripted(&[answer]), &target("https://hook.example/")).await;
        assert_eq!(posted, Err(SendError::Blocked), "{answer:?}");
    }
}

#[tokio::test]
async fn reports_a_name_without_an_ipv4_address() {
    let lookup = scripted(&[&["2606:4700::1111", "2606:4700::1001"]]);
    let error = post_through(lookup, &target("https://hook.example/")).await.unwrap_err();
    assert_eq!((error.code(), error.may_have_arrived()), ("dns_no_ipv4", false));
}

#[tokio::test]
async fn blocks_localhost_in_a_deploy_build() {
    let guard = Guard::new(Loopback::Refused, scripted(&[&["127.0.0.1"]]));
    let error = guard.oneshot("localhost".parse().unwrap()).await.err().unwrap();
    assert!(error.is::<Blocked>(), "{error}");
}

#[tokio::test]
async fn does_not_connect_when_one_of_two_addresses_is_private() {
    let server = HostileServer::responding("HTTP/1.1 200 OK\r\n\r\n").await;
    let lookup = scripted(&[&["127.0.0.1", "10.0.0.1"]]);
    let posted = post_through(lookup, &server.target_on("http://localhost", "/")).await;
    assert_eq!(posted, Err(SendError::Blocked));
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn blocks_dns_rebinding_at_the_next_connection() {
    let server = HostileServer::responding("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n").await;
    let http = client(Loopback::Allowed, scripted(&[&["127.0.0.1"], &["10.0.0.1"]]));
    let target = server.target_on("http://localhost", "/");
    let post = || http.post(&target, HeaderMap::new(), vec![], LONG);
    assert_eq!(post().await.unwrap().status, 200);
    let error = post().await.unwrap_err();
    assert_eq!((error, error.may_have_arrived()), (SendError::Blocked, false));
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn dials_the_vetted_address_without_a_second_lookup() {
    let server = HostileServer::responding("HTTP/1.1 200 OK\r\n\r\n").await;
    let lookup = scripted(&[&["127.0.0.1"]]); // a second lookup would panic
    let response = post_through(lookup, &server.target_on("http://localhost", "/")).await.unwrap();
    assert_eq!((response.status, server.connections()), (200, 1));
}

#[tokio::test]
async fn reports_a_dns_error_without_an_address() {
    let none: Lookup = Arc::new(|_| Box::pin(async { Err(io::Error::other("NXDOMAIN")) }));
    for lookup in [none, scripted(&[&[]])] {
        let error = post_through(lookup, &target("https://hook.example/")).await.unwrap_err();
        assert_eq!((error, error.may_have_arrived()), (SendError::Dns, false));
    }
}

#[tokio::test]
async fn times_out_a_hanging_resolver_before_the_request() {
    let hang: Lookup = Arc::new(|_| Box::pin(std::future::pending()));
    let error = post_through(hang, &target("https://hook.example/")).await.unwrap_err();
    assert_eq!(error, SendError::Dns);
}

#[tokio::test]
async fn resolves_an_internationalised_name_as_punycode() {
    let lookup: Lookup = Arc::new(|name| {
        assert_eq!(name, "xn--11b7ah1gn.xn--h2brj9c");
        Box::pin(async { Ok(vec!["10.0.0.1".parse().unwrap()]) })
    });
    for host in ["दुकान.भारत", "xn--11b7ah1gn.xn--h2brj9c"] {
        let posted = post_through(lookup.clone(), &target(&format!("https://{host}/"))).await;
        assert_eq!(posted, Err(SendError::Blocked), "{host}");
    }
}

#[tokio::test]
async fn uses_the_system_resolver() {
    let server = HostileServer::responding("HTTP/1.1 200 OK\r\n\r\n").await;
    assert_eq!(post(&server.target_on("http://localhost", "/"), LONG).await.unwrap().status, 200);
}

//! Every answer of DNS is vetted, on every look-up that leads to a connection.

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use crate::policy::{Loopback, Target};
use reqwest::dns::Resolve;

use super::evil::Evil;
use super::{LONG, post};
use crate::resolve::{Blocked, Guard, Lookup};
use crate::{HeaderMap, Http, PostError, Reply};

/// Answers look-ups from a list, one after the other.
fn scripted(answers: &[&[&str]]) -> Lookup {
    let parse = |answer: &&[&str]| answer.iter().map(|ip| ip.parse().unwrap()).collect();
    let answers: Mutex<VecDeque<Vec<IpAddr>>> = Mutex::new(answers.iter().map(parse).collect());
    Arc::new(move |_| {
        let answer = answers.lock().unwrap().pop_front().expect("one look-up too many");
        Box::pin(async { Ok(answer) })
    })
}

async fn post_through(lookup: Lookup, target: &Target) -> Result<Reply, PostError> {
    let http = Http::with(Loopback::Allowed, lookup).unwrap();
    http.post(target, HeaderMap::new(), vec![], LONG).await
}

fn target(url: &str) -> Target {
    Target::parse(url, Loopback::Allowed).unwrap()
}

#[tokio::test]
async fn public_answers_are_passed_on_in_order() {
    let guard = Guard::new(Loopback::Allowed, scripted(&[&["2606:4700::1111", "1.1.1.1"]]));
    let addresses: Vec<_> =
        guard.resolve("hook.example".parse().unwrap()).await.ok().unwrap().collect();
    assert_eq!(addresses, ["[2606:4700::1111]:0".parse().unwrap(), "1.1.1.1:0".parse().unwrap()]);
}

#[tokio::test]
async fn one_private_answer_blocks_the_name() {
    for answer in [
        &["127.0.0.1"][..], // though loopback may be dialled as such, a name may not lead there
        &["1.1.1.1", "10.0.0.1"],
        &["169.254.169.254", "1.1.1.1"],
        &["1.1.1.1", "::ffff:7f00:1"],
        &["fd00:ec2::254"],
    ] {
        let guard = Guard::new(Loopback::Allowed, scripted(&[answer]));
        let error = guard.resolve("hook.example".parse().unwrap()).await.err().unwrap();
        assert!(error.is::<Blocked>(), "{answer:?}: {error}");
        let posted = post_through(scripted(&[answer]), &target("https://hook.example/")).await;
        assert_eq!(posted, Err(PostError::Blocked), "{answer:?}");
    }
}

#[tokio::test]
async fn localhost_is_blocked_in_a_deploy_build() {
    let guard = Guard::new(Loopback::Refused, scripted(&[&["127.0.0.1"]]));
    let error = guard.resolve("localhost".parse().unwrap()).await.err().unwrap();
    assert!(error.is::<Blocked>(), "{error}");
}

#[tokio::test]
async fn a_private_answer_beside_the_permitted_one_makes_no_connection() {
    let evil = Evil::answering("HTTP/1.1 200 OK\r\n\r\n").await;
    let lookup = scripted(&[&["127.0.0.1", "10.0.0.1"]]);
    let posted = post_through(lookup, &evil.target_on("http://localhost", "/")).await;
    assert_eq!(posted, Err(PostError::Blocked));
    assert_eq!(evil.connections(), 0);
}

#[tokio::test]
async fn a_name_that_turns_private_is_blocked_when_next_dialled() {
    let evil = Evil::answering("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n").await;
    let http = Http::with(Loopback::Allowed, scripted(&[&["127.0.0.1"], &["10.0.0.1"]])).unwrap();
    let target = evil.target_on("http://localhost", "/");
    let post = || http.post(&target, HeaderMap::new(), vec![], LONG);
    assert_eq!(post().await.unwrap().status, 200);
    let error = post().await.unwrap_err();
    assert_eq!((error, error.may_have_arrived()), (PostError::Blocked, false));
    assert_eq!(evil.connections(), 1);
}

#[tokio::test]
async fn the_address_dialled_is_the_one_vetted() {
    let evil = Evil::answering("HTTP/1.1 200 OK\r\n\r\n").await;
    let lookup = scripted(&[&["127.0.0.1"]]); // a second look-up would panic
    let reply = post_through(lookup, &evil.target_on("http://localhost", "/")).await.unwrap();
    assert_eq!((reply.status, evil.connections()), (200, 1));
}

#[tokio::test]
async fn no_address_and_no_such_name_are_dns_failures() {
    let none: Lookup = Arc::new(|_| Box::pin(async { Err(io::Error::other("NXDOMAIN")) }));
    for lookup in [none, scripted(&[&[]])] {
        let error = post_through(lookup, &target("https://hook.example/")).await.unwrap_err();
        assert_eq!((error, error.may_have_arrived()), (PostError::Dns, false));
    }
}

#[tokio::test]
async fn a_hanging_resolver_is_given_up_before_the_request_is() {
    let hang: Lookup = Arc::new(|_| Box::pin(std::future::pending()));
    let error = post_through(hang, &target("https://hook.example/")).await.unwrap_err();
    assert_eq!(error, PostError::Dns);
}

#[tokio::test]
async fn the_system_resolver_is_wired_in() {
    let evil = Evil::answering("HTTP/1.1 200 OK\r\n\r\n").await;
    assert_eq!(post(&evil.target_on("http://localhost", "/"), LONG).await.unwrap().status, 200);
}

//! A GET's body is what was asked for: all of it, or none.

use std::io::Write;
use std::time::Duration;

use crate::policy::{Loopback, Target};
use flate2::{Compression, write::GzEncoder};

use super::evil::Evil;
use super::{LONG, SHORT, local};
use crate::resolve::system;
use crate::{Answer, GetError, HeaderMap, HeaderValue, Http, PostError};

const MAX: usize = 1000;

async fn get(target: &Target, timeout: Duration) -> Result<Answer, GetError> {
    local().get(target, &HeaderMap::new(), timeout, MAX).await
}

async fn answer_to(answer: impl Into<Vec<u8>>) -> Result<Answer, GetError> {
    let evil = Evil::answering(answer).await;
    let answer = get(&evil.target(), LONG).await;
    assert_eq!(evil.connections(), 1, "sent twice");
    answer
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

#[tokio::test]
async fn the_request_says_what_it_was_told_and_no_more() {
    let mut evil = Evil::answering(ok("[]")).await;
    let mut headers = HeaderMap::new();
    headers.insert("authorization", HeaderValue::from_static("Basic eDp5"));
    headers.insert("accept-encoding", HeaderValue::from_static("gzip"));
    let target = evil.target_on("http://127.0.0.1", "/api/tracking?awb_numbers=A,B");
    let answer = local().get(&target, &headers, LONG, MAX).await.unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (200, b"[]".as_slice()));
    let expected = format!(
        "GET /api/tracking?awb_numbers=A,B HTTP/1.1\r\nauthorization: Basic eDp5\r\naccept: */*\r\n\
         host: 127.0.0.1:{}\r\n\r\n",
        evil.port
    );
    assert_eq!(evil.requests(), [expected]);
}

#[tokio::test]
async fn a_deploy_build_asks_nobody_local() {
    let evil = Evil::answering(ok("[]")).await;
    let deployed = Http::with(Loopback::Refused, system()).unwrap();
    for origin in ["http://127.0.0.1", "https://127.0.0.1", "https://localhost", "https://[::1]"] {
        let target = evil.target_on(origin, "/");
        let answer = deployed.get(&target, &HeaderMap::new(), LONG, MAX).await;
        assert!(
            matches!(answer, Err(GetError::NoHead(PostError::Refused(_)))),
            "{origin}: {answer:?}"
        );
    }
    assert_eq!(evil.connections(), 0);
}

#[tokio::test]
async fn a_redirect_is_an_answer() {
    let answer = answer_to("HTTP/1.1 302 X\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(answer.status, 302);
}

#[tokio::test]
async fn a_refusal_counts_whatever_its_body_does() {
    for body in
        ["content-length: 5000\r\n\r\nshort", "content-length: 99999999\r\n\r\n", "\r\n<html>"]
    {
        let answer =
            answer_to(format!("HTTP/1.1 429 X\r\nretry-after: 7\r\n{body}")).await.unwrap();
        assert_eq!(
            (answer.status, answer.retry_after.as_deref(), answer.body.len()),
            (429, Some("7"), 0),
            "{body}"
        );
    }
}

#[tokio::test]
async fn a_body_of_just_the_limit_is_whole_and_one_byte_more_is_too_long() {
    let body = |len: usize| "x".repeat(len);
    let chunked = |len: usize| {
        format!(
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{len:x}\r\n{}\r\n0\r\n\r\n",
            body(len)
        )
    };
    let to_the_end = |len: usize| format!("HTTP/1.1 200 OK\r\n\r\n{}", body(len));
    for form in [&|len| ok(&body(len)), &chunked, &to_the_end] as [&dyn Fn(usize) -> String; 3] {
        assert_eq!(answer_to(form(MAX)).await.unwrap().body.len(), MAX);
        assert_eq!(answer_to(form(MAX + 1)).await, Err(GetError::TooLong));
    }
}

/// Nothing but the limit ends this one: the server sends for ever and the timeout is far away.
#[tokio::test]
async fn an_endless_body_ends_at_the_limit() {
    let evil = Evil::start(|mut peer| async move {
        peer.request().await;
        peer.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await;
        while peer.send("4\r\nxxxx\r\n").await {}
    })
    .await;
    let target = evil.target();
    let endless = tokio::time::timeout(LONG, get(&target, Duration::from_secs(3600)));
    assert_eq!(endless.await.expect("the body has no limit"), Err(GetError::TooLong));
}

#[tokio::test]
async fn a_body_that_breaks_off_is_no_answer() {
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\nZZ\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n",
    ] {
        assert_eq!(answer_to(answer).await, Err(GetError::Incomplete), "{answer}");
    }
    let reset = Evil::start(|mut peer| async move {
        peer.request().await;
        peer.send("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\npart").await;
        peer.reset();
    })
    .await;
    assert_eq!(get(&reset.target(), LONG).await, Err(GetError::Incomplete));
}

#[tokio::test]
async fn head_and_body_share_one_timeout() {
    let silent = Evil::start(|mut peer| async move {
        peer.request().await;
        std::future::pending::<()>().await;
    })
    .await;
    let slow = Evil::start(|mut peer| async move {
        peer.request().await;
        peer.send("HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n").await;
        while peer.send("x").await {
            tokio::time::sleep(SHORT / 10).await;
        }
    })
    .await;
    for (evil, expected) in
        [(silent, GetError::NoHead(PostError::Timeout)), (slow, GetError::Incomplete)]
    {
        let target = evil.target();
        let answer = tokio::time::timeout(LONG, get(&target, SHORT)).await.expect("no deadline");
        assert_eq!(answer, Err(expected));
    }
}

#[tokio::test]
async fn a_compressed_body_stays_as_it_was_sent() {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(&b"bomb".repeat(10_000)).unwrap();
    let bomb = gzip.finish().unwrap();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
        bomb.len()
    );
    let answer = answer_to([head.as_bytes(), &bomb].concat()).await.unwrap();
    assert_eq!(answer.body, bomb);
}

#[tokio::test]
async fn an_answer_in_a_log_shows_no_body() {
    let answer = answer_to(ok("s3cret")).await.unwrap();
    assert!(!format!("{answer:?}").contains("s3cret"), "{answer:?}");
}

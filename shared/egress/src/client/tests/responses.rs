//! Responses with a complete head: the status counts, even if the body fails.

use std::convert::Infallible;
use std::io::Write;
use std::time::Duration;

use flate2::{Compression, write::GzEncoder};
use futures::StreamExt;
use http_body_util::StreamBody;
use hyper::body::{Bytes, Frame};
use reqwest::Body;
use tokio::time::Instant;

use super::server::HostileServer;
use super::{LONG, SHORT, local, post};
use crate::client::read;
use crate::{HeaderMap, HeaderValue, PostResponse};

async fn response_to(response: impl Into<Vec<u8>>) -> PostResponse {
    let server = HostileServer::responding(response).await;
    post(&server.target(), LONG).await.unwrap()
}

async fn excerpt_of(body: impl AsRef<[u8]>) -> String {
    let mut bytes = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    bytes.extend_from_slice(body.as_ref());
    response_to(bytes).await.excerpt
}

#[tokio::test]
async fn returns_every_status() {
    for status in [
        200, 201, 204, 206, 299, 304, 400, 401, 404, 408, 409, 410, 413, 425, 429, 500, 501, 502,
        503, 504, 599, 999,
    ] {
        let response =
            response_to(format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n")).await;
        assert_eq!((response.status, response.excerpt.as_str()), (status, ""));
        assert!(response.latency > Duration::ZERO);
    }
}

#[tokio::test]
async fn skips_interim_responses() {
    let bytes = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n\
                  HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\nok";
    let response = response_to(bytes).await;
    assert_eq!((response.status, response.excerpt.as_str()), (201, "ok"));
}

#[tokio::test]
async fn returns_switching_protocols_as_a_response() {
    let response =
        response_to("HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\nraw").await;
    assert_eq!(response.status, 101);
}

#[tokio::test]
async fn returns_retry_after_unparsed() {
    for value in [
        "0",
        "-5",
        "120.5",
        "86401",
        "1e300",
        "inf",
        "NaN",
        "9223372036854775807",
        "junk",
        "Fri, 31 Dec 1999 23:59:59 GMT",
    ] {
        let response = response_to(format!("HTTP/1.1 429 X\r\nretry-after: {value}\r\n\r\n")).await;
        assert_eq!(response.retry_after.as_deref(), Some(value));
    }
    let twice = response_to("HTTP/1.1 503 X\r\nRetry-After: 7\r\nRetry-After: 9\r\n\r\n").await;
    assert_eq!(twice.retry_after.as_deref(), Some("7"));
    let none = response_to("HTTP/1.1 503 X\r\n\r\n").await;
    assert_eq!(none.retry_after, None);
    let binary = response_to(b"HTTP/1.1 503 X\r\nretry-after: \xff\r\n\r\n".to_vec()).await;
    assert_eq!(binary.retry_after, None);
    let long =
        response_to(format!("HTTP/1.1 503 X\r\nretry-after: {}\r\n\r\n", "1".repeat(65))).await;
    assert_eq!(long.retry_after, None);
}

#[tokio::test]
async fn returns_the_delivery_directive_unparsed() {
    let long = "x".repeat(65);
    for (fields, expected) in [
        ("", None),
        ("retry-after: 7\r\n", None),
        ("webhook-delivery: disable\r\n", Some("disable")),
        ("Webhook-Delivery: Any; thing=1\r\nwebhook-delivery: b\r\n", Some("Any; thing=1")),
        ("webhook-delivery: é\r\n", None),
        (&format!("webhook-delivery: {}\r\n", &long[1..]), Some(&long[1..])),
        (&format!("webhook-delivery: {long}\r\n"), None),
    ] {
        let response = response_to(format!("HTTP/1.1 200 OK\r\n{fields}\r\n")).await;
        assert_eq!(response.delivery_directive.as_deref(), expected, "{fields}");
    }
}

#[tokio::test]
async fn cuts_the_excerpt_between_characters() {
    assert_eq!(excerpt_of("x".repeat(5000)).await, "x".repeat(1024));
    assert_eq!(excerpt_of(format!("x{}", "é".repeat(5000))).await, format!("x{}", "é".repeat(511)));
    assert_eq!(excerpt_of([0xff; 5000]).await, "\u{fffd}".repeat(341));
}

#[tokio::test]
async fn replaces_control_characters_in_the_excerpt() {
    let shown =
        excerpt_of(b"{\n\t\"a\":\r\n1}\x1b[31m\x00\x7f\xc2\x9b \xe2\x80\xae<script>\xff\xfe").await;
    assert_eq!(
        shown,
        "{  \"a\":  1}\u{fffd}[31m\u{fffd}\u{fffd}\u{fffd} \u{fffd}<script>\u{fffd}\u{fffd}"
    );
}

#[tokio::test]
async fn masks_echoed_secrets_even_across_the_cut() {
    let padding = "x".repeat(1020);
    let server = HostileServer::responding(format!(
        "HTTP/1.1 401 X\r\n\r\ngot s3cret-value {padding}s3cret-value"
    ))
    .await;
    let mut headers = HeaderMap::new();
    let mut secret = HeaderValue::from_static("s3cret-value");
    secret.set_sensitive(true);
    headers.insert("x-vendor-server-secret", secret);
    headers.insert("x-plain", HeaderValue::from_static("got"));
    let response = local().post(&server.target(), headers, vec![], LONG).await.unwrap();
    assert!(response.excerpt.starts_with("got [REDACTED] xxx"), "{}", response.excerpt);
    assert!(!response.excerpt.contains("s3c"), "{}", response.excerpt);
}

#[tokio::test]
async fn masks_echoed_secrets_that_are_not_ascii() {
    let secrets = ["gehéim-wert".as_bytes(), b"latin-\xe9-1"];
    let mut body = b"HTTP/1.1 401 X\r\n\r\n".to_vec();
    let mut headers = HeaderMap::new();
    for (name, secret) in ["x-first", "x-second"].into_iter().zip(secrets) {
        let mut value = HeaderValue::from_bytes(secret).unwrap();
        value.set_sensitive(true);
        headers.insert(name, value);
        body.extend([b"(", secret, b")"].concat());
    }
    let server = HostileServer::responding(body).await;
    let response = local().post(&server.target(), headers, vec![], LONG).await.unwrap();
    assert_eq!(response.excerpt, "([REDACTED])([REDACTED])");
}

#[tokio::test]
async fn does_not_decompress_the_body() {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(&b"bomb".repeat(1_000_000)).unwrap();
    let bomb = gzip.finish().unwrap();
    let mut bytes = format!(
        "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
        bomb.len()
    )
    .into_bytes();
    bytes.extend_from_slice(&bomb);
    let response = response_to(bytes).await;
    assert_eq!(response.status, 200);
    assert!(response.excerpt.starts_with("\u{fffd}\u{fffd}"), "{}", response.excerpt);
    assert!(!response.excerpt.contains("bombbomb"));
}

#[tokio::test]
async fn reads_a_large_head() {
    let response =
        response_to(format!("HTTP/1.1 200 OK\r\nx-large: {}\r\n\r\nok", "x".repeat(64 * 1024)))
            .await;
    assert_eq!((response.status, response.excerpt.as_str()), (200, "ok"));
}

#[tokio::test]
async fn keeps_the_status_when_the_body_breaks_off() {
    for (bytes, excerpt) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort", "short"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nlonger", "lo"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\nZZ\r\n", "ok"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n", "ok"),
    ] {
        let response = response_to(bytes).await;
        assert_eq!((response.status, response.excerpt.as_str()), (200, excerpt), "{bytes}");
    }
}

#[tokio::test]
async fn keeps_the_status_after_a_reset_within_the_body() {
    let server = HostileServer::start(|mut peer| async move {
        peer.request().await;
        peer.send("HTTP/1.1 202 X\r\ncontent-length: 9\r\n\r\npart").await;
        peer.reset();
    })
    .await;
    assert_eq!(post(&server.target(), LONG).await.unwrap().status, 202);
}

#[tokio::test]
async fn stops_reading_a_slow_body_at_the_timeout() {
    let server = HostileServer::start(|mut peer| async move {
        peer.request().await;
        peer.send("HTTP/1.1 200 OK\r\n\r\npart").await;
        std::future::pending::<()>().await;
    })
    .await;
    let posted = tokio::time::timeout(LONG, post(&server.target(), SHORT))
        .await
        .expect("the body has no deadline");
    let response = posted.unwrap();
    assert_eq!((response.status, response.excerpt.as_str()), (200, "part"));
}

#[tokio::test(start_paused = true)]
async fn gives_the_body_two_seconds_and_never_more_than_the_timeout() {
    for (left, expected) in [(LONG, 2000), (Duration::from_millis(1500), 1500)] {
        let start = Instant::now();
        let first = [Ok::<_, Infallible>(Frame::data(Bytes::from("part")))];
        let endless = futures::stream::iter(first).chain(futures::stream::pending());
        let body = Body::wrap(StreamBody::new(endless));
        assert_eq!(read(&mut hyper::Response::new(body).into(), left).await, b"part");
        assert_eq!(start.elapsed().as_millis(), expected);
    }
}

/// Only the size limit can end this request: the server sends for ever and the timeout is long.
#[tokio::test]
async fn stops_reading_an_endless_body_at_the_limit() {
    for chunked in [false, true] {
        let (done, mut closed) = tokio::sync::mpsc::unbounded_channel();
        let server = HostileServer::start(move |mut peer| {
            let done = done.clone();
            async move {
                peer.request().await;
                let head = if chunked { "transfer-encoding: chunked" } else { "x-plain: 1" };
                peer.send(format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n")).await;
                let chunk = format!("400\r\n{}\r\n", "x".repeat(1024));
                while peer.send(&chunk).await {}
                done.send(()).unwrap();
            }
        })
        .await;
        let target = server.target();
        let endless = post(&target, Duration::from_secs(3600));
        let response =
            tokio::time::timeout(LONG, endless).await.expect("the body has no limit").unwrap();
        assert_eq!((response.status, response.excerpt.len()), (200, 1024));
        let dropped = tokio::time::timeout(LONG, closed.recv()).await;
        assert_eq!(dropped.expect("the connection is still open"), Some(()));
    }
}

//! GET: the whole body or an error.

use std::io::Write;
use std::time::Duration;

use flate2::{Compression, write::GzEncoder};

use super::server::HostileServer;
use super::{LONG, SHORT, client, local};
use crate::policy::{Loopback, Target};
use crate::resolve::system;
use crate::{GetError, GetResponse, HeaderMap, HeaderValue, SendError};

const MAX: usize = 1000;

async fn get(target: &Target, timeout: Duration) -> Result<GetResponse, GetError> {
    local().get(target, &HeaderMap::new(), timeout, MAX).await
}

async fn response_to(bytes: impl Into<Vec<u8>>) -> Result<GetResponse, GetError> {
    let server = HostileServer::responding(bytes).await;
    let response = get(&server.target(), LONG).await;
    assert_eq!(server.connections(), 1, "sent twice");
    response
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

#[tokio::test]
async fn sends_the_given_headers_and_no_others() {
    let mut server = HostileServer::responding(ok("[]")).await;
    let mut headers = HeaderMap::new();
    headers.insert("authorization", HeaderValue::from_static("Basic eDp5"));
    headers.insert("accept-encoding", HeaderValue::from_static("gzip"));
    let target = server.target_on("http://127.0.0.1", "/api/tracking?awb_numbers=A,B");
    let response = local().get(&target, &headers, LONG, MAX).await.unwrap();
    assert_eq!((response.status, response.body.as_slice()), (200, b"[]".as_slice()));
    let expected = format!(
        "GET /api/tracking?awb_numbers=A,B HTTP/1.1\r\nauthorization: Basic eDp5\r\naccept: */*\r\n\
         host: 127.0.0.1:{}\r\n\r\n",
        server.port
    );
    assert_eq!(server.requests(), [expected]);
}

#[tokio::test]
async fn rejects_a_get_from_loopback_in_a_deploy_build() {
    let server = HostileServer::responding(ok("[]")).await;
    let deployed = client(Loopback::Refused, system());
    for origin in ["http://127.0.0.1", "https://127.0.0.1", "https://localhost", "https://[::1]"] {
        let target = server.target_on(origin, "/");
        let response = deployed.get(&target, &HeaderMap::new(), LONG, MAX).await;
        assert!(
            matches!(response, Err(GetError::NoHead(SendError::Refused(_)))),
            "{origin}: {response:?}"
        );
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn returns_a_redirect_as_a_response() {
    let response =
        response_to("HTTP/1.1 302 X\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n")
            .await
            .unwrap();
    assert_eq!(response.status, 302);
}

#[tokio::test]
async fn ignores_the_body_of_an_error_status() {
    for body in
        ["content-length: 5000\r\n\r\nshort", "content-length: 99999999\r\n\r\n", "\r\n<html>"]
    {
        let response =
            response_to(format!("HTTP/1.1 429 X\r\nretry-after: 7\r\n{body}")).await.unwrap();
        assert_eq!(
            (response.status, response.retry_after.as_deref(), response.body.len()),
            (429, Some("7"), 0),
            "{body}"
        );
    }
}

#[tokio::test]
async fn accepts_a_body_of_the_limit_and_rejects_one_byte_more() {
    let body = |len: usize| "x".repeat(len);
    let chunked = |len: usize| {
        format!(
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{len:x}\r\n{}\r\n0\r\n\r\n",
            body(len)
        )
    };
    let until_close = |len: usize| format!("HTTP/1.1 200 OK\r\n\r\n{}", body(len));
    for form in [&|len| ok(&body(len)), &chunked, &until_close] as [&dyn Fn(usize) -> String; 3] {
        assert_eq!(response_to(form(MAX)).await.unwrap().body.len(), MAX);
        assert_eq!(response_to(form(MAX + 1)).await, Err(GetError::TooLong));
    }
}

/// Only the size limit can end this request: the server sends for ever and the timeout is long.
#[tokio::test]
async fn rejects_an_endless_body_at_the_limit() {
    let server = HostileServer::start(|mut peer| async move {
        peer.request().await;
        peer.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await;
        while peer.send("4\r\nxxxx\r\n").await {}
    })
    .await;
    let target = server.target();
    let endless = tokio::time::timeout(LONG, get(&target, Duration::from_secs(3600)));
    assert_eq!(endless.await.expect("the body has no limit"), Err(GetError::TooLong));
}

#[tokio::test]
async fn rejects_a_body_that_breaks_off() {
    for response in [
        "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\nZZ\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n",
    ] {
        assert_eq!(response_to(response).await, Err(GetError::Incomplete), "{response}");
    }
    let reset = HostileServer::start(|mut peer| async move {
        peer.request().await;
        peer.send("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\npart").await;
        peer.reset();
    })
    .await;
    assert_eq!(get(&reset.target(), LONG).await, Err(GetError::Incomplete));
}

#[tokio::test]
async fn head_and_body_share_one_timeout() {
    let silent = HostileServer::start(|mut peer| async move {
        peer.request().await;
        std::future::pending::<()>().await;
    })
    .await;
    let slow = HostileServer::start(|mut peer| async move {
        peer.request().await;
        peer.send("HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n").await;
        while peer.send("x").await {
            tokio::time::sleep(SHORT / 10).await;
        }
    })
    .await;
    for (server, expected) in
        [(silent, GetError::NoHead(SendError::Timeout)), (slow, GetError::Incomplete)]
    {
        let target = server.target();
        let response = tokio::time::timeout(LONG, get(&target, SHORT)).await.expect("no deadline");
        assert_eq!(response, Err(expected));
    }
}

#[tokio::test]
async fn does_not_decompress_a_get_body() {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(&b"bomb".repeat(10_000)).unwrap();
    let bomb = gzip.finish().unwrap();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
        bomb.len()
    );
    let response = response_to([head.as_bytes(), &bomb].concat()).await.unwrap();
    assert_eq!(response.body, bomb);
}

#[tokio::test]
async fn debug_output_hides_the_body() {
    let response = response_to(ok("s3cret")).await.unwrap();
    assert!(!format!("{response:?}").contains("s3cret"), "{response:?}");
}

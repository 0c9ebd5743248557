//! Responses without a complete head.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, Instant};

use super::server::{HostileServer, Peer};
use super::{LONG, SHORT, local, post};
use crate::policy::{Loopback, Target};
use crate::{GetError, HeaderMap, SendError};

async fn failure_of(response: impl Into<Vec<u8>>) -> SendError {
    let mut server = HostileServer::responding(response).await;
    let error = post(&server.target(), LONG).await.unwrap_err();
    assert_eq!(server.requests().len(), 1, "sent twice");
    error
}

#[tokio::test]
async fn reports_closed_when_the_connection_ends_within_the_head() {
    for response in ["", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nx: y\r\n"] {
        assert_eq!(failure_of(response).await, SendError::Closed, "{response:?}");
    }
}

#[tokio::test]
async fn reports_closed_after_a_reset() {
    let before = HostileServer::start(|peer: Peer| async { peer.reset() }).await;
    let after = HostileServer::start(|mut peer: Peer| async {
        peer.request().await;
        peer.reset();
    })
    .await;
    for server in [before, after] {
        let error = post(&server.target(), LONG).await.unwrap_err();
        assert_eq!(error, SendError::Closed);
        assert!(error.may_have_arrived());
        assert_eq!(server.connections(), 1);
    }
}

#[tokio::test]
async fn reports_a_protocol_error_for_invalid_http_1() {
    for response in [
        "hello\r\n",
        "<html></html>\r\n\r\n",
        "HTTP/1.1 abc OK\r\n\r\n",
        "HTTP/1.1 99 X\r\n\r\n",
        "HTTP/1.1 20 X\r\n\r\n",
        "HTTP/2 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        "\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x64\0\x04\0\x10\0\0\0\x06\0\0\x40\0",
    ] {
        let error = failure_of(response).await;
        assert_eq!(error, SendError::Protocol, "{response:?}");
        assert!(error.may_have_arrived());
    }
}

#[tokio::test]
async fn reports_a_protocol_error_for_heads_over_the_limits() {
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(1000));
    let huge = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "x".repeat(1_000_000));
    assert_eq!(failure_of(many).await, SendError::Protocol);
    assert_eq!(failure_of(huge).await, SendError::Protocol);
}

#[tokio::test]
async fn times_out_when_the_head_never_ends() {
    for (first, rest) in [("HTTP/1.1 200 OK\r\nx: ", "x"), ("", "HTTP/1.1 100 Continue\r\n\r\n")] {
        let server = HostileServer::start(move |mut peer: Peer| async move {
            peer.request().await;
            peer.send(first).await;
            while peer.send(rest).await {
                tokio::time::sleep(SHORT / 10).await;
            }
        })
        .await;
        let posted = tokio::time::timeout(LONG, post(&server.target(), SHORT)).await;
        assert_eq!(posted.expect("no deadline").unwrap_err(), SendError::Timeout, "{rest}");
    }
}

/// A server with a thread for each connection, which sends interim responses as fast as it can,
/// until the connection is closed.
fn pumping() -> Target {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                let _ = stream.read(&mut [0; 1024]);
                let heads = "HTTP/1.1 100 Continue\r\n\r\n".repeat(40_000);
                while stream.write_all(heads.as_bytes()).is_ok() {}
            });
        }
    });
    Target::parse(&url, Loopback::Allowed).unwrap()
}

/// The longest time for which the runtime gave this future no turn.
async fn longest_stall() -> Duration {
    let mut longest = Duration::ZERO;
    let mut last = Instant::now();
    for _ in 0..50 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        longest = longest.max(last.elapsed());
        last = Instant::now();
    }
    longest
}

#[tokio::test]
async fn endless_interim_responses_end_the_request_and_hold_up_no_other_task() {
    let (target, http) = (pumping(), local());
    let stall = tokio::spawn(longest_stall());
    for _ in 0..8 {
        assert_eq!(post(&target, LONG).await.unwrap_err(), SendError::Protocol);
        let got = http.get(&target, &HeaderMap::new(), LONG, 100).await;
        assert_eq!(got, Err(GetError::NoHead(SendError::Protocol)));
    }
    // Milliseconds, but a busy machine may give the whole process no turn for seconds.
    let stall = stall.await.unwrap();
    assert!(stall < LONG / 3, "{stall:?}");
}

#[tokio::test]
async fn accepts_thirty_two_interim_responses() {
    let interim = |count| "HTTP/1.1 102 Processing\r\n\r\n".repeat(count);
    let head = "HTTP/1.1 204 X\r\n\r\n";
    let server = HostileServer::responding(interim(32) + head).await;
    assert_eq!(post(&server.target(), LONG).await.unwrap().status, 204);
    assert_eq!(failure_of(interim(33) + head).await, SendError::Protocol);
}

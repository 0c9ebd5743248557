//! Answers without a complete head: each failure has its name.

use super::evil::{Evil, Peer};
use super::{LONG, SHORT, post};
use crate::PostError;

async fn failure_of(answer: impl Into<Vec<u8>>) -> PostError {
    let mut evil = Evil::answering(answer).await;
    let error = post(&evil.target(), LONG).await.unwrap_err();
    assert_eq!(evil.requests().len(), 1, "sent twice");
    error
}

#[tokio::test]
async fn an_end_before_the_answer_is_closed() {
    for answer in ["", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nx: y\r\n"] {
        assert_eq!(failure_of(answer).await, PostError::Closed, "{answer:?}");
    }
}

#[tokio::test]
async fn a_reset_is_closed_before_and_after_the_request_was_read() {
    let before = Evil::start(|peer: Peer| async { peer.reset() }).await;
    let after = Evil::start(|mut peer: Peer| async {
        peer.request().await;
        peer.reset();
    })
    .await;
    for evil in [before, after] {
        let error = post(&evil.target(), LONG).await.unwrap_err();
        assert_eq!(error, PostError::Closed);
        assert!(error.may_have_arrived());
        assert_eq!(evil.connections(), 1);
    }
}

#[tokio::test]
async fn what_is_not_http_1_is_a_protocol_error() {
    for answer in [
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
        let error = failure_of(answer).await;
        assert_eq!(error, PostError::Protocol, "{answer:?}");
        assert!(error.may_have_arrived());
    }
}

#[tokio::test]
async fn heads_past_the_limits_are_protocol_errors() {
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(1000));
    let huge = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "x".repeat(1_000_000));
    assert_eq!(failure_of(many).await, PostError::Protocol);
    assert_eq!(failure_of(huge).await, PostError::Protocol);
}

#[tokio::test]
async fn a_head_that_keeps_coming_does_not_extend_the_timeout() {
    for (first, rest) in [("HTTP/1.1 200 OK\r\nx: ", "x"), ("", "HTTP/1.1 100 Continue\r\n\r\n")] {
        let evil = Evil::start(move |mut peer: Peer| async move {
            peer.request().await;
            peer.send(first).await;
            while peer.send(rest).await {
                tokio::time::sleep(SHORT / 10).await;
            }
        })
        .await;
        let posted = tokio::time::timeout(LONG, post(&evil.target(), SHORT)).await;
        assert_eq!(posted.expect("no deadline").unwrap_err(), PostError::Timeout, "{rest}");
    }
}

//! The request as sent, and the number of tries.

use super::server::{HostileServer, Peer};
use super::{LONG, SHORT, local, post};
use crate::policy::{Loopback, Target};
use crate::{HeaderMap, HeaderValue, SendError};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

#[tokio::test]
async fn sends_body_and_headers_as_given_and_adds_none() {
    let mut server = HostileServer::responding(OK).await;
    let mut headers = HeaderMap::new();
    headers.insert("webhook-id", HeaderValue::from_static("msg_1"));
    headers.insert("user-agent", HeaderValue::from_static("Waypost/0.1"));
    let body = "{\"name\":\"ü\"}".as_bytes().to_vec();
    let target = server.target_on("http://127.0.0.1", "/hook?token=1");
    local().post(&target, headers, body, LONG).await.unwrap();
    let expected = format!(
        "POST /hook?token=1 HTTP/1.1\r\nwebhook-id: msg_1\r\n\
         user-agent: Waypost/0.1\r\naccept: */*\r\n\
         host: 127.0.0.1:{}\r\ncontent-length: 13\r\n\r\n{{\"name\":\"ü\"}}",
        server.port
    );
    assert_eq!(server.requests(), [expected]);
}

#[tokio::test]
async fn drops_headers_that_frame_or_route_the_request() {
    let mut server = HostileServer::responding(OK).await;
    let mut headers = HeaderMap::new();
    let reserved = [
        ("host", "internal.example"),
        ("content-length", "1"),
        ("transfer-encoding", "chunked"),
        ("connection", "upgrade, webhook-signature"),
        ("upgrade", "h2c"),
        ("expect", "100-continue"),
        ("accept-encoding", "gzip"),
        ("proxy-authorization", "Basic eDp5"),
        ("te", "trailers"),
        ("trailer", "x"),
        ("keep-alive", "timeout=9"),
    ];
    for (name, value) in reserved {
        headers.insert(name, HeaderValue::from_static(value));
    }
    local().post(&server.target(), headers, b"abc".to_vec(), LONG).await.unwrap();
    let expected = format!(
        "POST /hook HTTP/1.1\r\naccept: */*\r\nhost: 127.0.0.1:{}\r\ncontent-length: 3\r\n\r\nabc",
        server.port
    );
    assert_eq!(server.requests(), [expected]);
}

#[tokio::test]
async fn returns_redirects_as_responses() {
    for (status, location, redirect_to) in [
        (301, "/new?token=1#a", "http://127.0.0.1:{port}/new"),
        (302, "loop", "http://127.0.0.1:{port}/loop"),
        (303, "http://127.0.0.1:1/", "http://127.0.0.1:1/"),
        (307, "http://169.254.169.254/latest/", "http://169.254.169.254/latest/"),
        (308, "//hook.example", "http://hook.example/"),
        (308, "https://user:pw@hook.example/a", "https://hook.example/a"),
        (308, "mailto:user@hook.example", ""),
        (308, "http://[", ""),
        (200, "/hook", ""),
    ] {
        let mut server = HostileServer::responding(format!(
            "HTTP/1.1 {status} X\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n"
        ))
        .await;
        let response = post(&server.target(), LONG).await.unwrap();
        let redirect_to = redirect_to.replace("{port}", &server.port.to_string());
        assert_eq!(
            (response.status, response.redirect_to.unwrap_or_default()),
            (status, redirect_to)
        );
        assert_eq!((server.connections(), server.requests().len()), (1, 1), "{status}");
    }
}

#[tokio::test]
async fn reports_a_connect_error_for_a_closed_port() {
    let socket = tokio::net::TcpSocket::new_v4().unwrap(); // reserves the port
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}/", socket.local_addr().unwrap());
    let target = Target::parse(&url, Loopback::Allowed).unwrap();
    let error = post(&target, LONG).await.unwrap_err();
    assert_eq!((error.code(), error.may_have_arrived()), ("connect_refused", false));
}

#[tokio::test(start_paused = true)]
async fn times_out_while_connecting() {
    let silent = HostileServer::start(|peer: Peer| async move {
        std::future::pending::<()>().await;
        drop(peer);
    })
    .await;
    let error = post(&silent.target_on("https://127.0.0.1", "/"), LONG).await.unwrap_err();
    assert_eq!((error.code(), error.may_have_arrived()), ("connect_timeout", false));
}

#[tokio::test]
async fn times_out_without_a_response() {
    let mut server = HostileServer::start(|mut peer| async move {
        peer.request().await;
        std::future::pending::<()>().await;
    })
    .await;
    let error = post(&server.target(), SHORT).await.unwrap_err();
    assert_eq!(error, SendError::Timeout);
    assert!(error.may_have_arrived());
    assert_eq!(server.requests().len(), 1);
}

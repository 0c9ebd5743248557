//! Reuse of connections, and the second try after a reused one has ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use super::dns::scripted;
use super::server::{HostileServer, Peer};
use super::{LONG, SHORT, client, local};
use crate::policy::Loopback;
use crate::resolve::system;
use crate::roots::SystemRoots;
use crate::transport::{Transport, system_tls};
use crate::{Clock, HeaderMap, Http, PostResponse, SendError};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// The end of a connection that has answered one request and got a second.
#[derive(Clone, Copy)]
enum End {
    Close,
    Reset,
    /// Closes after these bytes.
    After(&'static str),
}

/// Ends each of the first `stale` connections at its second request, and serves the later ones.
async fn ending(stale: usize, end: End) -> HostileServer {
    let count = Arc::new(AtomicUsize::new(0));
    HostileServer::start(move |mut peer| {
        let is_stale = count.fetch_add(1, Ordering::SeqCst) < stale;
        async move {
            peer.request().await;
            peer.send(OK).await;
            while peer.request().await {
                match end {
                    _ if !is_stale => peer.send(OK).await,
                    End::Close => return,
                    End::Reset => return peer.reset(),
                    End::After(bytes) => {
                        peer.send(bytes).await;
                        return;
                    }
                };
            }
        }
    })
    .await
}

async fn post_with(http: &Http, server: &HostileServer) -> Result<PostResponse, SendError> {
    http.post(&server.target(), HeaderMap::new(), b"{}".to_vec(), LONG).await
}

#[tokio::test]
async fn reuses_connections() {
    let server = ending(0, End::Close).await;
    let http = local();
    for _ in 0..3 {
        post_with(&http, &server).await.unwrap();
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn sends_once_more_on_a_new_connection_after_a_reused_one_ended() {
    for end in [End::Close, End::Reset] {
        let mut server = ending(1, end).await;
        let http = local();
        for _ in 0..2 {
            assert_eq!(post_with(&http, &server).await.unwrap().status, 200);
        }
        let requests = server.requests();
        assert_eq!((server.connections(), requests.len()), (2, 3));
        assert_eq!(requests[1], requests[2]);
    }
}

#[tokio::test]
async fn does_not_send_once_more_on_another_idle_connection() {
    let mut server = ending(2, End::Close).await;
    let http = local();
    let both = futures::join!(post_with(&http, &server), post_with(&http, &server));
    assert!(both.0.is_ok() && both.1.is_ok());
    assert_eq!(server.connections(), 2);
    assert_eq!(post_with(&http, &server).await.unwrap().status, 200);
    assert_eq!((server.connections(), server.requests().len()), (3, 4));
}

#[tokio::test]
async fn sends_at_most_once_more() {
    let count = AtomicUsize::new(0);
    let mut server = HostileServer::start(move |mut peer: Peer| {
        let is_first = count.fetch_add(1, Ordering::SeqCst) == 0;
        async move {
            peer.request().await;
            if is_first {
                peer.send(OK).await;
                peer.request().await;
            }
        }
    })
    .await;
    let http = local();
    assert_eq!(post_with(&http, &server).await.unwrap().status, 200);
    let error = post_with(&http, &server).await.unwrap_err();
    assert_eq!((error, error.may_have_arrived()), (SendError::Closed, true));
    assert_eq!((server.connections(), server.requests().len()), (2, 3));
}

/// The second try resolves the name anew. The first one may have arrived.
#[tokio::test]
async fn reports_the_first_end_if_the_second_try_cannot_connect() {
    let server = ending(1, End::Close).await;
    let http = client(Loopback::Allowed, scripted(&[&["127.0.0.1"], &["10.0.0.1"]]));
    let target = server.target_on("http://localhost", "/");
    let post = || http.post(&target, HeaderMap::new(), vec![], LONG);
    assert_eq!(post().await.unwrap().status, 200);
    let error = post().await.unwrap_err();
    assert_eq!((error, error.may_have_arrived()), (SendError::Closed, true));
    assert_eq!(server.connections(), 1);
}

/// Only an answer that is not HTTP shows that the server did more than close.
#[tokio::test]
async fn sends_once_more_unless_the_head_is_invalid() {
    for (bytes, posted, requests) in [
        ("H", Ok(200), 3),
        ("HTTP/1.1 200 OK\r\n", Ok(200), 3),
        ("HTTP/1.1 100 Continue\r\n\r\n", Ok(200), 3),
        ("no HTTP\r\n\r\n", Err(SendError::Protocol), 2),
    ] {
        let mut server = ending(1, End::After(bytes)).await;
        let http = local();
        assert_eq!(post_with(&http, &server).await.unwrap().status, 200);
        let second = post_with(&http, &server).await.map(|response| response.status);
        assert_eq!((second, server.requests().len()), (posted, requests), "{bytes:?}");
    }
}

#[tokio::test]
async fn sends_once_when_a_new_connection_ends() {
    for end in [End::Close, End::Reset, End::After("HTTP/1.1 200 OK\r\n")] {
        let mut server = HostileServer::start(move |mut peer: Peer| async move {
            peer.request().await;
            match end {
                End::Close => {}
                End::Reset => peer.reset(),
                End::After(bytes) => drop(peer.send(bytes).await),
            }
        })
        .await;
        assert_eq!(post_with(&local(), &server).await, Err(SendError::Closed));
        assert_eq!((server.connections(), server.requests().len()), (1, 1));
    }
}

#[tokio::test]
async fn connects_once_when_a_new_connection_closes_at_once() {
    let server = HostileServer::start(|_peer| async {}).await;
    assert_eq!(post_with(&local(), &server).await, Err(SendError::Closed));
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn the_second_try_ends_at_the_timeout_of_the_attempt() {
    let count = AtomicUsize::new(0);
    let server = HostileServer::start(move |mut peer: Peer| {
        let is_first = count.fetch_add(1, Ordering::SeqCst) == 0;
        async move {
            peer.request().await;
            if is_first {
                peer.send(OK).await;
                peer.request().await;
            } else {
                std::future::pending::<()>().await;
            }
        }
    })
    .await;
    let (http, target) = (local(), server.target());
    assert_eq!(post_with(&http, &server).await.unwrap().status, 200);
    let second = http.post(&target, HeaderMap::new(), vec![], SHORT);
    let posted = tokio::time::timeout(LONG, second).await.expect("no deadline");
    assert_eq!((posted, server.connections()), (Err(SendError::Timeout), 2));
}

/// The caller of a GET counts its calls.
#[tokio::test]
async fn sends_no_get_once_more() {
    let mut server = ending(1, End::Close).await;
    let (http, target) = (local(), server.target());
    let headers = HeaderMap::new();
    let get = || http.get(&target, &headers, LONG, 100);
    assert_eq!(get().await.unwrap().status, 200);
    assert_eq!(get().await.unwrap_err().code(), "closed");
    assert_eq!((server.connections(), server.requests().len()), (1, 2));
}

#[tokio::test]
async fn keeps_an_idle_connection_for_four_seconds() {
    let server = ending(0, End::Close).await;
    let http = local();
    for (idle_ms, connections) in [(0, 1), (3000, 1), (3000, 1), (4100, 2)] {
        tokio::time::pause();
        tokio::time::advance(Duration::from_millis(idle_ms)).await;
        tokio::time::resume();
        post_with(&http, &server).await.unwrap();
        assert_eq!(server.connections(), connections, "{idle_ms}");
    }
}

/// A client whose time of day is `clock`.
fn local_at(clock: Clock) -> Http {
    let tls = system_tls(SystemRoots::read().unwrap()).unwrap();
    let transport = Transport::new(Loopback::Allowed, system(), tls, clock);
    Http::over(transport, Loopback::Allowed)
}

/// The time of day goes on while the function is frozen, the monotonic clock may stand still.
#[tokio::test]
async fn keeps_an_idle_connection_for_four_seconds_of_the_time_of_day() {
    static FROZEN_MS: AtomicU64 = AtomicU64::new(0);
    fn clock() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(FROZEN_MS.load(Ordering::SeqCst))
    }
    let server = ending(0, End::Close).await;
    let http = local_at(clock);
    for (frozen_ms, connections) in
        [(0, 1), (3000, 1), (3000, 1), (4100, 2), (100, 2), (86_400_000, 3)]
    {
        FROZEN_MS.fetch_add(frozen_ms, Ordering::SeqCst);
        post_with(&http, &server).await.unwrap();
        assert_eq!(server.connections(), connections, "{frozen_ms}");
    }
    FROZEN_MS.store(0, Ordering::SeqCst); // set back
    post_with(&http, &server).await.unwrap();
    assert_eq!(server.connections(), 3);
}

#[tokio::test]
async fn waiting_for_an_answer_is_no_idle_time() {
    static NOW_MS: AtomicU64 = AtomicU64::new(0);
    fn clock() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(NOW_MS.load(Ordering::SeqCst))
    }
    let server = HostileServer::start(|mut peer: Peer| async move {
        while peer.request().await {
            NOW_MS.fetch_add(10_000, Ordering::SeqCst);
            peer.send(OK).await;
        }
    })
    .await;
    let http = local_at(clock);
    for _ in 0..2 {
        post_with(&http, &server).await.unwrap();
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_request_that_must_not_be_repeated_has_a_connection_of_its_own() {
    let mut server = ending(1, End::Close).await;
    let http = local();
    let (target, headers) = (server.target(), HeaderMap::new());
    for _ in 0..3 {
        let response = http.post_once(&target, &headers, b"{}".to_vec(), LONG).await.unwrap();
        assert_eq!((response.status, response.body.as_slice()), (200, &b"ok"[..]));
    }
    assert_eq!((server.connections(), server.requests().len()), (3, 3));
}

#[tokio::test]
async fn never_repeats_a_request_whose_connection_ended() {
    let mut server = HostileServer::start(|mut peer: Peer| async move {
        peer.request().await;
    })
    .await;
    let once = local().post_once(&server.target(), &HeaderMap::new(), b"{}".to_vec(), LONG).await;
    let error = once.unwrap_err();
    assert_eq!((error, error.may_have_arrived()), (SendError::Closed, true));
    assert_eq!((server.connections(), server.requests().len()), (1, 1));
}

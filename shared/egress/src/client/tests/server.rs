//! A server whose every byte is chosen by the test.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::policy::{Loopback, Target};

/// Listens on 127.0.0.1 and records requests.
pub(super) struct HostileServer {
    pub(super) port: u16,
    pub(super) connections: Arc<AtomicUsize>,
    requests: mpsc::UnboundedReceiver<Vec<u8>>,
}

/// An accepted connection.
pub(super) struct Peer {
    pub(super) stream: TcpStream,
    requests: mpsc::UnboundedSender<Vec<u8>>,
}

impl HostileServer {
    /// Runs `behave` on every connection.
    pub(super) async fn start<F>(behave: impl Fn(Peer) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::new(AtomicUsize::new(0));
        let (sender, requests) = mpsc::unbounded_channel();
        let count = connections.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(behave(Peer { stream, requests: sender.clone() }));
            }
        });
        Self { port, connections, requests }
    }

    /// Reads each request, responds with these bytes, and closes.
    pub(super) async fn responding(response: impl Into<Vec<u8>>) -> Self {
        let response: Arc<[u8]> = response.into().into();
        Self::start(move |mut peer| {
            let response = response.clone();
            async move {
                peer.request().await;
                peer.send(&response).await;
            }
        })
        .await
    }

    pub(super) fn target(&self) -> Target {
        self.target_on("http://127.0.0.1", "/hook")
    }

    pub(super) fn target_on(&self, origin: &str, path: &str) -> Target {
        Target::parse(&format!("{origin}:{}{path}", self.port), Loopback::Allowed).unwrap()
    }

    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Drains the requests received so far.
    pub(super) fn requests(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.requests.try_recv().ok())
            .map(|request| String::from_utf8(request).unwrap())
            .collect()
    }
}

impl Peer {
    /// Reads one whole request. Returns false when the connection ended instead.
    pub(super) async fn request(&mut self) -> bool {
        let request = read_request(&mut self.stream).await;
        let complete = !request.is_empty();
        if complete {
            self.requests.send(request).unwrap();
        }
        complete
    }

    /// Returns false when the other side has closed the connection.
    pub(super) async fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).await.is_ok()
    }

    /// Ends the connection with RST.
    pub(super) fn reset(self) {
        self.stream.set_zero_linger().unwrap();
    }
}

pub(super) async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut request = Vec::new();
    loop {
        match stream.read_buf(&mut request).await {
            Ok(0) | Err(_) => return Vec::new(),
            Ok(_) if is_complete(&request) => return request,
            Ok(_) => {}
        }
    }
}

fn is_complete(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.unwrap_or("0").parse().unwrap()
}

//! Against a server with TLS on this machine.
#![expect(clippy::unwrap_used)]

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use data_encoding::BASE64;
use rcgen::generate_simple_self_signed;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::client::fake::clients_at;
use crate::client::{Clients, Edge};

/// Answers with these statuses, one after another, and to 0 never. Records the connection of each
/// request.
#[derive(Clone)]
struct Server {
    statuses: Arc<Mutex<VecDeque<u16>>>,
    connections: Arc<Mutex<Vec<usize>>>,
}

impl Server {
    /// Also returns its URL and its certificate.
    async fn start(statuses: &[u16]) -> (Self, String, Vec<u8>) {
        let certified = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certified.cert.der().clone()], key)
            .unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let server = Self {
            statuses: Arc::new(Mutex::new(statuses.iter().copied().collect())),
            connections: Arc::default(),
        };
        let (acceptor, own) = (TlsAcceptor::from(Arc::new(config)), server.clone());
        tokio::spawn(async move {
            let mut connection = 0;
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(own.clone().serve(acceptor.clone(), stream, connection));
                connection += 1;
            }
        });
        (server, url, pem(certified.cert.der()))
    }

    async fn serve(self, acceptor: TlsAcceptor, stream: TcpStream, connection: usize) {
        let Ok(stream) = acceptor.accept(stream).await else { return };
        let mut stream = BufReader::new(stream);
        while let Some(length) = read_head(&mut stream).await {
            stream.read_exact(&mut vec![0; length]).await.unwrap();
            self.connections.lock().unwrap().push(connection);
            let status = self.statuses.lock().unwrap().pop_front().unwrap();
            if status == 0 {
                return std::future::pending().await;
            }
            let head = format!("HTTP/1.1 {status} Any\r\ncontent-length: 2\r\n\r\n{{}}");
            stream.get_mut().write_all(head.as_bytes()).await.unwrap();
        }
    }

    fn connections(&self) -> Vec<usize> {
        self.connections.lock().unwrap().clone()
    }
}

fn pem(certificate: &[u8]) -> Vec<u8> {
    let content = BASE64.encode(certificate);
    format!("-----BEGIN CERTIFICATE-----\n{content}\n-----END CERTIFICATE-----\n").into_bytes()
}

/// Returns the length of the body.
async fn read_head(stream: &mut (impl AsyncBufReadExt + Unpin)) -> Option<usize> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok().filter(|read| *read > 0)?;
        match line.to_lowercase().trim().split_once(": ") {
            Some(("content-length", value)) => length = value.parse().unwrap(),
            Some(_) => {}
            None if line.trim().is_empty() => return Some(length),
            None => {}
        }
    }
}

fn clients_trusting(roots: Option<&[u8]>, url: &str) -> Clients {
    let client = pool(Duration::from_secs(1), roots).unwrap();
    clients_at(url, Edge { http_client: Some(client), ..Edge::system() })
}

#[tokio::test]
async fn clients_share_one_connection_over_tls() {
    let (server, url, roots) = Server::start(&[404, 200, 200]).await;
    let clients = clients_trusting(Some(&roots), &url);
    let dynamodb = clients.dynamodb();
    clients.open_connections().await;
    dynamodb.list_tables().send().await.unwrap();
    clients.sqs().list_queues().send().await.unwrap();
    assert_eq!(server.connections(), [0, 0, 0]);
}

#[tokio::test]
async fn tries_again_on_another_connection_after_an_error_of_the_server() {
    let (server, url, roots) = Server::start(&[200, 500, 200]).await;
    let dynamodb = clients_trusting(Some(&roots), &url).dynamodb();
    for _ in 0..2 {
        dynamodb.list_tables().send().await.unwrap();
    }
    assert_eq!(server.connections(), [0, 0, 1]);
}

/// All connections of the pool may be dead.
#[tokio::test]
async fn a_second_try_has_a_connection_of_its_own() {
    let (server, url, roots) = Server::start(&[200, 200, 0, 200]).await;
    let dynamodb = clients_trusting(Some(&roots), &url).dynamodb();
    let list = || dynamodb.list_tables().send();
    let (first, second) = tokio::join!(list(), list());
    assert!(first.is_ok() && second.is_ok());
    list().await.unwrap();
    let connections = server.connections();
    let last = connections.last().unwrap();
    assert_eq!((connections.len(), *last), (4, 2), "{connections:?}");
}

/// Within the time of one try of a call two connections would not end.
#[tokio::test]
async fn a_connection_without_tls_ends_soon() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let silent = tokio::spawn(async move {
        let mut connections = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            connections.push(stream);
            if connections.len() == 3 {
                break;
            }
        }
        connections.len()
    });
    let client = pool(Duration::from_millis(50), None).unwrap();
    let clients = clients_at(&url, Edge { http_client: Some(client), ..Edge::system() });
    assert!(clients.dynamodb().list_tables().send().await.is_err());
    assert_eq!(silent.await.unwrap(), 3, "a connection for each try");
}

#[tokio::test]
async fn refuses_a_server_with_another_certificate() {
    let (server, url, _) = Server::start(&[]).await;
    let failed = clients_trusting(None, &url).dynamodb().list_tables().send().await;
    assert!(failed.is_err());
    assert_eq!(server.connections(), [] as [usize; 0]);
}

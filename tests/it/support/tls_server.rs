//! A receiver whose owner made a mistake in its TLS settings.

use std::net::Ipv4Addr;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mistake {
    /// It sends its own certificate without the intermediate one that signed it.
    LeafOnly,
    SelfSigned,
    Http2Only,
}

/// Serves until it is dropped.
pub struct TlsServer {
    pub url: String,
    task: JoinHandle<()>,
}

impl TlsServer {
    pub async fn start(mistake: Mistake) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("https://localhost:{}/hook", listener.local_addr().unwrap().port());
        let acceptor = TlsAcceptor::from(Arc::new(config(mistake)));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(acceptor.clone(), stream));
            }
        });
        Self { url, task }
    }
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(acceptor: TlsAcceptor, stream: TcpStream) {
    let Ok(mut stream) = acceptor.accept(stream).await else { return };
    let _ = stream.read(&mut [0; 4096]).await;
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let _ = stream.shutdown().await;
}

fn config(mistake: Mistake) -> ServerConfig {
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let leaf: CertificateDer<'static> = match mistake {
        Mistake::LeafOnly => leaf.signed_by(&key, &intermediate()).unwrap().der().clone(),
        _ => leaf.self_signed(&key).unwrap().der().clone(),
    };
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder().with_no_client_auth();
    let mut config = config.with_single_cert(vec![leaf], key).unwrap();
    if mistake == Mistake::Http2Only {
        config.alpn_protocols = vec![b"h2".to_vec()];
    }
    config
}

fn intermediate() -> CertifiedIssuer<'static, KeyPair> {
    let authority = || {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        (params, KeyPair::generate().unwrap())
    };
    let (params, key) = authority();
    let root = CertifiedIssuer::self_signed(params, key).unwrap();
    let (params, key) = authority();
    CertifiedIssuer::signed_by(params, key, &root).unwrap()
}

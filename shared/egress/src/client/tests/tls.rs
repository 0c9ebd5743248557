//! Certificates are verified, including the host name.

use std::sync::Arc;
use std::time::SystemTime;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use rustls::RootCertStore;
use tokio::io::AsyncWriteExt;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::server::{HostileServer, Peer, read_request};
use super::{LONG, post};
use crate::policy::Loopback;
use crate::resolve::system;
use crate::transport::{Transport, tls_versions};
use crate::{HeaderMap, Http, PostResponse, SendError};

type Issuer = CertifiedIssuer<'static, KeyPair>;

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

fn root(name: &str) -> Issuer {
    CertifiedIssuer::self_signed(authority(name), KeyPair::generate().unwrap()).unwrap()
}

fn certificate(name: &str) -> CertificateParams {
    CertificateParams::new(vec![name.to_owned()]).unwrap()
}

/// An HTTPS endpoint with a certificate from `issuer`.
async fn endpoint(issuer: &Issuer, params: CertificateParams) -> HostileServer {
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, issuer).unwrap();
    serving(vec![certificate.der().clone()], &key, &[]).await
}

/// An HTTPS endpoint that sends this chain and accepts these protocols (ALPN); none: any.
async fn serving(
    chain: Vec<CertificateDer<'static>>,
    key: &KeyPair,
    protocols: &[&str],
) -> HostileServer {
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let mut config =
        ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    HostileServer::start(move |peer: Peer| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut stream) = acceptor.accept(peer.stream).await else { return };
            read_request(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        }
    })
    .await
}

async fn post_trusting(issuer: &Issuer, server: &HostileServer) -> Result<PostResponse, SendError> {
    let mut roots = RootCertStore::empty();
    roots.add(issuer.der().clone()).unwrap();
    let tls = tls_versions().unwrap().with_root_certificates(roots).with_no_client_auth();
    let transport = Transport::new(Loopback::Allowed, system(), tls, SystemTime::now);
    Http::over(transport, Loopback::Allowed)
        .post(&server.target_on("https://localhost", "/"), HeaderMap::new(), vec![], LONG)
        .await
}

#[tokio::test]
async fn accepts_a_trusted_certificate_for_the_name() {
    let issuer = root("root");
    let server = endpoint(&issuer, certificate("localhost")).await;
    assert_eq!(post_trusting(&issuer, &server).await.unwrap().status, 200);
}

#[tokio::test]
async fn says_why_it_rejects_a_certificate() {
    let issuer = root("root");
    let mut expired = certificate("localhost");
    expired.not_before = date_time_ymd(2020, 1, 1);
    expired.not_after = date_time_ymd(2021, 1, 1);
    let mut early = certificate("localhost");
    early.not_before = date_time_ymd(4000, 1, 1);
    early.not_after = date_time_ymd(4001, 1, 1);
    for (issued_by, params, code) in [
        (&root("other"), certificate("localhost"), "tls_unknown_issuer"),
        (&issuer, expired, "tls_expired"),
        (&issuer, certificate("other.example"), "tls_wrong_name"),
        (&issuer, early, "tls"),
    ] {
        let server = endpoint(issued_by, params).await;
        let error = post_trusting(&issuer, &server).await.unwrap_err();
        assert_eq!((error.code(), error.may_have_arrived()), (code, false));
    }
}

#[tokio::test]
async fn needs_the_intermediate_certificates() {
    let root = root("root");
    let key = KeyPair::generate().unwrap();
    let intermediate = CertifiedIssuer::signed_by(authority("intermediate"), key, &root).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = certificate("localhost").signed_by(&key, &intermediate).unwrap().der().clone();
    let whole = serving(vec![leaf.clone(), intermediate.der().clone()], &key, &[]).await;
    assert_eq!(post_trusting(&root, &whole).await.unwrap().status, 200);
    let broken = serving(vec![leaf], &key, &[]).await;
    assert_eq!(post_trusting(&root, &broken).await, Err(SendError::TlsUnknownIssuer));
}

#[tokio::test]
async fn reports_a_self_signed_certificate_as_of_an_unknown_issuer() {
    for is_ca in [IsCa::NoCa, IsCa::Ca(BasicConstraints::Unconstrained)] {
        let mut params = certificate("localhost");
        params.is_ca = is_ca;
        let key = KeyPair::generate().unwrap();
        let own = params.self_signed(&key).unwrap().der().clone();
        let server = serving(vec![own], &key, &[]).await;
        let posted = post_trusting(&root("root"), &server).await;
        assert_eq!(posted, Err(SendError::TlsUnknownIssuer));
    }
}

#[tokio::test]
async fn reports_a_server_that_refuses_http_1() {
    let issuer = root("root");
    let key = KeyPair::generate().unwrap();
    let chain = vec![certificate("localhost").signed_by(&key, &issuer).unwrap().der().clone()];
    let both = serving(chain.clone(), &key, &["h2", "http/1.1"]).await;
    assert_eq!(post_trusting(&issuer, &both).await.unwrap().status, 200);
    let http2 = serving(chain, &key, &["h2"]).await;
    let error = post_trusting(&issuer, &http2).await.unwrap_err();
    assert_eq!((error.code(), error.may_have_arrived()), ("http2_only", false));
}

#[tokio::test]
async fn trusts_the_certificate_store_of_the_machine() {
    let server = endpoint(&root("root"), certificate("localhost")).await;
    let posted = post(&server.target_on("https://localhost", "/"), LONG).await;
    assert_eq!(posted, Err(SendError::TlsUnknownIssuer));
}

#[tokio::test]
async fn rejects_old_tls_versions_and_plain_text() {
    let old_version = b"\x15\x03\x01\x00\x02\x02\x46".as_slice(); // alert: protocol_version
    let plain = b"HTTP/1.1 400 Bad Request\r\n\r\n";
    for response in [old_version, plain, b""] {
        let server = HostileServer::start(move |mut peer: Peer| async move {
            let mut hello = [0; 5];
            tokio::io::AsyncReadExt::read_exact(&mut peer.stream, &mut hello).await.unwrap();
            peer.send(response).await;
            peer.stream.shutdown().await.unwrap();
            tokio::io::copy(&mut peer.stream, &mut tokio::io::sink()).await.unwrap();
        })
        .await;
        let posted = post(&server.target_on("https://127.0.0.1", "/"), LONG).await;
        assert_eq!(posted, Err(SendError::Tls), "{response:?}");
    }
}

//! Certificates are verified, including the host name.

use std::sync::Arc;
use std::time::SystemTime;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::RootCertStore;
use tokio::io::AsyncWriteExt;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::server::{HostileServer, Peer, read_request};
use super::{LONG, post};
use crate::policy::Loopback;
use crate::resolve::system;
use crate::transport::{Transport, tls_versions};
use crate::{HeaderMap, Http, PostResponse, SendError};

type Issuer = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Issuer {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn certificate(name: &str) -> CertificateParams {
    CertificateParams::new(vec![name.to_owned()]).unwrap()
}

/// An HTTPS endpoint with a certificate from `issuer`.
async fn endpoint(issuer: &Issuer, params: CertificateParams) -> HostileServer {
    let key = KeyPair::generate().unwrap();
    let chain = vec![params.signed_by(&key, issuer).unwrap().der().clone()];
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config =
        ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
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
    let transport = Transport::new(Loopback::Allowed, system(), tls, SystemTime::now).unwrap();
    Http::over(transport, Loopback::Allowed)
        .post(&server.target_on("https://localhost", "/"), HeaderMap::new(), vec![], LONG)
        .await
}

#[tokio::test]
async fn accepts_a_trusted_certificate_for_the_name() {
    let issuer = authority();
    let server = endpoint(&issuer, certificate("localhost")).await;
    assert_eq!(post_trusting(&issuer, &server).await.unwrap().status, 200);
}

#[tokio::test]
async fn rejects_untrusted_expired_and_misnamed_certificates() {
    let issuer = authority();
    let mut expired = certificate("localhost");
    expired.not_before = date_time_ymd(2020, 1, 1);
    expired.not_after = date_time_ymd(2021, 1, 1);
    for (case, issued_by, params) in [
        ("untrusted", &authority(), certificate("localhost")),
        ("expired", &issuer, expired),
        ("misnamed", &issuer, certificate("other.example")),
    ] {
        let server = endpoint(issued_by, params).await;
        let error = post_trusting(&issuer, &server).await.unwrap_err();
        assert_eq!((error, error.may_have_arrived()), (SendError::Tls, false), "{case}");
    }
}

#[tokio::test]
async fn trusts_the_certificate_store_of_the_machine() {
    let server = endpoint(&authority(), certificate("localhost")).await;
    assert_eq!(post(&server.target_on("https://localhost", "/"), LONG).await, Err(SendError::Tls));
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

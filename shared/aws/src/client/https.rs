//! The connections of all AWS clients of a process: one pool, opened before the first event.
//!
//! The SDK's own client would read the machine's 144 roots, parse them again for each service
//! client, and give each its own connections.

use std::time::Duration;

use aws_smithy_async::rt::sleep::SharedAsyncSleep;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use lambda_http::http::Uri;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// The five that Amazon Trust Services recommends for a trust store of one's own:
/// <https://www.amazontrust.com/repository/>. `AWS_CA_BUNDLE` replaces them.
const AMAZON_ROOTS: &[u8] = include_bytes!("amazon-roots.pem");

/// Uses one connector for all clients, whatever their settings.
#[derive(Debug)]
struct Shared(SharedHttpConnector);

impl HttpClient for Shared {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        self.0.clone()
    }
}

/// Trusts Amazon's roots, or `roots`: certificates in PEM, which must have passed [`is_usable`].
pub(super) fn pool(
    connect_timeout: Duration,
    sleep: SharedAsyncSleep,
    roots: Option<Vec<u8>>,
) -> SharedHttpClient {
    let roots = roots.unwrap_or_else(|| AMAZON_ROOTS.to_vec());
    let trust = TrustStore::empty().with_pem_certificate(roots);
    let settings = HttpConnectorSettings::builder().connect_timeout(connect_timeout).build();
    let connector = Connector::builder()
        .connector_settings(settings)
        .sleep_impl(sleep)
        .proxy_config(ProxyConfig::from_env())
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .tls_context(TlsContext::builder().with_trust_store(trust).build().unwrap_or_default());
    SharedHttpClient::new(Shared(SharedHttpConnector::new(connector.build())))
}

/// Whether these are certificates in PEM, one at least. The SDK's connector panics on others.
pub(super) fn is_usable(roots: &[u8]) -> bool {
    let mut store = RootCertStore::empty();
    let mut certificates = CertificateDer::pem_slice_iter(roots);
    let all_parse = certificates.all(|it| it.is_ok_and(|it| store.add(it).is_ok()));
    all_parse && !store.is_empty()
}

/// Opens the connection for a request, but keeps the request to itself: it sends an unsigned
/// `GET /ping`, to which AWS answers without a permission and without a charge. The client gets an
/// empty answer, whatever happens.
#[derive(Debug)]
pub(super) struct Opening(pub(super) SharedHttpClient);

impl HttpClient for Opening {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Ping(self.0.http_connector(settings, components)))
    }
}

#[derive(Debug)]
struct Ping(SharedHttpConnector);

impl HttpConnector for Ping {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let connector = self.0.clone();
        HttpConnectorFuture::new(async move {
            if let Some(ping) = ping_of(&request)
                && let Ok(answer) = connector.call(ping).await
            {
                // Only a connection whose answer was read is used again.
                let _ = ByteStream::new(answer.into_body()).collect().await;
            }
            let status = 200.try_into().map_err(|_| ConnectorError::user("status".into()))?;
            Ok(HttpResponse::new(status, SdkBody::from("{}")))
        })
    }
}

fn ping_of(request: &HttpRequest) -> Option<HttpRequest> {
    let uri: Uri = request.uri().parse().ok()?;
    HttpRequest::get(format!("{}://{}/ping", uri.scheme()?, uri.authority()?)).ok()
}

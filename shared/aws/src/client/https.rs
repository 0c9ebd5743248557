//! The connections of all AWS clients of a process: one pool, opened before the first event.
//!
//! The SDK's own client would read the machine's 144 roots, parse them again for each service
//! client, and give each its own connections. It also has HTTP/2 and proxies, which AWS's endpoints
//! do not need.

use std::error::Error;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use aws_smithy_runtime_api::client::connection::{CaptureSmithyConnection, ConnectionMetadata};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use futures::future::BoxFuture;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector as TcpConnector;
use hyper_util::client::legacy::connect::{CaptureConnection, capture_connection};
use hyper_util::rt::TokioExecutor;
use lambda_http::http::Uri;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio::time::timeout;
use tower::Service;

#[cfg(test)]
mod tests;

/// The five that Amazon Trust Services recommends for a trust store of one's own:
/// <https://www.amazontrust.com/repository/>. `AWS_CA_BUNDLE` replaces them.
const AMAZON_ROOTS: &[u8] = include_bytes!("amazon-roots.pem");

/// One connector for all clients, whatever their settings.
#[derive(Debug, Clone)]
struct Pool {
    kept: Client<Connecting, SdkBody>,
    /// Opens a connection for each request.
    fresh: Client<Connecting, SdkBody>,
}

impl Pool {
    /// A connection may have been dead for long without a sign of it, and others of the pool with
    /// it. Only a new connection makes sure that the next try does not wait for one of those.
    fn client_of(&self, request: &HttpRequest) -> &Client<Connecting, SdkBody> {
        let tries = request.headers().get("amz-sdk-request").unwrap_or_default();
        if tries.is_empty() || tries.contains("attempt=1;") { &self.kept } else { &self.fresh }
    }
}

/// Opens connections in a limited time, TLS included.
#[derive(Debug, Clone)]
struct Connecting {
    https: HttpsConnector<TcpConnector>,
    timeout: Duration,
}

impl Service<Uri> for Connecting {
    type Response = <HttpsConnector<TcpConnector> as Service<Uri>>::Response;
    type Error = Box<dyn Error + Send + Sync>;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.https.poll_ready(context)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let (connecting, limit) = (self.https.call(to), self.timeout);
        Box::pin(async move { timeout(limit, connecting).await? })
    }
}

/// Trusts Amazon's roots, or `roots`: certificates in PEM. `None` if one of them is invalid, or there
/// is none.
pub(super) fn pool(connect_timeout: Duration, roots: Option<&[u8]>) -> Option<SharedHttpClient> {
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(roots.unwrap_or(AMAZON_ROOTS)) {
        store.add(certificate.ok()?).ok()?;
    }
    let has_roots = !store.is_empty();
    let tls = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let tls = tls.with_safe_default_protocol_versions().ok()?;
    let tls = tls.with_root_certificates(store).with_no_client_auth();
    let mut tcp = TcpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    // A local stack has no TLS.
    let https = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1();
    let connector = Connecting { https: https.wrap_connector(tcp), timeout: connect_timeout };
    let mut client = Client::builder(TokioExecutor::new());
    let kept = client.build(connector.clone());
    let fresh = client.pool_max_idle_per_host(0).build(connector);
    has_roots.then(|| SharedHttpClient::new(Pool { kept, fresh }))
}

impl HttpClient for Pool {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Pool {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.client_of(&request).clone();
        HttpConnectorFuture::new(async move {
            let request = request.try_into_http1x();
            let mut request = request.map_err(|error| ConnectorError::user(error.into()))?;
            let connection = capture_connection(&mut request);
            if let Some(capture) = request.extensions().get::<CaptureSmithyConnection>() {
                capture.set_connection_retriever(move || metadata(&connection));
            }
            // Whatever failed, the same request on another connection may succeed.
            let answer = client.request(request).await;
            let answer = answer.map_err(|error| ConnectorError::io(error.into()))?;
            HttpResponse::try_from(answer.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// With it the SDK gives up a connection after an error of the server.
fn metadata(connection: &CaptureConnection) -> Option<ConnectionMetadata> {
    connection.connection_metadata().as_ref()?;
    let connection = connection.clone();
    let poison = move || {
        if let Some(connected) = connection.connection_metadata().as_ref() {
            connected.poison();
        }
    };
    Some(ConnectionMetadata::builder().proxied(false).poison_fn(poison).build())
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

//! Clients of AWS for unit tests.

use aws::client::{CallTimeouts, Clients, Edge};
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector, http_client_fn};
use aws_types::SdkConfig;

/// Clients whose calls are answered by `aws`.
pub(crate) fn clients(aws: impl HttpConnector + Clone + 'static) -> Clients {
    let credentials = Credentials::new("id", "secret", None, None, "test");
    let base = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url("http://aws.invalid");
    let client = http_client_fn(move |_, _| SharedHttpConnector::new(aws.clone()));
    let edge = Edge { http_client: Some(client), ..Edge::system() };
    Clients::new(base.build(), edge, CallTimeouts::Queue)
}

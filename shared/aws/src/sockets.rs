//! Frames to open sockets, through API Gateway.

use aws_sdk_apigatewaymanagement::Client;
use aws_sdk_apigatewaymanagement::operation::post_to_connection::PostToConnectionError;
use aws_smithy_types::Blob;

use crate::error::IoError;

const POST: &str = "execute-api:ManageConnections";

#[derive(Debug, Clone)]
pub struct Sockets {
    client: Client,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Posted {
    Sent,
    /// The socket is closed.
    Gone,
}

impl Sockets {
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    pub async fn post(&self, connection: &str, frame: &str) -> Result<Posted, IoError> {
        let request = self.client.post_to_connection().connection_id(connection);
        match request.data(Blob::new(frame)).send().await {
            Ok(_) => Ok(Posted::Sent),
            Err(error) => match error.as_service_error() {
                Some(PostToConnectionError::GoneException(_)) => Ok(Posted::Gone),
                _ => Err(IoError::of(POST, &error)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::fake::{FakeAws, clients};

    #[tokio::test]
    async fn tells_a_closed_socket_from_a_failure() {
        let gone = r#"{"__type":"GoneException"}"#;
        let refused = r#"{"__type":"ForbiddenException"}"#;
        let fake = FakeAws::sequence(&[(200, ""), (410, gone), (403, refused)]);
        let client = clients(fake.edge()).sockets("https://sockets.invalid/live");
        let sockets = Sockets::new(client);
        assert_eq!(sockets.post("a=", "{}").await, Ok(Posted::Sent));
        assert_eq!(sockets.post("a=", "{}").await, Ok(Posted::Gone));
        assert!(sockets.post("a=", "{}").await.is_err());
        let uri = fake.requests()[0].uri().to_owned();
        assert_eq!(uri, "https://sockets.invalid/live/@connections/a%3D");
    }
}

//! The body of a request: a URL or an endpoint.

use domain::core::id::EndpointName;
use domain::core::request_body::{InvalidBody, read_object};
use egress::LOOPBACK;
use egress::policy::Target;
use serde::Deserialize;

pub(crate) enum TestRequest {
    Url(Target),
    Endpoint(EndpointName),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    #[serde(rename = "webhookUrl", alias = "webhook_url")]
    webhook_url: Option<String>,
    endpoint: Option<EndpointName>,
}

impl TestRequest {
    /// Exactly one of `webhookUrl` and `endpoint`. The URL must be one that an endpoint may have.
    pub(crate) fn read(body: &[u8]) -> Result<Self, InvalidBody> {
        let Fields { webhook_url, endpoint } = read_object(body)?;
        match (webhook_url, endpoint) {
            (Some(url), None) => Target::parse(&url, LOOPBACK)
                .map(Self::Url)
                .map_err(|refused| InvalidBody::field("webhookUrl", refused)),
            (None, Some(name)) => Ok(Self::Endpoint(name)),
            _ => Err(InvalidBody::field(
                "webhookUrl",
                "exactly one of webhookUrl and endpoint is required",
            )),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_url_or_an_endpoint() {
        for body in [
            r#"{"webhookUrl":"https://hook.example/a"}"#,
            r#"{"webhook_url":"https://hook.example/a","endpoint":null}"#,
        ] {
            let read = TestRequest::read(body.as_bytes()).unwrap();
            assert!(matches!(read, TestRequest::Url(target) if target.host() == "hook.example"));
        }
        let read = TestRequest::read(br#"{"endpoint":"shop"}"#).unwrap();
        assert!(matches!(read, TestRequest::Endpoint(name) if name.as_str() == "shop"));
    }

    #[test]
    fn rejects_other_bodies_by_field() {
        for (body, expected) in [
            ("{}", "webhookUrl"),
            (r#"{"webhookUrl":"https://hook.example","endpoint":"shop"}"#, "webhookUrl"),
            (r#"{"webhookUrl":"https://10.0.0.1/"}"#, "webhookUrl"),
            (r#"{"webhookUrl":"ftp://hook.example/"}"#, "webhookUrl"),
            (r#"{"webhookUrl":"https://a:b@hook.example/"}"#, "webhookUrl"),
            (r#"{"webhookUrl":7}"#, "webhookUrl"),
            (r#"{"endpoint":""}"#, "endpoint"),
            (r#"{"url":"https://hook.example"}"#, "url"),
        ] {
            let error = TestRequest::read(body.as_bytes()).err().unwrap();
            assert!(
                matches!(&error, InvalidBody::Invalid { field, .. } if field == expected),
                "{body}: {error:?}"
            );
        }
    }
}

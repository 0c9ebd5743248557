//! The function `inbound` without API Gateway before it, which by itself refuses or cannot send some of what is tried.

use std::time::{Duration, SystemTime};

use ::aws::settings::Settings;
use aws_sdk_dynamodb::config::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use inbound::Inbound;
use lambda_http::http::Request;
use serde_json::Value;

use super::http::client;
use super::{Calls, Stack, unique};

impl Stack {
    /// What a deployed function makes of an event.
    pub async fn invoke(&self, function: &str, event: &Value) -> Value {
        let url = format!(
            "{}/2015-03-31/functions/{}/invocations",
            self.endpoint_url, self.functions[function]
        );
        let mut request = Request::post(url).body(event.to_string()).unwrap();
        self.sign(&mut request);
        let answer = client().execute(request.try_into().unwrap()).await.unwrap();
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }

    fn sign(&self, request: &mut Request<String>) {
        let keys = &self.aws;
        let identity = Credentials::new(
            &keys.access_key_id,
            &keys.secret_access_key,
            None,
            None,
            "stack.json",
        )
        .into();
        let parameters =
            SigningParams::builder().identity(&identity).region(&self.region).name("lambda");
        let parameters = parameters
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .unwrap()
            .into();
        let url = request.uri().to_string();
        let signable = SignableRequest::new(
            "POST",
            &url,
            std::iter::empty(),
            SignableBody::Bytes(request.body().as_bytes()),
        );
        let (signature, _) = sign(signable.unwrap(), &parameters).unwrap().into_parts();
        signature.apply_to_request_http1x(request);
    }

    /// The function `inbound`, in this process, as an installation of its own: with these parameters and no others.
    pub async fn installation(&self, parameters: &[(&str, &str)]) -> Inbound {
        let (calls, prefix) = (Calls::default(), format!("/waypost/{}", unique("it")));
        for (name, value) in parameters {
            let put =
                self.ssm(&calls).put_parameter().name(format!("{prefix}/{name}")).value(*value);
            put.r#type("SecureString".into()).send().await.unwrap();
        }
        // Longer than any test: what is put once need not be read twice.
        let settings = Settings::new(self.ssm(&calls), prefix, Duration::from_secs(600));
        Inbound::new(self.events(&calls), self.queue("events", &calls), settings)
    }
}

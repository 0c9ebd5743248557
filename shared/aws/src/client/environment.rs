//! Region, credentials and endpoints, as Lambda sets them in the environment. The SDK's own loader
//! also knows profiles, containers and virtual machines, in half a megabyte of code.

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_types::SdkConfig;
use aws_types::region::Region;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

use crate::env::{BadEnvironment, Environment};

/// The credentials of a sandbox are valid for its whole life.
pub(super) fn base(environment: &Environment) -> Result<SdkConfig, BadEnvironment> {
    let credentials = Credentials::new(
        environment.variable("AWS_ACCESS_KEY_ID")?,
        environment.variable("AWS_SECRET_ACCESS_KEY")?,
        environment.optional("AWS_SESSION_TOKEN"),
        None,
        "environment",
    );
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(environment.variable("AWS_REGION")?))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .service_config(ServiceEndpoints(environment.clone()));
    config.set_endpoint_url(environment.optional("AWS_ENDPOINT_URL"));
    Ok(config.build())
}

/// The variables with the endpoint of one service, e.g. `AWS_ENDPOINT_URL_SQS`. They win over
/// `AWS_ENDPOINT_URL`: <https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>.
#[derive(Debug)]
struct ServiceEndpoints(Environment);

impl LoadServiceConfig for ServiceEndpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let service = key.service_id().to_uppercase().replace(' ', "_");
        self.0.optional(&format!("{}_{service}", key.env()))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    const KEYS: [(&str, &str); 3] = [
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
    ];

    fn environment(variables: &[(&str, &str)]) -> Environment {
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn needs_region_and_credentials() {
        for missing in 0..KEYS.len() {
            let mut variables = KEYS.to_vec();
            let (name, _) = variables.remove(missing);
            let error = base(&environment(&variables)).map(drop).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("environment variable {name} is missing or invalid")
            );
        }
        assert_eq!(base(&environment(&KEYS)).unwrap().region().unwrap().as_ref(), "eu-west-1");
    }

    #[test]
    fn the_endpoint_of_a_service_wins_over_the_common_one() {
        let common = ("AWS_ENDPOINT_URL", "http://all.invalid");
        let of_sqs = ("AWS_ENDPOINT_URL_SQS", "http://sqs.invalid");
        let config = base(&environment(&[&KEYS[..], &[common, of_sqs]].concat())).unwrap();
        let endpoint = |service| {
            let key = ServiceConfigKey::builder().service_id(service);
            let key = key.env("AWS_ENDPOINT_URL").profile("endpoint_url").build().unwrap();
            config.service_config().unwrap().load_config(key)
        };
        assert_eq!(endpoint("SQS").as_deref(), Some("http://sqs.invalid"));
        assert_eq!(endpoint("DynamoDB"), None);
        assert_eq!(config.endpoint_url(), Some("http://all.invalid"));
    }
}

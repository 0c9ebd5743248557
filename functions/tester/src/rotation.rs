//! `POST /api/endpoints/{name}/rotate`: replaces an endpoint's signing secret step by step.

use aws::endpoint_parameters::EndpointParameters;
use aws::entropy;
use aws::lambda::http_api::{ApiError, json, json_body};
use aws::settings::SettingsError;
use aws::tables::audit::{AuditAction, AuditEntry};
use domain::auth::Caller;
use domain::core::id::EndpointName;
use domain::core::request_body::{InvalidBody, read_object};
use domain::core::timestamp::Timestamp;
use domain::webhooks::rotation::{NEW_SECRET_BYTES, RotationStep, new_secret, rotated};
use lambda_http::{Body, Request, RequestExt, Response};
use serde::{Deserialize, Serialize};

use crate::{BODY_LIMIT, Tester, no_such_endpoint};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    step: RotationStep,
}

/// Has no `Debug`: the secret is shown this once, and nowhere else.
#[derive(Serialize)]
struct Rotated<'a> {
    endpoint: &'a EndpointName,
    secret: Option<&'a str>,
    /// Whether deliveries are signed with two secrets now.
    both: bool,
}

impl Tester {
    pub(crate) async fn rotate(
        &self,
        request: &Request,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<Response<Body>, ApiError> {
        let parameters = request.path_parameters_ref();
        let name = parameters.and_then(|all| all.first("name")).map(EndpointName::parse);
        let name = name.and_then(Result::ok).ok_or_else(no_such_endpoint)?;
        let step = read(json_body(request, BODY_LIMIT)?)?;
        let present = self.parameters(&name, caller).await?;
        present.keys().map_err(|error| unusable(&error))?;
        let new = new_secret(&entropy::secret::<NEW_SECRET_BYTES>()?);
        let next = rotated(step, present.secret().unwrap_or_default(), &new)
            .map_err(|refused| ApiError::conflict(refused.to_string()))?;
        self.record(step, &name, &present, caller, now).await?;
        self.settings.replace_secret(&present.secret_parameter(), &next).await?;
        tracing::warn!(endpoint = %name, ?step, "endpoint.secret_rotated");
        let is_over = step == RotationStep::Finish;
        let secret = (!is_over).then_some(new.as_str());
        Ok(json(200, &Rotated { endpoint: &name, secret, both: !is_over }))
    }

    /// Before the step takes effect: none goes unrecorded.
    async fn record(
        &self,
        step: RotationStep,
        name: &EndpointName,
        present: &EndpointParameters,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let entry = AuditEntry {
            at: now,
            by: caller.name.clone().unwrap_or_default(),
            action: AuditAction::RotateSecret,
            target: name.as_str().to_owned(),
            details: Some(serde_json::json!({ "step": step })),
            accounts: present.accounts(),
        };
        Ok(self.audit.record(&entry).await?)
    }
}

fn read(body: &[u8]) -> Result<RotationStep, InvalidBody> {
    read_object(body).map(|Fields { step }| step)
}

/// The error names the parameter without quoting it.
fn unusable(error: &SettingsError) -> ApiError {
    ApiError::conflict(format!("the present secret cannot be used: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_steps_and_rejects_others_by_field() {
        for (body, expected) in [
            (r#"{"step":"begin"}"#, Ok(RotationStep::Begin)),
            (r#"{"step":"replace"}"#, Ok(RotationStep::Replace)),
            (r#"{"step":"finish"}"#, Ok(RotationStep::Finish)),
            (r#"{"step":"Begin"}"#, Err("step")),
            ("{}", Err("step")),
            (r#"{"step":"begin","secret":"whsec_"}"#, Err("secret")),
        ] {
            let step = read(body.as_bytes()).map_err(|error| match error {
                InvalidBody::Invalid { field, .. } => field,
                InvalidBody::Malformed(_) => String::new(),
            });
            assert_eq!(step, expected.map_err(str::to_owned), "{body}");
        }
    }
}

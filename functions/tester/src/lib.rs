//! `POST /api/external/webhook-test`: posts a test delivery to a URL or an endpoint, and says why a
//! receiver will not work. `POST /api/endpoints/{name}/rotate` replaces an endpoint's secret.
//!
//! A function of its own: of those that serve the API, only this one may read and write endpoint
//! secrets.

mod delivery;
mod request;
mod rotation;
mod verdict;

use std::borrow::Cow;
use std::collections::BTreeMap;

use aws::client::Clients;
use aws::clock::now;
use aws::endpoint_parameters::EndpointParameters;
use aws::env::{BadEnvironment, Environment};
use aws::lambda::HttpInvocation;
use aws::lambda::auth::Callers;
use aws::lambda::http_api::{
    ApiError, check_query, json, json_body, request_id, respond, route_key,
};
use aws::settings::{Settings, SettingsError};
use aws::tables::audit::AuditLog;
use aws::tables::auth_failures::AuthFailures;
use domain::auth::Caller;
use domain::core::id::EndpointName;
use domain::core::timestamp::Timestamp;
use egress::policy::Target;
use egress::{HeaderMap, Http, LOOPBACK, PostResponse};
use lambda_http::{Body, Request, Response};
use serde::Serialize;

use delivery::TestDelivery;
use request::TestRequest;
use verdict::Verdict;

/// In bytes.
const BODY_LIMIT: usize = 256 * 1024;

const MASK: &str = "[REDACTED]";
const ROTATE: &str = "POST /api/endpoints/{name}/rotate";

pub struct Tester {
    callers: Callers,
    settings: Settings,
    audit: AuditLog,
    http: Http,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TestResult<'a> {
    success: bool,
    code: &'static str,
    message: Cow<'static, str>,
    status: Option<u16>,
    latency_ms: Option<u64>,
    redirect_to: Option<String>,
    endpoint: Option<&'a EndpointName>,
    /// As sent, secrets masked; null for a URL.
    headers: Option<BTreeMap<String, String>>,
    /// The beginning of the answer's body; null for a URL.
    excerpt: Option<String>,
}

impl Tester {
    pub fn from_environment(
        clients: &Clients,
        environment: &Environment,
        http: Http,
    ) -> Result<Self, BadEnvironment> {
        let settings = Settings::from_environment(clients.ssm(), environment)?;
        let (dynamodb, table) = (clients.dynamodb(), environment.variable("STATE_TABLE")?);
        let audit = AuditLog::new(dynamodb.clone(), table.clone());
        let callers = Callers::new(settings.clone(), AuthFailures::new(dynamodb, table));
        Ok(Self { callers, settings, audit, http })
    }

    pub fn handle(&self, request: Request) -> HttpInvocation<'_> {
        Box::pin(async move {
            let id = request_id(&request);
            respond(&id, self.route(&request, now()).await)
        })
    }

    async fn route(&self, request: &Request, now: Timestamp) -> Result<Response<Body>, ApiError> {
        let caller = self.callers.authenticate(request, now).await?;
        if !caller.can_operate() {
            return Err(ApiError::forbidden("these credentials do not allow this operation"));
        }
        check_query(request, &[])?;
        match route_key(request) {
            ROTATE => self.rotate(request, &caller, now).await,
            _ => self.test(request, &caller, now).await,
        }
    }

    async fn test(
        &self,
        request: &Request,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<Response<Body>, ApiError> {
        let tested = TestRequest::read(json_body(request, BODY_LIMIT)?)?;
        let result = match &tested {
            TestRequest::Url(target) => {
                let delivery = TestDelivery::to_url(&request_id(request), now);
                TestResult { headers: None, excerpt: None, ..self.post(target, delivery).await }
            }
            TestRequest::Endpoint(name) => {
                let parameters =
                    self.parameters(name, caller).await.map_err(|it| it.with_field("endpoint"))?;
                let result = self.test_endpoint(&parameters, &request_id(request), now).await;
                TestResult { endpoint: Some(name), ..result }
            }
        };
        let TestResult { code, status, endpoint, .. } = &result;
        tracing::info!(
            code,
            status,
            endpoint = endpoint.map(EndpointName::as_str),
            "webhook.tested"
        );
        Ok(json(200, &result))
    }

    /// 404 also for an endpoint that the caller may not see.
    async fn parameters(
        &self,
        name: &EndpointName,
        caller: &Caller,
    ) -> Result<EndpointParameters, ApiError> {
        EndpointParameters::read(&self.settings, name)
            .await?
            .filter(|endpoint| caller.can_see_all(&endpoint.accounts()))
            .ok_or_else(no_such_endpoint)
    }

    /// Tests a disabled endpoint too, as one may want to before enabling it.
    async fn test_endpoint(
        &self,
        parameters: &EndpointParameters,
        request_id: &str,
        now: Timestamp,
    ) -> TestResult<'static> {
        let delivery = match TestDelivery::to_endpoint(parameters, request_id, now) {
            Ok(delivery) => delivery,
            Err(error) => return TestResult::of(unusable(&error)),
        };
        match Target::parse(&parameters.url, LOOPBACK) {
            Ok(target) => self.post(&target, delivery).await,
            Err(refused) => TestResult::of(verdict::of_error(refused.into(), delivery.timeout)),
        }
    }

    async fn post(&self, target: &Target, delivery: TestDelivery) -> TestResult<'static> {
        let TestDelivery { receiver, headers, body, timeout } = delivery;
        let shown = Some(shown(&headers));
        match self.http.post(target, headers, body, timeout).await {
            Ok(answer) => {
                let result = TestResult::of(verdict::of_answer(&answer, receiver));
                TestResult { headers: shown, ..result.with_answer(answer) }
            }
            Err(error) => {
                TestResult { headers: shown, ..TestResult::of(verdict::of_error(error, timeout)) }
            }
        }
    }
}

impl TestResult<'_> {
    /// Without an answer.
    fn of(verdict: Verdict) -> Self {
        Self {
            success: verdict.code == verdict::ACCEPTED,
            code: verdict.code,
            message: verdict.advice,
            status: None,
            latency_ms: None,
            redirect_to: None,
            endpoint: None,
            headers: None,
            excerpt: None,
        }
    }

    fn with_answer(self, answer: PostResponse) -> Self {
        Self {
            status: Some(answer.status),
            latency_ms: u64::try_from(answer.latency.as_millis()).ok(),
            redirect_to: answer.redirect_to,
            excerpt: Some(answer.excerpt),
            ..self
        }
    }
}

fn no_such_endpoint() -> ApiError {
    ApiError::not_found("no such endpoint")
}

/// The error names the parameter without quoting it.
fn unusable(error: &SettingsError) -> Verdict {
    Verdict { code: "unusable_settings", advice: format!("Nothing can be sent: {error}.").into() }
}

fn shown(headers: &HeaderMap) -> BTreeMap<String, String> {
    let shown = headers.iter().map(|(name, value)| {
        let text = if value.is_sensitive() { None } else { value.to_str().ok() };
        (name.to_string(), text.unwrap_or(MASK).to_owned())
    });
    shown.collect()
}

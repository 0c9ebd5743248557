//! Authentication (Basic auth for users, a shared secret for vendors) and authorization by account.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use domain::auth::failures::window;
use domain::auth::session::{Refusal, SessionToken};
use domain::auth::{BasicCredentials, Caller, NoAccount, User, Vendor, private_key, vendor_caller};
use domain::core::id::{AccountCode, OrderId, OrderKey};
use domain::core::timestamp::Timestamp;
use lambda_http::{Request, RequestExt};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::lambda::http_api::{ApiError, source_ip};
use crate::settings::{Cached, Good, Settings, SettingsError, read_each};
use crate::tables::auth_failures::AuthFailures;

const USERS: &str = "users";
const VENDORS: &str = "vendors";

/// The time for counting a failure, which delays the answer.
const COUNT_LIMIT: Duration = Duration::from_millis(500);

/// Users and vendors from the settings.
pub struct Callers {
    settings: Settings,
    failures: AuthFailures,
    users: Cached<Each<User>>,
    vendors: Cached<Each<Vendor>>,
}

/// Settings by parameter.
type Each<T> = BTreeMap<String, Good<T>>;

impl Callers {
    pub fn new(settings: Settings, failures: AuthFailures) -> Self {
        Self { settings, failures, users: Cached::default(), vendors: Cached::default() }
    }

    /// A vendor secret takes precedence over Basic auth and sessions. Answers 401 without valid credentials, 429
    /// after too many failures, 503 while the settings are unavailable.
    pub async fn authenticate(
        &self,
        request: &Request,
        now: Timestamp,
    ) -> Result<Caller, ApiError> {
        let header = |name: &str| {
            request.headers().get(name).map(|value| value.to_str().unwrap_or_default())
        };
        let session = header("authorization").and_then(SessionToken::parse);
        if let Some(token) = session
            && header("x-vendor-server-secret").is_none()
        {
            return self.in_session(&token, request, now).await;
        }
        let (user, caller) = match (header("x-vendor-server-secret"), header("authorization")) {
            (Some(secret), _) => {
                let vendors = self.vendors(now).await.map_err(unavailable)?;
                let caller = vendor_caller(secret, vendors.values().map(|vendor| &**vendor));
                (Some("vendor".to_owned()), caller)
            }
            (None, Some(header)) => match BasicCredentials::parse(header) {
                Some(basic) => {
                    let caller = self.user(&basic, now).await.map_err(unavailable)?;
                    (Some(format!("user {}", basic.name)), caller)
                }
                None => (Some("malformed".to_owned()), None),
            },
            (None, None) => (None, None),
        };
        match (caller, user) {
            (Some(caller), _) => Ok(caller),
            (None, Some(user)) => Err(self.refused(&user, request, now).await),
            // A request without credentials is no guess.
            (None, None) => {
                tracing::warn!("request.unauthorized");
                Err(ApiError::unauthorized())
            }
        }
    }

    async fn in_session(
        &self,
        token: &SessionToken,
        request: &Request,
        now: Timestamp,
    ) -> Result<Caller, ApiError> {
        let users = self.users(now).await.map_err(unavailable)?;
        let user = users.get(&format!("{USERS}/{}", token.name));
        match user.map_or(Err(Refusal::Wrong), |user| token.check(user, now)) {
            Ok(caller) => Ok(caller),
            Err(Refusal::Ended) => Err(ApiError::unauthorized()),
            Err(Refusal::Wrong) => {
                Err(self.refused(&format!("user {}", token.name), request, now).await)
            }
        }
    }

    /// A new session of an authenticated user, or the renewal of the one that the request is in.
    /// `None` for a vendor.
    pub async fn open_session(
        &self,
        request: &Request,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<Option<SessionToken>, ApiError> {
        let Some(name) = &caller.name else { return Ok(None) };
        let users = self.users(now).await.map_err(unavailable)?;
        let Some(user) = users.get(&format!("{USERS}/{name}")) else { return Ok(None) };
        let header = request.headers().get("authorization");
        let renewed = header.and_then(|value| SessionToken::parse(value.to_str().ok()?));
        Ok(Some(SessionToken::issue(name, user, renewed.as_ref(), now)))
    }

    /// Counts a failed authentication of this user, if the address is known.
    async fn refused(&self, user: &str, request: &Request, now: Timestamp) -> ApiError {
        tracing::warn!("request.unauthorized");
        match source_ip(request) {
            Some(address) => self.refuse(user, address, now).await,
            None => ApiError::unauthorized(),
        }
    }

    /// Counts a failed authentication. The answer is 401 too if it cannot be counted.
    async fn refuse(&self, user: &str, address: IpAddr, now: Timestamp) -> ApiError {
        match timeout(COUNT_LIMIT, self.failures.count(user, address, now)).await {
            Ok(Ok(counts)) if counts.are_too_many() => {
                tracing::warn!(
                    of_user = counts.user,
                    of_address = counts.address,
                    "auth.too_many_failures"
                );
                return ApiError::too_many_failures(window(now).1.since(now));
            }
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::error!(%error, "auth_failure.not_counted"),
            Err(_) => tracing::error!(error = "timeout", "auth_failure.not_counted"),
        }
        ApiError::unauthorized()
    }

    /// A key of the installation that no caller with access to some accounts knows, see
    /// [`private_key`].
    pub async fn private_key(&self, now: Timestamp) -> Result<[u8; 32], ApiError> {
        let users = self.users(now).await.map_err(unavailable)?;
        Ok(private_key(users.values().map(|user| &**user)))
    }

    async fn user(
        &self,
        credentials: &BasicCredentials,
        now: Timestamp,
    ) -> Result<Option<Caller>, SettingsError> {
        let users = self.users(now).await?;
        let user = users.get(&format!("{USERS}/{}", credentials.name));
        Ok(user.and_then(|user| credentials.check(user)))
    }

    /// Loads all users at once: a call per name would let callers multiply calls to SSM.
    async fn users(&self, now: Timestamp) -> Result<Arc<Each<User>>, SettingsError> {
        let load = |last| self.read_all(USERS, last, now);
        self.users.get(&self.settings, USERS, now, load).await
    }

    async fn vendors(&self, now: Timestamp) -> Result<Arc<Each<Vendor>>, SettingsError> {
        let load = |last| self.read_all(VENDORS, last, now);
        self.vendors.get(&self.settings, VENDORS, now, load).await
    }

    async fn read_all<T: Clone + DeserializeOwned>(
        &self,
        folder: &str,
        last: Option<Arc<Each<T>>>,
        now: Timestamp,
    ) -> Result<Each<T>, SettingsError> {
        let values = self.settings.read_below(folder, true).await?;
        Ok(read_each(&values, last.as_deref(), now, parse))
    }
}

fn parse<T: DeserializeOwned>(parameter: &str, text: &str) -> Result<T, SettingsError> {
    let reader = &mut serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut *reader).map_err(|error| {
        let problem = format!("{}: has the wrong type or value", error.path());
        SettingsError::invalid(parameter, problem)
    })?;
    reader.end().map_err(|_| SettingsError::invalid(parameter, "text after the JSON value"))?;
    Ok(value)
}

fn unavailable(error: SettingsError) -> ApiError {
    tracing::error!(%error, "settings.unavailable");
    ApiError::unavailable()
}

/// Returns the account that a request works on. Answers 403 for an account outside the caller's
/// tenants, 422 when the caller has several and the request names none. `field` is the name of the
/// account in the request.
pub fn authorize(
    caller: &Caller,
    named: Option<&AccountCode>,
    field: &str,
) -> Result<AccountCode, ApiError> {
    caller.account(named).map_err(|error| match error {
        NoAccount::Inaccessible => ApiError::forbidden(error.to_string()).with_field(field),
        NoAccount::Missing => ApiError::invalid(field, error.to_string()),
    })
}

/// As [`authorize`], for an order id from the path. Answers 404 for a malformed id.
pub fn authorize_order(
    caller: &Caller,
    named: Option<&AccountCode>,
    order: &str,
    field: &str,
) -> Result<OrderKey, ApiError> {
    let account = authorize(caller, named, field)?;
    let order = OrderId::parse(order).map_err(|_| ApiError::not_found("no such order"))?;
    Ok(OrderKey { account, order })
}

/// Reads the query parameter `account_code` or `accountCode`. Answers 422 for both: one of them
/// would have no effect.
pub fn query_account(request: &Request) -> Result<Option<AccountCode>, ApiError> {
    let Some(query) = request.query_string_parameters_ref() else { return Ok(None) };
    let given: Vec<_> = ["account_code", "accountCode"]
        .into_iter()
        .filter_map(|name| Some((name, query.first(name)?)))
        .collect();
    let (name, text) = match given[..] {
        [] => return Ok(None),
        [one] => one,
        _ => return Err(ApiError::invalid("accountCode", "is the same as account_code: give one")),
    };
    AccountCode::parse(text).map(Some).map_err(|error| ApiError::invalid(name, error.to_string()))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn account(parameters: &[(&str, &str)]) -> Result<Option<AccountCode>, ApiError> {
        let query: HashMap<String, String> = parameters
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        query_account(&Request::default().with_query_string_parameters(query))
    }

    #[test]
    fn reads_the_account_under_either_name() {
        assert_eq!(account(&[]), Ok(None));
        for name in ["account_code", "accountCode"] {
            assert_eq!(account(&[(name, "A")]), Ok(AccountCode::parse("A").ok()), "{name}");
        }
    }

    #[test]
    fn rejects_two_accounts() {
        let both = account(&[("account_code", "A"), ("accountCode", "A")]);
        let error = ApiError::invalid("accountCode", "is the same as account_code: give one");
        assert_eq!(both, Err(error));
    }
}

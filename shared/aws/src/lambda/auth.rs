//! Who calls: Basic users and vendors, as the settings know them.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::auth::{BasicCredentials, Caller, NoAccount, User, Vendor, vendor_caller};
use domain::core::id::{AccountCode, OrderId, OrderKey};
use domain::core::timestamp::Timestamp;
use lambda_http::{Request, RequestExt};
use serde::de::DeserializeOwned;

use crate::lambda::http_api::ApiError;
use crate::settings::{Cached, Settings, SettingsError, read_each};

const USERS: &str = "users";
const VENDORS: &str = "vendors";

/// The users and vendors of the settings.
pub struct Callers {
    settings: Settings,
    users: Cached<BTreeMap<String, User>>,
    vendors: Cached<BTreeMap<String, Vendor>>,
}

impl Callers {
    /// Those of these settings.
    pub fn new(settings: Settings) -> Self {
        Self { settings, users: Cached::default(), vendors: Cached::default() }
    }

    /// Who sent a request: the vendor whose secret it carries, else its Basic user.
    ///
    /// # Errors
    /// 401 without good credentials; 503 while the settings cannot be read.
    pub async fn authenticate(
        &self,
        request: &Request,
        now: Timestamp,
    ) -> Result<Caller, ApiError> {
        let header = |name: &str| {
            request.headers().get(name).map(|value| value.to_str().unwrap_or_default())
        };
        let found = match (header("x-vendor-server-secret"), header("authorization")) {
            (Some(secret), _) => {
                vendor_caller(secret, self.vendors(now).await.map_err(unavailable)?.values())
            }
            (None, Some(basic)) => self.user(basic, now).await.map_err(unavailable)?,
            (None, None) => None,
        };
        found.ok_or_else(|| {
            tracing::warn!("request.unauthorized");
            ApiError::unauthorized()
        })
    }

    async fn user(&self, header: &str, now: Timestamp) -> Result<Option<Caller>, SettingsError> {
        let Some(credentials) = BasicCredentials::parse(header) else { return Ok(None) };
        // All at once: names are the caller's to choose, and must not cost a call each.
        let load = |last| self.read_all(USERS, last);
        let users = self.users.get(&self.settings, USERS, now, load).await?;
        let user = users.get(&format!("{USERS}/{}", credentials.name));
        Ok(user.and_then(|user| credentials.check(user)))
    }

    async fn vendors(
        &self,
        now: Timestamp,
    ) -> Result<Arc<BTreeMap<String, Vendor>>, SettingsError> {
        let load = |last| self.read_all(VENDORS, last);
        self.vendors.get(&self.settings, VENDORS, now, load).await
    }

    async fn read_all<T: Clone + DeserializeOwned>(
        &self,
        folder: &str,
        last: Option<Arc<BTreeMap<String, T>>>,
    ) -> Result<BTreeMap<String, T>, SettingsError> {
        let values = self.settings.read_below(folder, true).await?;
        Ok(read_each(&values, last.as_deref(), parse))
    }
}

fn parse<T: DeserializeOwned>(parameter: &str, text: &str) -> Result<T, SettingsError> {
    let reader = &mut serde_json::Deserializer::from_str(text);
    let wrong = |field: String| {
        SettingsError::invalid(parameter, format!("{field}: has the wrong type or value"))
    };
    let value = serde_path_to_error::deserialize(&mut *reader)
        .map_err(|error| wrong(error.path().to_string()))?;
    reader.end().map_err(|_| wrong("the end".to_owned()))?;
    Ok(value)
}

fn unavailable(error: SettingsError) -> ApiError {
    tracing::error!(%error, "settings.unavailable");
    ApiError::unavailable()
}

/// The account that a caller works on; `field` is what the request calls it.
///
/// # Errors
/// 403 if it is not theirs, 422 if they have several and named none.
pub fn account_of(
    caller: &Caller,
    named: Option<&AccountCode>,
    field: &str,
) -> Result<AccountCode, ApiError> {
    caller.account(named).map_err(|error| match error {
        NoAccount::Inaccessible => ApiError::forbidden(error.to_string()).about(field),
        NoAccount::Missing => ApiError::invalid(field, error.to_string()),
    })
}

/// The order that a path names, in the account that the caller works on.
///
/// # Errors
/// Those of [`account_of`]; 404 for what can be no order's id.
pub fn order_key(
    caller: &Caller,
    named: Option<&AccountCode>,
    order: &str,
    field: &str,
) -> Result<OrderKey, ApiError> {
    let account = account_of(caller, named, field)?;
    let order = OrderId::parse(order).map_err(|_| ApiError::not_found("no such order"))?;
    Ok(OrderKey { account, order })
}

/// The account that the query names, in either spelling.
///
/// # Errors
/// 422 for what can be no account.
pub fn query_account(request: &Request) -> Result<Option<AccountCode>, ApiError> {
    let Some(query) = request.query_string_parameters_ref() else { return Ok(None) };
    let either = ["account_code", "accountCode"]
        .into_iter()
        .find_map(|name| Some((name, query.first(name)?)));
    let Some((name, text)) = either else { return Ok(None) };
    AccountCode::parse(text).map(Some).map_err(|error| ApiError::invalid(name, error.to_string()))
}

//! `GET /api/endpoints`, `POST /api/endpoints/{name}/enable` and `…/pause`: the endpoints that the
//! caller may see, with their health.
//!
//! A caller sees an endpoint if it has access to all accounts that the endpoint is told about. Phone
//! numbers that send messages are shown like endpoints.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws::endpoints::EndpointSet;
use aws::error::IoError;
use aws::lambda::http_api::{ApiError, json, page_request};
use aws::settings::SettingsError;
use aws::tables::audit::AuditAction;
use aws::tables::endpoint_health::{HealthReason, HealthRow};
use domain::auth::{Accounts, Caller};
use domain::core::id::{AccountCode, EndpointName};
use domain::core::timestamp::Timestamp;
use domain::messaging::send::endpoint_of_number;
use domain::pagination::{Page, cursor};
use domain::webhooks::kind::Kind;
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use sources::whatsapp::Numbers;

use crate::Ops;
use crate::audit::Act;

#[derive(Debug, Serialize)]
struct EndpointView<'a> {
    name: &'a str,
    /// Null, as `enabled`, if the settings cannot be used.
    format: Option<&'static str>,
    enabled: Option<bool>,
    accounts: &'a Accounts,
    state: &'static str,
    /// Why it is paused or disabled.
    reason: Option<&'a str>,
    /// WhatsApp's, of a phone number that it refuses.
    error_code: Option<&'a str>,
    since: Option<Timestamp>,
    next_probe_at: Option<Timestamp>,
    failures: u32,
    slow: bool,
}

/// An endpoint of the settings, or a phone number that sends messages.
pub(crate) struct Known<'a> {
    pub(crate) name: &'a str,
    pub(crate) accounts: &'a Accounts,
    /// `None`, as `is_enabled`, if the settings cannot be used.
    format: Option<&'static str>,
    is_enabled: Option<bool>,
}

/// Everything that deliveries go to.
pub(crate) struct Receivers {
    endpoints: Arc<EndpointSet>,
    /// Each has the account that owns it.
    numbers: Vec<(EndpointName, Accounts)>,
}

impl<'a> Known<'a> {
    fn view(&self, row: Option<&'a HealthRow>) -> EndpointView<'a>
    where
        Self: 'a,
    {
        let health = row.map(|row| row.health).unwrap_or_default();
        EndpointView {
            name: self.name,
            format: self.format,
            enabled: self.is_enabled,
            accounts: self.accounts,
            state: health.state.as_str(),
            reason: row.and_then(|row| row.reason.as_deref()),
            error_code: row.and_then(|row| row.error_code.as_deref()),
            since: health.since,
            next_probe_at: health.probe_at,
            failures: health.failures,
            slow: health.is_slow,
        }
    }
}

/// What an admin does to an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EndpointAction {
    /// Sends deliveries again, those that were parked too.
    Enable,
    /// Parks deliveries until the endpoint is enabled.
    Pause,
}

impl EndpointAction {
    fn in_audit(self) -> AuditAction {
        match self {
            Self::Enable => AuditAction::EnableEndpoint,
            Self::Pause => AuditAction::PauseEndpoint,
        }
    }
}

impl Ops {
    pub(crate) async fn list_endpoints(
        &self,
        request: &Request,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<Response<Body>, ApiError> {
        let page = page_request(request)?;
        let receivers = self.receivers(now).await?;
        let rows = self.health_rows().await?;
        let known = receivers.known().filter(|it| caller.can_see_all(it.accounts));
        let all: BTreeMap<&str, Known<'_>> = known.map(|it| (it.name, it)).collect();
        let after = page.after.as_deref().unwrap_or_default();
        let mut rest = all.range(after..).filter(|(name, _)| **name != after).map(|(_, it)| it);
        let items: Vec<_> =
            rest.by_ref().take(page.limit).map(|it| it.view(rows.get(it.name))).collect();
        let next_page = rest.next().and(items.last()).map(|last| cursor(last.name));
        Ok(json(200, &Page { items, next_page }))
    }

    /// Has no effect if the endpoint is in that state: a request can be repeated.
    pub(crate) async fn change_endpoint(
        &self,
        action: EndpointAction,
        name: &str,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<Response<Body>, ApiError> {
        let unknown = || ApiError::not_found("no such endpoint");
        let receivers = self.receivers(now).await?;
        let endpoint = receivers
            .known()
            .find(|it| it.name == name && caller.can_see_all(it.accounts))
            .ok_or_else(unknown)?;
        let name = EndpointName::parse(endpoint.name).map_err(|_| unknown())?;
        let act = Act::new(action.in_audit(), name.as_str(), endpoint.accounts.clone());
        self.record(caller, act, now).await?;
        let health = &self.tables.endpoint_health;
        let is_changed = match action {
            EndpointAction::Enable => health.enable(&name, now).await?,
            EndpointAction::Pause => health.pause(&name, HealthReason::PausedByAdmin, now).await?,
        };
        if is_changed {
            tracing::warn!(endpoint = %name, ?action, "endpoint.changed_by_admin");
        }
        Ok(json(200, &endpoint.view(self.health_rows().await?.get(name.as_str()))))
    }

    pub(crate) async fn receivers(&self, now: Timestamp) -> Result<Receivers, ApiError> {
        let endpoints = self.endpoints.all(now).await.map_err(IoError::from)?;
        // Endpoints are listed also while the settings of WhatsApp cannot be used.
        let numbers = match self.numbers.get(now).await {
            Ok(numbers) => numbers.as_ref().as_ref().map(numbers_of).unwrap_or_default(),
            Err(SettingsError::Io(error)) => return Err(error.into()),
            Err(SettingsError::Missing { .. } | SettingsError::Invalid { .. }) => Vec::new(),
        };
        Ok(Receivers { endpoints, numbers })
    }

    /// By endpoint. Rows that cannot be read are logged.
    async fn health_rows(&self) -> Result<BTreeMap<String, HealthRow>, ApiError> {
        let mut rows = BTreeMap::new();
        for row in self.tables.endpoint_health.list().await? {
            match row {
                Ok(row) => drop(rows.insert(row.endpoint.as_str().to_owned(), row)),
                Err(error) => tracing::error!(%error, "endpoint.health_unknown"),
            }
        }
        Ok(rows)
    }
}

impl Receivers {
    pub(crate) fn known(&self) -> impl Iterator<Item = Known<'_>> {
        let usable = self.endpoints.usable().map(|endpoint| Known {
            name: endpoint.name.as_str(),
            accounts: &endpoint.settings.accounts,
            format: Some(endpoint.settings.format.as_str()),
            is_enabled: Some(endpoint.settings.enabled),
        });
        let invalid = self.endpoints.invalid.iter().map(|endpoint| Known {
            name: endpoint.name(),
            accounts: &endpoint.accounts,
            format: None,
            is_enabled: None,
        });
        let numbers = self.numbers.iter().map(|(name, accounts)| Known {
            name: name.as_str(),
            accounts,
            format: Some(Kind::WhatsApp.format()),
            is_enabled: Some(true),
        });
        usable.chain(invalid).chain(numbers)
    }
}

fn numbers_of(numbers: &Numbers) -> Vec<(EndpointName, Accounts)> {
    let own = |(number, account): (&str, &AccountCode)| {
        let accounts = Accounts::Only([account.clone()].into());
        Some((endpoint_of_number(number)?, accounts))
    };
    numbers.iter().filter_map(own).collect()
}

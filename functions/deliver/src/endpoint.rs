//! An endpoint as its sender needs it: with its address and its secrets.

use std::sync::Arc;

use aws::settings::{Cached, Settings, SettingsError, Values};
use domain::core::id::EndpointName;
use domain::core::timestamp::Timestamp;
use domain::webhooks::endpoint;
use domain::webhooks::retry::DeadReason;
use domain::webhooks::signing::SigningKeys;
use egress::LOOPBACK;
use egress::policy::{Refused, Target};

/// Where a delivery goes.
pub(crate) struct ResolvedEndpoint {
    /// Its address, if that is one that may be posted to.
    pub(crate) target: Result<Target, Refused>,
    /// What signs for it.
    pub(crate) keys: SigningKeys,
    /// What `x-vendor-server-secret` carries.
    pub(crate) legacy_secret: Option<String>,
    /// The rest.
    pub(crate) settings: endpoint::Settings,
}

/// Why nothing can be sent to an endpoint at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unavailable {
    /// There is no such endpoint any more.
    Removed,
    /// It is switched off.
    Disabled,
}

impl Unavailable {
    pub(crate) fn reason(self) -> DeadReason {
        match self {
            Self::Removed => DeadReason::EndpointRemoved,
            Self::Disabled => DeadReason::EndpointDisabled,
        }
    }
}

/// The endpoints that deliveries were for, kept in memory for a while.
pub(crate) struct EndpointResolver {
    settings: Settings,
    cached: Cached<Result<ResolvedEndpoint, Unavailable>>,
}

impl EndpointResolver {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings, cached: Cached::default() }
    }

    pub(crate) async fn get(
        &self,
        name: &EndpointName,
        now: Timestamp,
    ) -> Result<Arc<Result<ResolvedEndpoint, Unavailable>>, SettingsError> {
        let known =
            self.cached.get(&self.settings, name.as_str(), now, |_last| self.load(name)).await?;
        if known.is_ok() {
            return Ok(known);
        }
        // That it was gone a while ago is no reason to give a delivery up now.
        self.load(name).await.map(Arc::new)
    }

    async fn load(
        &self,
        name: &EndpointName,
    ) -> Result<Result<ResolvedEndpoint, Unavailable>, SettingsError> {
        let names = ["url", "secret", "legacy_secret", "settings"]
            .map(|part| format!("endpoints/{name}/{part}"));
        read(&names, &self.settings.read(&names).await?)
    }
}

fn read(
    [url, secret, legacy_secret, settings]: &[String; 4],
    values: &Values,
) -> Result<Result<ResolvedEndpoint, Unavailable>, SettingsError> {
    let Some(address) = values.get(url) else { return Ok(Err(Unavailable::Removed)) };
    let text = values.get(settings).map_or("{}", String::as_str);
    let parsed =
        endpoint::Settings::parse(text).map_err(|error| SettingsError::invalid(settings, error))?;
    if !parsed.enabled {
        return Ok(Err(Unavailable::Disabled));
    }
    let key = values.get(secret).map_or("", String::as_str);
    let keys = SigningKeys::parse(key).map_err(|error| SettingsError::invalid(secret, error))?;
    Ok(Ok(ResolvedEndpoint {
        target: Target::parse(address, LOOPBACK),
        keys,
        legacy_secret: values.get(legacy_secret).cloned(),
        settings: parsed,
    }))
}

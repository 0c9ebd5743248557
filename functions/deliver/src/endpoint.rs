//! Resolves an endpoint's name to its address, signing keys and settings.

use std::sync::Arc;
use std::time::Duration;

use aws::endpoint_parameters::EndpointParameters;
use aws::error::IoError;
use aws::settings::{Cached, Settings, SettingsError};
use domain::core::id::EndpointName;
use domain::core::timestamp::Timestamp;
use domain::webhooks::endpoint::{self, MAX_TIMEOUT};
use domain::webhooks::retry::DeadReason;
use domain::webhooks::signing::SigningKeys;
use egress::LOOPBACK;
use egress::policy::{Refused, Target};

pub(crate) struct ResolvedEndpoint {
    /// Refused where the SSRF policy forbids the address.
    pub(crate) target: Result<Target, Refused>,
    pub(crate) keys: SigningKeys,
    /// The value of `x-vendor-server-secret`.
    pub(crate) legacy_secret: Option<String>,
    pub(crate) settings: endpoint::Settings,
}

pub(crate) enum Resolution {
    Ready(Box<ResolvedEndpoint>),
    Unavailable(Unavailable),
    /// Its settings or its secret are invalid until an operator corrects them.
    Unusable,
}

impl Resolution {
    /// The timeout of one attempt.
    pub(crate) fn timeout(&self) -> Duration {
        match self {
            Self::Ready(endpoint) => endpoint.settings.timeout,
            Self::Unavailable(_) | Self::Unusable => MAX_TIMEOUT,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unavailable {
    Removed,
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

/// Caches resolved endpoints in memory.
pub(crate) struct EndpointResolver {
    settings: Settings,
    cached: Cached<Resolution>,
}

impl EndpointResolver {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings, cached: Cached::default() }
    }

    pub(crate) async fn resolve(
        &self,
        name: &EndpointName,
        now: Timestamp,
    ) -> Result<Arc<Resolution>, IoError> {
        // The absence of an endpoint is cached like its presence: a delivery costs no call to SSM.
        match self.cached.get(&self.settings, name.as_str(), now, |_last| self.load(name)).await {
            Ok(resolution) => Ok(resolution),
            Err(SettingsError::Missing { .. } | SettingsError::Invalid { .. }) => {
                Ok(Arc::new(Resolution::Unusable))
            }
            Err(SettingsError::Io(error)) => Err(error),
        }
    }

    async fn load(&self, name: &EndpointName) -> Result<Resolution, SettingsError> {
        let Some(parameters) = EndpointParameters::read(&self.settings, name).await? else {
            return Ok(Resolution::Unavailable(Unavailable::Removed));
        };
        let settings = parameters.settings()?;
        if !settings.enabled {
            return Ok(Resolution::Unavailable(Unavailable::Disabled));
        }
        Ok(Resolution::Ready(Box::new(ResolvedEndpoint {
            target: Target::parse(&parameters.url, LOOPBACK),
            keys: parameters.keys()?,
            legacy_secret: parameters.legacy_secret,
            settings,
        })))
    }
}

//! The setting `realtime/pusher`.

use std::sync::Arc;

use domain::core::timestamp::Timestamp;
use domain::live::pusher::PusherSetting;

use crate::settings::{CachedSetting, Settings, SettingsError};

const PARAMETER: &str = "realtime/pusher";

/// The app that events are published to.
pub struct PusherApp(CachedSetting<PusherSetting>);

impl PusherApp {
    pub fn new(settings: Settings) -> Self {
        Self(CachedSetting::secret(settings, PARAMETER, PusherSetting::parse))
    }

    /// `None` in a stage without Pusher.
    pub async fn get(&self, now: Timestamp) -> Result<Arc<Option<PusherSetting>>, SettingsError> {
        self.0.get(now).await
    }
}

/// Whether there is an app, for a function that may not decrypt its secret.
pub struct PusherPresence(CachedSetting<()>);

impl PusherPresence {
    pub fn new(settings: Settings) -> Self {
        let parse = |_: &str| Ok::<(), &str>(());
        Self(CachedSetting::new(settings, PARAMETER, parse))
    }

    pub async fn is_there(&self, now: Timestamp) -> Result<bool, SettingsError> {
        Ok(self.0.get(now).await?.is_some())
    }
}

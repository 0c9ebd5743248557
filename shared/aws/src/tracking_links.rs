//! The setting `tracking`, by which orders have links to their pages.

use std::sync::Arc;

use domain::core::timestamp::Timestamp;
use domain::page::TrackingLinks;

use crate::error::IoError;
use crate::settings::{CachedSetting, Settings, SettingsError};

const PARAMETER: &str = "tracking";

/// The links of orders, from the setting. It is decrypted: it has the keys of their tokens.
pub struct OrderLinks(CachedSetting<TrackingLinks>);

impl OrderLinks {
    pub fn new(settings: Settings) -> Self {
        let parse = |text: &str| TrackingLinks::parse(text).map_err(|error| error.to_string());
        Self(CachedSetting::secret(settings, PARAMETER, parse))
    }

    /// Why the setting cannot be used.
    pub async fn problem(&self, now: Timestamp) -> Option<SettingsError> {
        self.0.get(now).await.err()
    }

    /// `None` without the setting, and while it is invalid: an order is told without its link then.
    pub async fn get(&self, now: Timestamp) -> Result<Arc<Option<TrackingLinks>>, IoError> {
        match self.0.get(now).await {
            Ok(links) => Ok(links),
            Err(SettingsError::Io(error)) => Err(error),
            // Logged and counted where it was read.
            Err(SettingsError::Missing { .. } | SettingsError::Invalid { .. }) => {
                Ok(Arc::new(None))
            }
        }
    }
}

//! The settings of tracking pages.

use std::sync::Arc;

use aws::error::IoError;
use aws::settings::{Cached, Settings, SettingsError};
use aws::tracking_links::OrderLinks;
use domain::core::id::AccountCode;
use domain::core::timestamp::Timestamp;
use domain::page::{ShopPage, TrackingLinks};

use crate::Failure;
use crate::languages::CODES;

pub(crate) struct PageSettings {
    links: OrderLinks,
    settings: Settings,
    shops: Cached<ShopPage>,
}

impl From<IoError> for Failure {
    fn from(error: IoError) -> Self {
        tracing::warn!(%error, "page.unavailable");
        Self::Unavailable
    }
}

impl From<SettingsError> for Failure {
    fn from(error: SettingsError) -> Self {
        IoError::from(error).into()
    }
}

impl PageSettings {
    pub(crate) fn new(settings: Settings) -> Self {
        let links = OrderLinks::new(settings.clone());
        Self { links, settings, shops: Cached::default() }
    }

    /// `None` without tracking pages.
    pub(crate) async fn links(
        &self,
        now: Timestamp,
    ) -> Result<Arc<Option<TrackingLinks>>, IoError> {
        self.links.get(now).await
    }

    /// Ask for accounts of valid links only: a stranger's would fill the cache. A page whose shop's
    /// setting is invalid has no shop's name.
    pub(crate) async fn shop(
        &self,
        account: &AccountCode,
        now: Timestamp,
    ) -> Result<ShopPage, SettingsError> {
        let name = format!("accounts/{account}/page");
        if !is_parameter_name(&name) {
            return Ok(ShopPage::default());
        }
        let load = |_| async {
            let values = self.settings.read_encrypted(std::slice::from_ref(&name)).await?;
            let Some(text) = values.get(&name) else { return Ok(ShopPage::default()) };
            ShopPage::parse(text, &CODES).map_err(|error| SettingsError::invalid(&name, error))
        };
        match self.shops.get(&self.settings, &name, now, load).await {
            Ok(shop) => Ok((*shop).clone()),
            Err(SettingsError::Io(error)) => Err(error.into()),
            // Logged and counted where it was read.
            Err(SettingsError::Missing { .. } | SettingsError::Invalid { .. }) => {
                Ok(ShopPage::default())
            }
        }
    }
}

/// SSM refuses other names with an error that looks like a mistake of ours.
fn is_parameter_name(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_accounts_cannot_have_a_setting() {
        assert!(is_parameter_name("accounts/STORE-1.a_b/page"));
        assert!(
            !is_parameter_name("accounts/दुकान/page") && !is_parameter_name("accounts/a b/page")
        );
    }
}

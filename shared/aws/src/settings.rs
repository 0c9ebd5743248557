//! Settings from SSM's parameter store, kept in memory for a while.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_ssm::Client;
use domain::core::timestamp::Timestamp;
use tokio::sync::Mutex;

use crate::env::{BadEnvironment, variable};
use crate::error::IoError;

/// GetParameters takes ten names.
const MAX_NAMES: usize = 10;

/// Parameters by the part of their path after the prefix.
pub type Values = BTreeMap<String, String>;

/// The parameters below `/waypost/{stage}/`.
#[derive(Debug, Clone)]
pub struct Settings {
    client: Client,
    prefix: String,
    ttl: Duration,
}

/// Why a setting is not to be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// SSM cannot be asked.
    #[error(transparent)]
    Io(#[from] IoError),
    /// The value cannot be used.
    #[error("setting {parameter} is wrong: {problem}")]
    Invalid {
        /// Its path after the prefix.
        parameter: String,
        /// What is wrong with it; never its content.
        problem: String,
    },
}

impl SettingsError {
    /// A value that cannot be used.
    pub fn invalid(parameter: impl Into<String>, problem: impl std::fmt::Display) -> Self {
        Self::Invalid { parameter: parameter.into(), problem: problem.to_string() }
    }
}

impl From<SettingsError> for IoError {
    /// Whoever waits for a setting waits until somebody has put it right.
    fn from(error: SettingsError) -> Self {
        match error {
            SettingsError::Io(error) => error,
            SettingsError::Invalid { parameter, .. } => Self::InvalidSetting { parameter },
        }
    }
}

impl Settings {
    /// Reads `SETTINGS_PREFIX` and `CONFIG_TTL_SECONDS`. The time in memory is stretched by up to a tenth, so that
    /// functions that started together do not ask SSM together.
    ///
    /// # Errors
    /// A variable is missing or wrong.
    pub fn from_environment(client: Client) -> Result<Self, BadEnvironment> {
        let ttl: u64 = variable("CONFIG_TTL_SECONDS")?
            .parse()
            .map_err(|_| BadEnvironment("CONFIG_TTL_SECONDS"))?;
        let drawn = crate::clock::now().millis().unsigned_abs() % 100;
        Ok(Self::new(
            client,
            variable("SETTINGS_PREFIX")?,
            Duration::from_millis(ttl * (1000 + drawn)),
        ))
    }

    /// The parameters below `prefix`, each kept in memory for `ttl`.
    pub fn new(client: Client, prefix: String, ttl: Duration) -> Self {
        Self { client, prefix, ttl }
    }

    /// The named parameters, decrypted. Those that do not exist are absent.
    ///
    /// # Errors
    /// SSM cannot be asked.
    pub async fn read(&self, names: &[String]) -> Result<Values, IoError> {
        self.get(names, true).await
    }

    /// As [`Settings::read`], but secrets come as ciphertext.
    ///
    /// # Errors
    /// SSM cannot be asked.
    pub async fn read_encrypted(&self, names: &[String]) -> Result<Values, IoError> {
        self.get(names, false).await
    }

    async fn get(&self, names: &[String], decrypted: bool) -> Result<Values, IoError> {
        let mut values = Values::new();
        for some in names.chunks(MAX_NAMES) {
            let paths = some.iter().map(|name| format!("{}/{name}", self.prefix)).collect();
            let request =
                self.client.get_parameters().set_names(Some(paths)).with_decryption(decrypted);
            let answer =
                request.send().await.map_err(|error| IoError::of("ssm:GetParameters", &error))?;
            values
                .extend(answer.parameters().iter().filter_map(|p| self.pair(p.name(), p.value())));
        }
        Ok(values)
    }

    /// All parameters below a folder. Without `decrypted`, secrets come as ciphertext.
    ///
    /// # Errors
    /// SSM cannot be asked.
    pub async fn read_below(&self, folder: &str, decrypted: bool) -> Result<Values, IoError> {
        let path = format!("{}/{folder}", self.prefix);
        let request = self
            .client
            .get_parameters_by_path()
            .path(path)
            .recursive(true)
            .with_decryption(decrypted);
        let mut pages = request.into_paginator().send();
        let mut values = Values::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| IoError::of("ssm:GetParametersByPath", &error))?;
            values.extend(page.parameters().iter().filter_map(|p| self.pair(p.name(), p.value())));
        }
        Ok(values)
    }

    fn pair(&self, name: Option<&str>, value: Option<&str>) -> Option<(String, String)> {
        let name = name?.strip_prefix(self.prefix.as_str())?.strip_prefix('/')?;
        Some((name.to_owned(), value?.to_owned()))
    }
}

/// Reads each of several settings on its own. One that is wrong keeps its last good value, or is left out; it hurts
/// no other.
pub fn read_each<'a, T: Clone>(
    values: impl IntoIterator<Item = (&'a String, &'a String)>,
    last: Option<&BTreeMap<String, T>>,
    read: impl Fn(&str, &str) -> Result<T, SettingsError>,
) -> BTreeMap<String, T> {
    let each = values.into_iter().filter_map(|(parameter, text)| {
        let value = read(parameter, text).or_else(|error| {
            tracing::error!(%error, "settings.wrong");
            last.and_then(|last| last.get(parameter)).cloned().ok_or(error)
        });
        Some((parameter.clone(), value.ok()?))
    });
    each.collect()
}

/// So long nobody asks again after a failure: side by side records would each wait for it in turn.
const FAILURE_TTL: Duration = Duration::from_secs(5);

struct Slot<T> {
    /// The last good value, or why there never was one.
    last: Result<Arc<T>, SettingsError>,
    fresh_until: Timestamp,
}

/// Values made from settings. While SSM cannot be asked, or after a value went wrong, the last good one stays in force.
pub struct Cached<T> {
    slots: Mutex<HashMap<String, Slot<T>>>,
}

impl<T> Default for Cached<T> {
    fn default() -> Self {
        Self { slots: Mutex::default() }
    }
}

impl<T> Cached<T> {
    /// The value of that name, made by `load` if none is fresh. `load` gets the last good value.
    ///
    /// # Errors
    /// Those of `load`, where there is no last good value.
    pub async fn get<F, L>(
        &self,
        settings: &Settings,
        name: &str,
        now: Timestamp,
        load: L,
    ) -> Result<Arc<T>, SettingsError>
    where
        F: Future<Output = Result<T, SettingsError>>,
        L: FnOnce(Option<Arc<T>>) -> F,
    {
        // Held while loading, so that side by side records ask SSM once.
        let mut slots = self.slots.lock().await;
        let slot = slots.get(name);
        if let Some(slot) = slot.filter(|slot| now < slot.fresh_until) {
            return slot.last.clone();
        }
        let good = slot.and_then(|slot| slot.last.as_ref().ok());
        let (last, ttl) = match (load(good.cloned()).await, good) {
            (Ok(value), _) => (Ok(Arc::new(value)), settings.ttl),
            (Err(error), Some(good)) => {
                tracing::error!(%error, "settings.last_good_in_force");
                (Ok(Arc::clone(good)), settings.ttl)
            }
            (Err(error), None) => {
                if !matches!(error, SettingsError::Io(_)) {
                    tracing::error!(%error, "settings.wrong");
                }
                (Err(error), FAILURE_TTL.min(settings.ttl))
            }
        };
        slots.insert(name.to_owned(), Slot { last: last.clone(), fresh_until: now.after(ttl) });
        last
    }
}

#[cfg(test)]
mod tests;

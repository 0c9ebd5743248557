//! Settings that change while the system runs: endpoints come and go, secrets are rotated, a value
//! is wrong for a while, or no setting can be read.

use std::time::Duration;

use doubles::ssm::Kind;
use sha2::{Digest, Sha256};
use tokio::time::sleep;

use super::Actors;
use super::parcels::ORDERS;
use super::request::vendor;
use crate::call::Service;
use crate::clock;
use crate::setup::endpoints::{Endpoint, Standing, url, whsec};
use crate::setup::{ACCOUNTS, Patience, vendor as vendor_setting};
use crate::world::State;

/// Settings change within so many seconds.
const SPAN: u64 = 120;
/// Milliseconds for which no setting can be read, at most.
const UNREAD_MS: u64 = 60_000;

/// Settings that cannot be used. Of the first, nobody can tell which accounts they are for.
const BROKEN: [&str; 3] = ["{", r#"{"accounts":7}"#, r#"{"accounts":["*"],"format":"fax"}"#];

impl Actors {
    /// Changes a few settings if they change in this run.
    pub(super) async fn change_settings(&self) {
        let chance = self.world.lock().faults.settings;
        if !self.world.lock().strikes("settings", chance) {
            return;
        }
        let changes = self.world.lock().random.usize(1..=2);
        for _ in 0..changes {
            self.wait_up_to(SPAN).await;
            let change = self.world.lock().random.u8(..8);
            match change {
                0 => self.without_settings().await,
                1 => self.rotate_caller().await,
                2 => self.replace_caller().await,
                3 => self.rotate_endpoint().await,
                change => self.change_endpoint(change).await,
            }
        }
    }

    async fn change_endpoint(&self, change: u8) {
        let endpoint = {
            let state = &mut *self.world.lock();
            state.endpoints.any_changeable(&mut state.random)
        };
        let Some(endpoint) = endpoint else { return };
        match change {
            4 => self.world.lock().disable(endpoint),
            5 => self.world.lock().remove(endpoint),
            6 => self.world.lock().break_settings(endpoint),
            _ => self.world.lock().break_secret(endpoint),
        }
        self.world.pause(SPAN * 1000).await;
        self.world.lock().mend(endpoint);
    }

    /// No setting can be read. What was read before stays in force.
    async fn without_settings(&self) {
        let ms = {
            let mut state = self.world.lock();
            let ms = state.random.u64(1000..UNREAD_MS);
            state.endpoints.unread_ms += ms;
            state.away = Some(Service::Ssm);
            ms
        };
        sleep(Duration::from_millis(ms)).await;
        self.world.lock().away = None;
    }

    async fn until_in_force(&self) {
        let ms = self.world.lock().endpoints.in_force_ms();
        sleep(Duration::from_millis(ms)).await;
    }

    /// As operations.md says: a new secret beside the old one, then the new one alone. Its server
    /// sees no request that it cannot verify.
    async fn rotate_endpoint(&self) {
        let (name, old, new) = {
            let state = &mut *self.world.lock();
            let all: Vec<_> = state.endpoints.all().map(|it| it.name).collect();
            let name = all[state.random.usize(..all.len())];
            let old = state.endpoints.key(name).to_vec();
            (name, old.clone(), Sha256::digest(&old).to_vec())
        };
        let secret = format!("endpoints/{name}/secret");
        let both = format!("{} {}", whsec(&new), whsec(&old));
        self.world.lock().put_setting(&secret, Kind::SecureString, &both);
        self.until_in_force().await;
        self.world.lock().endpoints.verify_with(name, new.clone());
        self.world.pause(10_000).await;
        self.world.lock().put_setting(&secret, Kind::SecureString, &whsec(&new));
    }

    /// A further secret for the same account, then the old one is removed.
    async fn rotate_caller(&self) {
        let (account, old, new) = self.world.lock().any_caller();
        let further = format!("vendors/{account}-{}", new.len());
        let setting = vendor_setting(account, &new);
        self.world.lock().put_setting(&further, Kind::SecureString, &setting);
        self.until_in_force().await;
        self.world.lock().vendors.insert(account, vec![new.clone()]);
        self.until_in_force().await;
        self.world.lock().put_setting(&format!("vendors/{account}"), Kind::SecureString, &setting);
        self.world.lock().remove_setting(&further);
        self.check_old_secret(account, &old).await;
    }

    /// A new secret in place of the old one: for a while some requests are refused with either.
    async fn replace_caller(&self) {
        let (account, old, new) = self.world.lock().any_caller();
        let setting = vendor_setting(account, &new);
        self.world.lock().put_setting(&format!("vendors/{account}"), Kind::SecureString, &setting);
        self.world.lock().vendors.insert(account, vec![old.clone(), new.clone()]);
        self.until_in_force().await;
        self.world.lock().vendors.insert(account, vec![new]);
        self.check_old_secret(account, &old).await;
    }

    async fn check_old_secret(&self, account: &'static str, old: &str) {
        self.until_in_force().await;
        let mut request = vendor(account, "GET", ORDERS, &serde_json::Value::Null);
        request.headers.insert("x-vendor-server-secret".to_owned(), old.to_owned());
        let since = clock::now_ms();
        let answer = self.lambda.request(&request).await;
        // A sandbox that cannot read the settings goes on with the last ones.
        let is_struck = self.world.lock().sandboxes.iter().any(|it| it.was_struck_since(since));
        if answer.is_some_and(|answer| answer.is_success()) && !is_struck {
            let text = format!("the secret that {account} had before is accepted");
            self.world.lock().ledger.violation(text);
        }
    }
}

impl State {
    /// An account, the secret of its shop, and the next one.
    fn any_caller(&mut self) -> (&'static str, String, String) {
        let account = ACCOUNTS[self.random.usize(..ACCOUNTS.len())];
        let old = self.vendors.get(account).and_then(|secrets| secrets.last()).cloned();
        let old = old.unwrap_or_default();
        let new = format!("{old}-");
        (account, old, new)
    }

    fn put_endpoint(&mut self, endpoint: &Endpoint, field: &str, value: &str) {
        let kind = if field == "secret" { Kind::SecureString } else { Kind::String };
        self.put_setting(&format!("endpoints/{}/{field}", endpoint.name), kind, value);
    }

    fn stands(&mut self, endpoint: &'static Endpoint, standing: Standing) {
        let now = self.now();
        self.endpoints.change(endpoint.name, standing, now);
    }

    fn disable(&mut self, endpoint: &'static Endpoint) {
        let mut settings = endpoint.settings(Patience::Short);
        settings["enabled"] = false.into();
        self.put_endpoint(endpoint, "settings", &settings.to_string());
        // Deliveries are still made, and end as dead letters.
        self.stands(endpoint, Standing::On);
    }

    fn remove(&mut self, endpoint: &'static Endpoint) {
        for field in ["url", "secret", "settings"] {
            self.remove_setting(&format!("endpoints/{}/{field}", endpoint.name));
        }
        self.stands(endpoint, Standing::Off);
    }

    fn break_settings(&mut self, endpoint: &'static Endpoint) {
        let broken = BROKEN[self.random.usize(..BROKEN.len())];
        self.put_endpoint(endpoint, "settings", broken);
        self.stands(endpoint, Standing::Broken);
    }

    fn break_secret(&mut self, endpoint: &'static Endpoint) {
        self.put_endpoint(endpoint, "secret", "canary-not-a-secret");
    }

    fn mend(&mut self, endpoint: &'static Endpoint) {
        let secret = whsec(self.endpoints.key(endpoint.name));
        self.put_endpoint(endpoint, "secret", &secret);
        let settings = endpoint.settings(Patience::Short).to_string();
        self.put_endpoint(endpoint, "settings", &settings);
        self.put_endpoint(endpoint, "url", &url(endpoint.name));
        self.stands(endpoint, Standing::On);
    }
}

//! Endpoints: what they ask for, and how their settings change during a run.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use fastrand::Rng;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Patience;

/// The waits of the endpoints between their attempts, but for long scenarios. The last one takes
/// place in the row, the others in flight.
pub(crate) const BACKOFF_SECONDS: [u64; 5] = [1, 2, 5, 10, 65];

/// A changed setting is in force everywhere after so long: a sandbox reads it every 22 seconds, and
/// keeps the last value if it cannot.
const IN_FORCE_MS: u64 = 150_000;

/// An endpoint, and what it is told of.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) name: &'static str,
    pub(crate) format: &'static str,
    pub(crate) accounts: &'static [&'static str],
    /// All changes of orders if it is empty.
    pub(crate) events: &'static [&'static str],
}

/// Every run has these two, and never changes what they ask for: they are told of all changes.
pub(crate) const STABLE: [&str; 2] = ["both", ALL_CHANGES];
/// Is told of changes of parcels, too.
pub(crate) const ALL_CHANGES: &str = "updates";

/// Is told of the latest change of an order or parcel only.
pub(crate) const LATEST_ONLY: &str = "latest";

const ENDPOINTS: [Endpoint; 8] = [
    Endpoint { name: "both", format: "standard", accounts: &["*"], events: &[] },
    Endpoint {
        name: "first",
        format: "order.status_changed",
        accounts: &["STORE001"],
        events: &[],
    },
    Endpoint { name: "second", format: "standard", accounts: &["STORE002"], events: &[] },
    Endpoint { name: ALL_CHANGES, format: "status_update", accounts: &["*"], events: &[] },
    Endpoint {
        name: "parcels",
        format: "standard",
        accounts: &["*"],
        events: &["order.status_changed", "shipment.status_changed"],
    },
    Endpoint {
        name: "ends",
        format: "order.status_changed",
        accounts: &["*"],
        events: &["delivered", "cancelled", "returned"],
    },
    Endpoint {
        name: LATEST_ONLY,
        format: "standard",
        accounts: &["*"],
        events: &["order.status_changed", "shipment.status_changed"],
    },
    // Is told of other endpoints.
    Endpoint {
        name: "health",
        format: "standard",
        accounts: &["*"],
        events: &["endpoint.paused", "endpoint.disabled", "endpoint.recovered"],
    },
];

/// Whether an endpoint is told of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    On,
    /// Removed or disabled.
    Off,
    /// Its settings cannot be used.
    Broken,
}

/// The endpoints of a run.
pub(crate) struct Endpoints {
    /// Since when they have which standing.
    history: BTreeMap<&'static str, Vec<(u64, Standing)>>,
    /// The keys with which their servers verify.
    keys: BTreeMap<&'static str, Vec<u8>>,
    /// No settings could be read for so long in sum.
    pub(crate) unread_ms: u64,
}

impl Endpoint {
    pub(crate) fn is_for(&self, account: &str) -> bool {
        self.accounts.contains(&"*") || self.accounts.contains(&account)
    }

    pub(crate) fn settings(&self, patience: Patience) -> Value {
        let mut settings = json!({
            "format": self.format, "accounts": self.accounts,
            // More than `deliver` waits for before it hands a request over to the slow lane.
            "timeout_seconds": if self.name == "both" { 15 } else { 5 },
        });
        if self.name == LATEST_ONLY {
            settings["latest_only"] = json!(true);
        }
        if !self.events.is_empty() {
            settings["events"] = json!(self.events);
        }
        match patience {
            Patience::Short => settings["backoff"] = json!(BACKOFF_SECONDS),
            Patience::Long if self.name == "both" => settings["retry_count"] = json!(12),
            Patience::Long => {}
        }
        settings
    }
}

impl Endpoints {
    pub(crate) fn draw(random: &mut Rng) -> Self {
        let takes_part = |it: &&Endpoint| STABLE.contains(&it.name) || random.bool();
        let names: Vec<&str> = ENDPOINTS.iter().filter(takes_part).map(|it| it.name).collect();
        Self {
            history: names.iter().map(|name| (*name, vec![(0, Standing::On)])).collect(),
            keys: names.iter().map(|name| (*name, signing_key(name))).collect(),
            unread_ms: 0,
        }
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &'static Endpoint> {
        ENDPOINTS.iter().filter(|it| self.history.contains_key(it.name))
    }

    /// One whose settings may change.
    pub(crate) fn any_changeable(&self, random: &mut Rng) -> Option<&'static Endpoint> {
        let changeable: Vec<_> = self.all().filter(|it| !STABLE.contains(&it.name)).collect();
        let index = random.usize(..changeable.len().max(1));
        changeable.get(index).copied()
    }

    pub(crate) fn change(&mut self, name: &'static str, standing: Standing, now: u64) {
        self.history.entry(name).or_default().push((now, standing));
    }

    /// True if it had one of these standings all the time, as far as sandboxes could know.
    pub(crate) fn stood(&self, name: &str, allowed: &[Standing], from: u64, until: u64) -> bool {
        let from = from.saturating_sub(self.in_force_ms());
        let history = self.history.get(name).map(Vec::as_slice).unwrap_or_default();
        let next = history.iter().skip(1).map(|(at, _)| *at).chain([u64::MAX]);
        let spans =
            history.iter().zip(next).filter(|((since, _), next)| *since <= until && *next > from);
        let mut standings = spans.map(|((_, standing), _)| standing);
        standings.all(|standing| allowed.contains(standing))
    }

    /// After so long a changed setting is in force.
    pub(crate) fn in_force_ms(&self) -> u64 {
        IN_FORCE_MS + self.unread_ms
    }

    pub(crate) fn key(&self, name: &str) -> &[u8] {
        self.keys.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    pub(crate) fn verify_with(&mut self, name: &'static str, key: Vec<u8>) {
        self.keys.insert(name, key);
    }
}

/// The key that an endpoint has at first.
pub(crate) fn signing_key(endpoint: &str) -> Vec<u8> {
    Sha256::digest(format!("canary-{endpoint}")).to_vec()
}

/// As it is written in the settings.
pub(crate) fn whsec(key: &[u8]) -> String {
    format!("whsec_{}", BASE64.encode(key))
}

pub(crate) fn url(endpoint: &str) -> String {
    format!("https://{endpoint}.hooks.example/waypost?token=canary-token")
}

#![expect(clippy::unwrap_used)]

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_ssm::config::BehaviorVersion;
use aws_sdk_ssm::{Client, Config};
use domain::core::timestamp::Timestamp;

use super::{Cached, Settings, SettingsError, Values, read_each};
use crate::error::IoError;

/// No test sends a request with this client.
fn settings() -> Settings {
    let config = Config::builder().behavior_version(BehaviorVersion::latest()).build();
    Settings::new(Client::from_conf(config), "/waypost/test".to_owned(), Duration::from_secs(300))
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000).unwrap()
}

fn throttled() -> SettingsError {
    SettingsError::Io(IoError::Transient {
        call: "ssm:GetParameters",
        code: "ThrottlingException".to_owned(),
    })
}

struct Store {
    cached: Cached<u32>,
    settings: Settings,
    result: RefCell<Result<u32, SettingsError>>,
    loads: Cell<u32>,
    last: Cell<Option<u32>>,
}

impl Store {
    fn new(result: Result<u32, SettingsError>) -> Self {
        Self {
            cached: Cached::default(),
            settings: settings(),
            result: RefCell::new(result),
            loads: Cell::new(0),
            last: Cell::new(None),
        }
    }

    async fn get(&self, name: &str, now: Timestamp) -> Result<u32, SettingsError> {
        let load = async |last: Option<Arc<u32>>| {
            self.loads.set(self.loads.get() + 1);
            self.last.set(last.map(|last| *last));
            tokio::task::yield_now().await;
            self.result.borrow().clone()
        };
        self.cached.get(&self.settings, name, now, load).await.map(|value| *value)
    }
}

#[tokio::test]
async fn loads_a_value_again_after_its_ttl() {
    let store = Store::new(Ok(1));
    for (now, stored, value, loads) in [
        (1000, 1, 1, 1),
        (1000, 2, 1, 1),
        (1299, 2, 1, 1),
        (1300, 2, 2, 2),
        (1301, 3, 2, 2),
        (9000, 3, 3, 3),
    ] {
        *store.result.borrow_mut() = Ok(stored);
        assert_eq!(store.get("a", at(now)).await, Ok(value), "at {now}");
        assert_eq!(store.loads.get(), loads, "at {now}");
    }
}

fn invalid() -> SettingsError {
    SettingsError::invalid("users/a", "role: has the wrong type or value")
}

#[tokio::test]
async fn keeps_the_last_good_value_while_ssm_is_unavailable() {
    let store = Store::new(Ok(1));
    assert_eq!(store.get("a", at(0)).await, Ok(1));
    assert_eq!(store.last.get(), None);
    *store.result.borrow_mut() = Err(throttled());
    // The failed load is not repeated before the TTL has passed.
    for (now, loads) in [(300, 2), (599, 2), (600, 3), (86_400, 4)] {
        assert_eq!(store.get("a", at(now)).await, Ok(1), "at {now}");
        assert_eq!((store.loads.get(), store.last.get()), (loads, Some(1)), "at {now}");
    }
    *store.result.borrow_mut() = Ok(2);
    assert_eq!(store.get("a", at(90_000)).await, Ok(2));
}

#[tokio::test]
async fn keeps_the_last_good_value_of_an_invalid_setting_for_an_hour() {
    let store = Store::new(Ok(1));
    assert_eq!(store.get("a", at(0)).await, Ok(1));
    *store.result.borrow_mut() = Err(invalid());
    for (now, expected) in
        [(300, Ok(1)), (3300, Ok(1)), (3599, Ok(1)), (3600, Err(invalid())), (3604, Err(invalid()))]
    {
        assert_eq!(store.get("a", at(now)).await, expected, "at {now}");
    }
    *store.result.borrow_mut() = Ok(2);
    assert_eq!(store.get("a", at(3605)).await, Ok(2), "corrected");
    *store.result.borrow_mut() = Err(throttled());
    assert_eq!(store.get("a", at(7000)).await, Ok(2));
    // The hour counts from the last valid reading, not from the outage.
    *store.result.borrow_mut() = Err(invalid());
    assert_eq!(store.get("a", at(7300)).await, Err(invalid()));
}

#[tokio::test]
async fn a_missing_setting_ends_its_last_good_value_at_once() {
    let store = Store::new(Ok(1));
    assert_eq!(store.get("a", at(0)).await, Ok(1));
    *store.result.borrow_mut() = Err(SettingsError::missing("a"));
    assert_eq!(store.get("a", at(299)).await, Ok(1), "not read yet");
    assert_eq!(store.get("a", at(300)).await, Err(SettingsError::missing("a")));
    *store.result.borrow_mut() = Err(throttled());
    assert_eq!(store.get("a", at(305)).await, Err(throttled()), "it does not come back");
}

#[test]
fn each_setting_is_kept_or_dropped_on_its_own() {
    let parse = |parameter: &str, text: &str| match text {
        "missing" => Err(SettingsError::missing(parameter)),
        text => text.parse::<u32>().map_err(|_| SettingsError::invalid(parameter, "not a number")),
    };
    let values = |texts: &[(&str, &str)]| -> Values {
        texts.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    };
    let good = read_each(&values(&[("a", "1"), ("b", "2"), ("c", "3")]), None, at(0), parse);
    for (now, texts, expected) in [
        (3599, &[("a", "1"), ("b", "x"), ("c", "missing")][..], &[("a", 1), ("b", 2)][..]),
        (3600, &[("a", "4"), ("b", "x"), ("d", "y")], &[("a", 4)]),
        (1, &[("b", "2")], &[("b", 2)]),
    ] {
        let each = read_each(&values(texts), Some(&good), at(now), parse);
        let each: Vec<_> = each.iter().map(|(name, value)| (name.as_str(), **value)).collect();
        assert_eq!(each, expected, "at {now}");
    }
}

#[tokio::test]
async fn caches_an_error_for_five_seconds_without_a_last_good_value() {
    let store = Store::new(Err(throttled()));
    for (now, loads) in [(0, 1), (4, 1), (5, 2), (9, 2), (10, 3)] {
        assert_eq!(store.get("a", at(now)).await, Err(throttled()), "at {now}");
        assert_eq!(store.loads.get(), loads, "at {now}");
    }
    *store.result.borrow_mut() = Ok(1);
    assert_eq!(store.get("a", at(15)).await, Ok(1));
}

#[tokio::test]
async fn caches_each_name_separately() {
    let store = Store::new(Ok(1));
    assert_eq!(store.get("a", at(0)).await, Ok(1));
    *store.result.borrow_mut() = Err(throttled());
    assert_eq!(store.get("b", at(0)).await, Err(throttled()));
    assert_eq!(store.last.get(), None);
    assert_eq!(store.get("a", at(1)).await, Ok(1));
}

#[tokio::test]
async fn concurrent_readers_load_once() {
    let store = Store::new(Ok(1));
    let read = || store.get("a", at(0));
    assert_eq!(tokio::join!(read(), read(), read()), (Ok(1), Ok(1), Ok(1)));
    assert_eq!(store.loads.get(), 1);
}

#[test]
fn an_invalid_setting_becomes_unusable_and_hides_its_content() {
    let parameter = "users/a".to_owned();
    let invalid = SettingsError::invalid("users/a", "canary");
    assert_eq!(IoError::from(invalid), IoError::UnusableSetting { parameter });
    assert_eq!(SettingsError::from(IoError::from(throttled())), throttled());
}

#[test]
fn names_parameters_by_their_path_after_the_prefix() {
    let settings = settings();
    let named = |name| settings.pair(Some(name), Some("value")).map(|(name, _)| name);
    for (path, expected) in [
        ("/waypost/test/users/a", Some("users/a")),
        ("/waypost/test/", Some("")),
        ("/waypost/test", None),
        ("/waypost/test2/users/a", None),
        ("/waypost/live/users/a", None),
        ("users/a", None),
    ] {
        assert_eq!(named(path).as_deref(), expected, "{path}");
    }
    assert_eq!(settings.pair(None, Some("value")), None);
    assert_eq!(settings.pair(Some("/waypost/test/a"), None), None);
}

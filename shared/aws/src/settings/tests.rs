#![expect(clippy::unwrap_used)]

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_ssm::config::BehaviorVersion;
use aws_sdk_ssm::{Client, Config};
use domain::core::timestamp::Timestamp;

use super::{Cached, Settings, SettingsError};
use crate::error::IoError;

/// A client that no test sends anything with.
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

/// A cache and the parameter store behind it.
struct Store {
    cached: Cached<u32>,
    settings: Settings,
    answer: RefCell<Result<u32, SettingsError>>,
    asked: Cell<u32>,
    last: Cell<Option<u32>>,
}

impl Store {
    fn new(answer: Result<u32, SettingsError>) -> Self {
        let (asked, last) = (Cell::new(0), Cell::new(None));
        Self {
            cached: Cached::default(),
            settings: settings(),
            answer: RefCell::new(answer),
            asked,
            last,
        }
    }

    async fn get(&self, name: &str, now: Timestamp) -> Result<u32, SettingsError> {
        let load = async |last: Option<Arc<u32>>| {
            self.asked.set(self.asked.get() + 1);
            self.last.set(last.map(|last| *last));
            tokio::task::yield_now().await;
            self.answer.borrow().clone()
        };
        self.cached.get(&self.settings, name, now, load).await.map(|value| *value)
    }
}

#[tokio::test]
async fn a_value_is_kept_for_its_time_and_then_asked_for_again() {
    let store = Store::new(Ok(1));
    for (now, answer, value, asked) in [
        (1000, 1, 1, 1),
        (1000, 2, 1, 1),
        (1299, 2, 1, 1),
        (1300, 2, 2, 2),
        (1301, 3, 2, 2),
        (9000, 3, 3, 3),
    ] {
        *store.answer.borrow_mut() = Ok(answer);
        assert_eq!(store.get("a", at(now)).await, Ok(value), "at {now}");
        assert_eq!(store.asked.get(), asked, "at {now}");
    }
}

#[tokio::test]
async fn the_last_good_value_stays_in_force() {
    for error in
        [throttled(), SettingsError::invalid("users/a", "role: has the wrong type or value")]
    {
        let store = Store::new(Ok(1));
        assert_eq!(store.get("a", at(0)).await, Ok(1));
        assert_eq!(store.last.get(), None);
        *store.answer.borrow_mut() = Err(error);
        // Who is throttled is not asked at once again.
        for (now, asked) in [(300, 2), (599, 2), (600, 3), (86_400, 4)] {
            assert_eq!(store.get("a", at(now)).await, Ok(1), "at {now}");
            assert_eq!((store.asked.get(), store.last.get()), (asked, Some(1)), "at {now}");
        }
        *store.answer.borrow_mut() = Ok(2);
        assert_eq!(store.get("a", at(90_000)).await, Ok(2));
    }
}

#[tokio::test]
async fn without_a_last_good_value_there_is_an_error_and_for_a_moment_nobody_asks_again() {
    let store = Store::new(Err(throttled()));
    for (now, asked) in [(0, 1), (4, 1), (5, 2), (9, 2), (10, 3)] {
        assert_eq!(store.get("a", at(now)).await, Err(throttled()), "at {now}");
        assert_eq!(store.asked.get(), asked, "at {now}");
    }
    *store.answer.borrow_mut() = Ok(1);
    assert_eq!(store.get("a", at(15)).await, Ok(1));
}

#[tokio::test]
async fn names_have_nothing_to_do_with_each_other() {
    let store = Store::new(Ok(1));
    assert_eq!(store.get("a", at(0)).await, Ok(1));
    *store.answer.borrow_mut() = Err(throttled());
    assert_eq!(store.get("b", at(0)).await, Err(throttled()));
    assert_eq!(store.last.get(), None);
    assert_eq!(store.get("a", at(1)).await, Ok(1));
}

#[tokio::test]
async fn side_by_side_readers_ask_once() {
    let store = Store::new(Ok(1));
    let read = || store.get("a", at(0));
    assert_eq!(tokio::join!(read(), read(), read()), (Ok(1), Ok(1), Ok(1)));
    assert_eq!(store.asked.get(), 1);
}

#[test]
fn who_waits_for_a_wrong_setting_waits_and_its_content_is_not_told() {
    let parameter = "users/a".to_owned();
    let wrong = SettingsError::invalid("users/a", "canary");
    assert_eq!(IoError::from(wrong), IoError::InvalidSetting { parameter });
    assert_eq!(SettingsError::from(IoError::from(throttled())), throttled());
}

#[test]
fn parameters_are_named_by_what_follows_the_prefix() {
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

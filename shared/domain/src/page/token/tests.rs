#![expect(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;
use crate::core::id::{AccountCode, OrderId};

const CURRENT: &str = "0123456789abcdef0123456789abcdef";
const PREVIOUS: &str = "fedcba9876543210fedcba9876543210";

fn keys(keys: &[&str]) -> TokenKeys {
    TokenKeys::new(keys).unwrap()
}

fn order(account: &str, order: &str) -> OrderKey {
    OrderKey {
        account: AccountCode::parse(account).unwrap(),
        order: OrderId::parse(order).unwrap(),
    }
}

fn start_of(day: i64) -> Timestamp {
    Timestamp::from_millis(day * MILLIS_PER_DAY).unwrap()
}

/// Computed with Python's `hmac`.
#[test]
fn signs_like_another_implementation() {
    for (account, id, day, token) in [
        ("STORE001", "ORD-1001", 20_790, "20790-NTTM9drHj2VsX2R2pYuoiQ"),
        ("A", "#1001", 1, "1-2lmOY3cJvKQwoJnZ2M5llA"),
        ("दुकान", "ऑर्डर १", 2_932_896, "2932896-ysIosMHTewuN8dqWHpeIrQ"),
    ] {
        assert_eq!(keys(&[CURRENT]).sign(&order(account, id), day), token);
    }
}

#[test]
fn expires_after_its_last_day() {
    let (keys, order) = (keys(&[CURRENT]), order("A", "1"));
    let token = keys.sign(&order, 20_000);
    let last = start_of(20_001).before(std::time::Duration::from_millis(1));
    assert_eq!(keys.check(&order, &token, Timestamp::EPOCH), Ok(()));
    assert_eq!(keys.check(&order, &token, last), Ok(()));
    assert_eq!(keys.check(&order, &token, start_of(20_001)), Err(TokenError::Expired));
}

#[test]
fn a_wrong_token_does_not_say_that_it_has_expired() {
    let (keys, now) = (keys(&[CURRENT]), start_of(20_001));
    let token = keys.sign(&order("A", "1"), 20_000);
    for other in [order("A", "2"), order("B", "1")] {
        assert_eq!(keys.check(&other, &token, now), Err(TokenError::Wrong));
    }
}

#[test]
fn accepts_tokens_of_the_previous_key_until_it_is_removed() {
    let (order, now) = (order("A", "1"), start_of(20_000));
    let old = keys(&[PREVIOUS]).sign(&order, 20_000);
    let rotated = keys(&[CURRENT, PREVIOUS]);
    assert_eq!(rotated.check(&order, &old, now), Ok(()));
    assert_eq!(rotated.sign(&order, 20_000), keys(&[CURRENT]).sign(&order, 20_000));
    assert_eq!(keys(&[CURRENT]).check(&order, &old, now), Err(TokenError::Wrong));
}

#[test]
fn rejects_other_spellings() {
    let (keys, order) = (keys(&[CURRENT]), order("STORE001", "ORD-1001"));
    let good = "20790-NTTM9drHj2VsX2R2pYuoiQ";
    assert_eq!(keys.check(&order, good, Timestamp::EPOCH), Ok(()));
    for token in [
        "",
        "-",
        "20790",
        "20790-",
        "020790-NTTM9drHj2VsX2R2pYuoiQ",
        "+20790-NTTM9drHj2VsX2R2pYuoiQ",
        "20790-NTTM9drHj2VsX2R2pYuoiR",
        "20790-NTTM9drHj2VsX2R2pYuoiQ==",
        "20790-NTTM9drHj2VsX2R2pYuo",
        "20790-NTTM9drHj2VsX2R2pYuoiQ ",
        "20791-NTTM9drHj2VsX2R2pYuoiQ",
        "99999999999999999999-NTTM9drHj2VsX2R2pYuoiQ",
        "२०७९०-NTTM9drHj2VsX2R2pYuoiQ",
    ] {
        assert_eq!(keys.check(&order, token, Timestamp::EPOCH), Err(TokenError::Wrong), "{token}");
    }
}

#[test]
fn rejects_short_and_too_many_keys() {
    let short = &CURRENT[1..];
    let long = "x".repeat(129);
    for (given, expected) in [
        (&[][..], InvalidKeys::Count),
        (&[CURRENT, CURRENT, CURRENT], InvalidKeys::Count),
        (&[short], InvalidKeys::Length),
        (&[CURRENT, short], InvalidKeys::Length),
        (&[long.as_str()], InvalidKeys::Length),
    ] {
        assert_eq!(TokenKeys::new(given).unwrap_err(), expected);
    }
    assert_eq!(format!("{:?}", keys(&[CURRENT])), "TokenKeys([REDACTED])");
}

proptest! {
    #[test]
    fn a_token_opens_its_own_order_only(
        ids in proptest::array::uniform4("[a-z#]{1,3}"),
        last_day in 1_i64..2_932_896,
    ) {
        let [account, id, other_account, other_id] = ids;
        let (own, other) = (order(&account, &id), order(&other_account, &other_id));
        let keys = keys(&[CURRENT]);
        let token = keys.sign(&own, last_day);
        prop_assert_eq!(keys.check(&own, &token, start_of(last_day)), Ok(()));
        let expected = if own == other { Ok(()) } else { Err(TokenError::Wrong) };
        prop_assert_eq!(keys.check(&other, &token, start_of(last_day)), expected);
    }

    #[test]
    fn no_other_text_opens_an_order(text in "\\PC{0,40}", number in "[0-9]{1,7}-[A-Za-z0-9_-]{22}") {
        let (keys, order) = (keys(&[CURRENT]), order("A", "1"));
        for text in [text, number] {
            prop_assert_eq!(keys.check(&order, &text, Timestamp::EPOCH), Err(TokenError::Wrong));
        }
    }
}

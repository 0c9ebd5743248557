#![allow(clippy::unwrap_used)]

use data_encoding::{BASE64, HEXLOWER};
use sha2::{Digest, Sha256};

use crate::auth::{
    Accounts, BasicCredentials, Caller, NoAccount, Principal, Role, User, Vendor, private_key,
    vendor_caller,
};
use crate::core::id::AccountCode;

fn user(password: &[u8], role: &str, accounts: &str) -> User {
    let hash = HEXLOWER.encode(&Sha256::digest(password));
    serde_json::from_str(&format!(
        r#"{{"password_sha256":"{hash}","role":"{role}","accounts":{accounts}}}"#
    ))
    .unwrap()
}

fn basic(credentials: impl AsRef<[u8]>) -> String {
    format!("Basic {}", BASE64.encode(credentials.as_ref()))
}

/// As short as a password may be.
const PASSWORD: &str = "a-password-of-twenty";

fn partner() -> String {
    basic(format!("partner:{PASSWORD}"))
}

fn caller(role: &str, accounts: &str) -> Caller {
    let credentials = BasicCredentials::parse(&partner()).unwrap();
    credentials.check(&user(PASSWORD.as_bytes(), role, accounts)).unwrap()
}

fn vendor(secret: &str, account: &str) -> Vendor {
    serde_json::from_value(serde_json::json!({"secret": secret, "account": account})).unwrap()
}

fn account(code: &str) -> AccountCode {
    AccountCode::parse(code).unwrap()
}

#[test]
fn rejects_other_authorization_headers() {
    let named = |name: &[u8]| basic([name, b":", PASSWORD.as_bytes()].concat());
    let (good, long) = (partner(), named("u".repeat(65).as_bytes()));
    let encoded = good.strip_prefix("Basic ").unwrap();
    for header in [
        "",
        "Basic",
        "Basic ",
        "Basic !!!",
        good.trim_end_matches('='),
        "Basiccccc",
        &format!("Bearer {encoded}"),
        &format!("Basic:{encoded}"),
        &format!("Basic\t{encoded}"),
        &format!(" {good}"),
        &format!("{good}, {good}"),
        "Basic username=\"partner\"",
        &basic("partner"),
        &basic(format!("partner{PASSWORD}")),
        &basic(":"),
        &basic(""),
        &named(b"\xff\xfe"),
        &named(b"../vendors/a"),
        &named(b"par tner"),
        &named("p\u{e9}".as_bytes()),
        &named(b"a\r\nb"),
        &named(b"a*"),
        &long,
    ] {
        assert_eq!(BasicCredentials::parse(header), None, "{header:?}");
    }
}

#[test]
fn refuses_a_password_that_nobody_generated() {
    for (length, is_accepted) in [(0, false), (1, false), (19, false), (20, true), (32, true)] {
        let password = "x".repeat(length);
        let credentials = BasicCredentials::parse(&basic(format!("partner:{password}"))).unwrap();
        let caller = credentials.check(&user(password.as_bytes(), "partner", "[]"));
        assert_eq!((credentials.name.as_str(), caller.is_some()), ("partner", is_accepted));
    }
}

#[test]
fn authenticates_the_named_user_with_its_password_only() {
    let long = "x".repeat(8192);
    let (good, own) = (partner(), PASSWORD.as_bytes());
    let with_colons = format!(":p:w:{PASSWORD}:");
    let not_utf_8 = [b"\xff\xfe", own].concat();
    for (header, name, password) in [
        (good.clone(), "partner", own),
        (good.replace("Basic", "basic"), "partner", own),
        (good.replace("Basic", "BASIC"), "partner", own),
        (good.replace("Basic ", "Basic   ") + " ", "partner", own),
        (basic(format!("partner:{with_colons}")), "partner", with_colons.as_bytes()),
        (basic(format!("partner:{}", " ".repeat(20))), "partner", " ".repeat(20).as_bytes()),
        (basic([b"partner:", &not_utf_8[..]].concat()), "partner", &not_utf_8),
        (basic(format!("A.b-c_9:{PASSWORD}")), "A.b-c_9", own),
        (basic(format!("{}:{PASSWORD}", "u".repeat(64))), &"u".repeat(64), own),
        (basic(format!("partner:{long}")), "partner", long.as_bytes()),
    ] {
        let credentials = BasicCredentials::parse(&header).unwrap();
        assert_eq!(credentials.name, name, "{header}");
        assert!(credentials.check(&user(password, "partner", "[]")).is_some(), "{header}");
        let shorter = &password[1..];
        for other in [b"".as_slice(), b"PW", b"pw ", shorter, &[password, b"\n"].concat()] {
            assert!(
                credentials.check(&user(other, "partner", "[]")).is_none(),
                "{header} for {other:?}"
            );
        }
    }
}

#[test]
fn rejects_a_user_without_a_valid_hash() {
    let credentials = BasicCredentials::parse(&partner()).unwrap();
    let hash = HEXLOWER.encode(&Sha256::digest(PASSWORD));
    for stored in ["", PASSWORD, &hash[..63], &hash.to_uppercase(), &format!("{hash} ")] {
        let text = format!(r#"{{"password_sha256":"{stored}","role":"admin","accounts":["*"]}}"#);
        assert_eq!(credentials.check(&serde_json::from_str(&text).unwrap()), None, "{stored}");
    }
    for setting in [
        "{}",
        r#"{"password_sha256":"a","role":"admin"}"#,
        r#"{"password_sha256":"a","accounts":["*"]}"#,
        r#"{"role":"admin","accounts":["*"]}"#,
        r#"{"password_sha256":"a","role":"root","accounts":["*"]}"#,
        r#"{"password_sha256":"a","role":"Admin","accounts":["*"]}"#,
        r#"{"password_sha256":"a","role":"admin","accounts":"*"}"#,
    ] {
        assert!(serde_json::from_str::<User>(setting).is_err(), "{setting}");
    }
}

#[test]
fn a_request_has_an_accessible_account_or_an_error() {
    use NoAccount::{Inaccessible, Missing};
    for (accounts, named, expected) in [
        (r#"["STORE001"]"#, None, Ok("STORE001")),
        (r#"["STORE001"]"#, Some("STORE001"), Ok("STORE001")),
        (r#"["STORE001"]"#, Some("STORE002"), Err(Inaccessible)),
        (r#"["STORE001"]"#, Some("store001"), Err(Inaccessible)),
        (r#"["STORE001"]"#, Some("STORE00"), Err(Inaccessible)),
        (r#"["STORE001"]"#, Some("*"), Err(Inaccessible)),
        (r#"["STORE001","STORE002"]"#, None, Err(Missing)),
        (r#"["STORE001","STORE002"]"#, Some("STORE002"), Ok("STORE002")),
        (r#"["STORE001","STORE002"]"#, Some("STORE003"), Err(Inaccessible)),
        (r#"["*"]"#, None, Err(Missing)),
        (r#"["*"]"#, Some("STORE003"), Ok("STORE003")),
        (r#"["*","STORE001"]"#, None, Err(Missing)),
        (r#"["*","STORE001"]"#, Some("STORE003"), Ok("STORE003")),
        ("[]", None, Err(Missing)),
        ("[]", Some("STORE001"), Err(Inaccessible)),
        // Unicode normalization.
        (r#"["STORE-e\u0301"]"#, Some("STORE-\u{e9}"), Ok("STORE-\u{e9}")),
    ] {
        for role in ["admin", "viewer", "partner"] {
            let found = caller(role, accounts).account(named.map(account).as_ref());
            assert_eq!(found, expected.map(account), "{role} of {accounts} names {named:?}");
        }
    }
    assert_eq!(Inaccessible.to_string(), "this account is not accessible with these credentials");
    for invalid in [r#"["a/b"]"#, r#"["STORE001 "]"#, r#"[""]"#, r#""STORE001""#] {
        assert!(
            serde_json::from_str::<Accounts>(invalid).is_err(),
            "{invalid} would silently match no account"
        );
    }
}

#[test]
fn roles_decide_about_orders_and_messages() {
    for (role, principal, expected) in [
        ("admin", Role::Admin, true),
        ("viewer", Role::Viewer, false),
        ("partner", Role::Partner, true),
    ] {
        let caller = caller(role, r#"["*"]"#);
        let all = (caller.principal, caller.can_use_orders(), caller.can_use_messages());
        assert_eq!(all, (Principal::User(principal), expected, expected), "{role}");
    }
    let vendor = vendor_caller("s", [&vendor("s", "STORE001")]).unwrap();
    assert_eq!((vendor.can_use_orders(), vendor.can_use_messages()), (true, false));
}

#[test]
fn roles_decide_about_log_and_operations() {
    for (role, can_read, can_operate) in
        [("admin", true, true), ("viewer", true, false), ("partner", false, false)]
    {
        let caller = caller(role, r#"["*"]"#);
        assert_eq!(
            (caller.can_read_log(), caller.can_operate()),
            (can_read, can_operate),
            "{role}"
        );
    }
    let vendor = vendor_caller("s", [&vendor("s", "STORE001")]).unwrap();
    assert_eq!((vendor.can_read_log(), vendor.can_operate()), (false, false));
}

#[test]
fn rows_without_an_account_need_access_to_all_accounts() {
    for (accounts, of, expected) in [
        (r#"["*"]"#, Some("STORE001"), true),
        (r#"["*"]"#, None, true),
        (r#"["*","STORE001"]"#, None, true),
        (r#"["STORE001"]"#, Some("STORE001"), true),
        (r#"["STORE001"]"#, Some("STORE002"), false),
        (r#"["STORE001"]"#, Some("store001"), false),
        (r#"["STORE001"]"#, None, false),
        ("[]", Some("STORE001"), false),
        ("[]", None, false),
    ] {
        for role in ["admin", "viewer"] {
            let can_see = caller(role, accounts).can_see(of.map(account).as_ref());
            assert_eq!(can_see, expected, "{role} of {accounts} and a row of {of:?}");
        }
    }
}

#[test]
fn authenticates_a_vendor_by_its_secret() {
    let vendors = [vendor("s1", "STORE001"), vendor("s2", "STORE002"), vendor("", "STORE003")];
    for (secret, expected) in [
        ("s1", Some("STORE001")),
        ("s2", Some("STORE002")),
        ("", None),
        ("s", None),
        ("s1 ", None),
        ("S1", None),
        ("s1,s2", None),
        ("s3", None),
    ] {
        let found = vendor_caller(secret, &vendors);
        assert_eq!(found.is_some(), expected.is_some(), "{secret:?}");
        let Some((found, expected)) = found.zip(expected) else { continue };
        assert_eq!(found.principal, Principal::Vendor);
        assert_eq!(found.account(None), Ok(account(expected)));
        assert_eq!(found.account(Some(&account("STORE009"))), Err(NoAccount::Inaccessible));
    }
    assert_eq!(vendor_caller("s1", &[]), None);
    // `*` is not a wildcard in a vendor's setting.
    let star = vendor_caller("s", [&vendor("s", "*")]).unwrap();
    assert_eq!(star.account(Some(&account("STORE001"))), Err(NoAccount::Inaccessible));
}

#[test]
fn debug_output_has_no_secrets() {
    let hash = HEXLOWER.encode(&Sha256::digest(b"canary"));
    let logged = [
        format!("{:?}", BasicCredentials::parse(&basic("canary:a-canary-of-twenty-b")).unwrap()),
        format!("{:?}", user(b"canary", "admin", "[]")),
        format!("{:?}", vendor("canary", "STORE001")),
        format!("{:?}", vendor_caller("canary", [&vendor("canary", "STORE001")])),
    ];
    for text in logged {
        assert!(!text.contains("canary") && !text.contains(&hash), "{text}");
    }
}

#[test]
fn the_private_key_depends_on_the_passwords_of_users_with_all_accounts() {
    let users = |passwords: &[&[u8]]| -> Vec<User> {
        let users = passwords.iter().map(|password| user(password, "viewer", r#"["*"]"#));
        users.chain([user(b"restricted", "viewer", r#"["STORE001"]"#)]).collect()
    };
    let key = |passwords: &[&[u8]]| private_key(&users(passwords));
    let without_restricted = users(&[b"a", b"b"]);
    assert_eq!(key(&[b"a", b"b"]), private_key(&without_restricted[..2]));
    let keys = [key(&[]), key(&[b"a"]), key(&[b"b"]), key(&[b"a", b"b"]), key(&[b"b", b"a"])];
    for (n, one) in keys.iter().enumerate() {
        assert!(!keys[n + 1..].contains(one), "{n}");
    }
}

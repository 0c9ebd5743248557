//! API callers: every role, in each of two accounts (tenants).

use data_encoding::HEXLOWER;
use reqwest::RequestBuilder;
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

use super::{put_secret, settings_to_expire, stack};

pub const OURS: &str = "STORE001";
pub const THEIRS: &str = "STORE002";

pub struct Caller {
    pub name: String,
    credentials: Credentials,
    pub role: Role,
    pub accounts: Vec<&'static str>,
}

enum Credentials {
    None,
    Basic(String, String),
    Secret(String),
}

#[derive(Clone, Copy, PartialEq)]
pub enum Role {
    Admin,
    Viewer,
    Partner,
    Vendor,
    /// Credentials are missing or wrong.
    Unauthenticated,
}

impl Caller {
    pub fn sign(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.credentials {
            Credentials::None => request,
            Credentials::Basic(name, password) => request.basic_auth(name, Some(password)),
            Credentials::Secret(secret) => request.header("x-vendor-server-secret", secret),
        }
    }

    /// The caller's account, if it has exactly one.
    pub fn only_account(&self) -> Option<&'static str> {
        (self.accounts.len() == 1 && !self.has_all_accounts()).then(|| self.accounts[0])
    }

    pub fn has_all_accounts(&self) -> bool {
        self.accounts == ["*"]
    }

    pub fn has(&self, account: &str) -> bool {
        self.has_all_accounts() || self.accounts.contains(&account)
    }
}

pub async fn caller(name: &str) -> &'static Caller {
    callers().await.iter().find(|caller| caller.name == name).unwrap()
}

/// Creates users and a vendor besides those of the stack, the same in every run.
pub async fn callers() -> &'static [Caller] {
    static CALLERS: OnceCell<Vec<Caller>> = OnceCell::const_new();
    CALLERS.get_or_init(create_callers).await
}

async fn create_callers() -> Vec<Caller> {
    put_user("it-both", "partner", &[OURS, THEIRS]).await;
    let both = basic("it-both", &own_password());
    let theirs = put_callers(THEIRS, "their").await;
    // Functions cache missing users too.
    settings_to_expire().await;

    let demo = |name: &str| basic(name, &stack().users[name].password);
    let vendor = Credentials::Secret(stack().vendor_secret.clone());
    let ours = [
        caller_of("admin", Role::Admin, demo("admin"), &["*"]),
        caller_of("viewer", Role::Viewer, demo("viewer"), &["*"]),
        caller_of("our partner", Role::Partner, demo("partner"), &[OURS]),
        caller_of("partner of both", Role::Partner, both, &[OURS, THEIRS]),
        caller_of("our vendor", Role::Vendor, vendor, &[OURS]),
    ];
    ours.into_iter().chain(theirs).chain(unauthenticated()).collect()
}

/// Creates a caller of each role for one account, and one without credentials.
pub async fn callers_of(account: &'static str, prefix: &str) -> Vec<Caller> {
    let mut callers = put_callers(account, prefix).await;
    settings_to_expire().await;
    callers.extend(unauthenticated().into_iter().take(1));
    callers
}

async fn put_callers(account: &'static str, prefix: &str) -> Vec<Caller> {
    let mut callers = Vec::new();
    for (role, name) in
        [(Role::Admin, "admin"), (Role::Viewer, "viewer"), (Role::Partner, "partner")]
    {
        let user = format!("it-{prefix}-{name}");
        put_user(&user, name, &[account]).await;
        let credentials = basic(&user, &own_password());
        callers.push(caller_of(&format!("{prefix} {name}"), role, credentials, &[account]));
    }
    let secret = format!("canary-secret-{prefix}-{}", stack().vendor_secret);
    let vendor = json!({"secret": secret, "account": account});
    put_secret(&format!("local/vendors/it-{prefix}"), &vendor.to_string()).await;
    let credentials = Credentials::Secret(secret);
    callers.push(caller_of(&format!("{prefix} vendor"), Role::Vendor, credentials, &[account]));
    callers
}

fn unauthenticated() -> [Caller; 3] {
    let role = Role::Unauthenticated;
    [
        caller_of("no credentials", role, Credentials::None, &[]),
        caller_of("wrong password", role, basic("admin", "canary-password"), &[]),
        caller_of("wrong secret", role, Credentials::Secret("canary-secret".to_owned()), &[]),
    ]
}

async fn put_user(name: &str, role: &str, accounts: &[&str]) {
    let password_sha256 = HEXLOWER.encode(&Sha256::digest(own_password().as_bytes()));
    let user = json!({"password_sha256": password_sha256, "role": role, "accounts": accounts});
    put_secret(&format!("local/users/{name}"), &user.to_string()).await;
}

/// The user name ends at the first colon; a password may contain colons.
fn own_password() -> String {
    format!("canary-password:{}:", stack().users["admin"].password)
}

fn basic(name: &str, password: &str) -> Credentials {
    Credentials::Basic(name.to_owned(), password.to_owned())
}

fn caller_of(
    name: &str,
    role: Role,
    credentials: Credentials,
    accounts: &[&'static str],
) -> Caller {
    Caller { name: name.to_owned(), credentials, role, accounts: accounts.to_vec() }
}

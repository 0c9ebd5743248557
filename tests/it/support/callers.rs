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
    pub name: &'static str,
    credentials: Credentials,
    pub role: Role,
    pub accounts: &'static [&'static str],
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
    let users = &stack().users;
    // The user name ends at the first colon; a password may contain colons.
    let password = format!("canary-password:{}:", users["admin"].password);
    let secret = format!("canary-secret-{}", stack().vendor_secret);
    for (name, role, accounts) in [
        ("it-admin", "admin", json!([THEIRS])),
        ("it-viewer", "viewer", json!([THEIRS])),
        ("it-partner", "partner", json!([THEIRS])),
        ("it-both", "partner", json!([OURS, THEIRS])),
    ] {
        let hash = HEXLOWER.encode(&Sha256::digest(&password));
        let user = json!({"password_sha256": hash, "role": role, "accounts": accounts});
        put_secret(&format!("local/users/{name}"), &user.to_string()).await;
    }
    let vendor = json!({"secret": secret, "account": THEIRS});
    put_secret("local/vendors/it-vendor", &vendor.to_string()).await;
    // Functions cache missing users too.
    settings_to_expire().await;

    let demo = |name: &str| Credentials::Basic(name.to_owned(), users[name].password.clone());
    let own = |name: &str| Credentials::Basic(name.to_owned(), password.clone());
    let wrong_password = Credentials::Basic("admin".to_owned(), "canary-password".to_owned());
    let vendor = Credentials::Secret(stack().vendor_secret.clone());
    let wrong_secret = Credentials::Secret("canary-secret".to_owned());
    let caller = |name, role, credentials, accounts| Caller { name, credentials, role, accounts };
    vec![
        caller("admin", Role::Admin, demo("admin"), &["*"]),
        caller("their admin", Role::Admin, own("it-admin"), &[THEIRS]),
        caller("viewer", Role::Viewer, demo("viewer"), &["*"]),
        caller("their viewer", Role::Viewer, own("it-viewer"), &[THEIRS]),
        caller("our partner", Role::Partner, demo("partner"), &[OURS]),
        caller("their partner", Role::Partner, own("it-partner"), &[THEIRS]),
        caller("partner of both", Role::Partner, own("it-both"), &[OURS, THEIRS]),
        caller("our vendor", Role::Vendor, vendor, &[OURS]),
        caller("their vendor", Role::Vendor, Credentials::Secret(secret), &[THEIRS]),
        caller("no credentials", Role::Unauthenticated, Credentials::None, &[]),
        caller("wrong password", Role::Unauthenticated, wrong_password, &[]),
        caller("wrong secret", Role::Unauthenticated, wrong_secret, &[]),
    ]
}

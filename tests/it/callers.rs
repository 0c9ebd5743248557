//! Who calls: each kind of caller, of each of two accounts.

use std::time::Duration;

use data_encoding::HEXLOWER;
use reqwest::RequestBuilder;
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

use crate::support::{Calls, stack};

pub const OURS: &str = "STORE001";
pub const THEIRS: &str = "STORE002";

/// Somebody with credentials, or without.
pub struct Caller {
    pub who: &'static str,
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
    /// Their credentials are missing or wrong.
    Nobody,
}

impl Caller {
    pub fn sign(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.credentials {
            Credentials::None => request,
            Credentials::Basic(name, password) => request.basic_auth(name, Some(password)),
            Credentials::Secret(secret) => request.header("x-vendor-server-secret", secret),
        }
    }

    /// The one account they have, if it is one.
    pub fn only_account(&self) -> Option<&'static str> {
        (self.accounts.len() == 1 && self.accounts != ["*"]).then(|| self.accounts[0])
    }

    pub fn has(&self, account: &str) -> bool {
        self.accounts == ["*"] || self.accounts.contains(&account)
    }
}

/// The caller of that name.
pub async fn caller(who: &str) -> &'static Caller {
    callers().await.iter().find(|caller| caller.who == who).unwrap()
}

/// Users and vendors besides those that the stack has, the same in every run. Their password has colons in it.
pub async fn callers() -> &'static [Caller] {
    static CALLERS: OnceCell<Vec<Caller>> = OnceCell::const_new();
    CALLERS
        .get_or_init(async || {
            let [admin, viewer, partner] =
                ["admin", "viewer", "partner"].map(|name| &stack().users[name]);
            let password = format!("canary-password:{}:", admin.password);
            let secret = format!("canary-secret-{}", stack().vendor_secret);
            for (name, role, accounts) in [
                ("it-admin", "admin", json!([THEIRS])),
                ("it-viewer", "viewer", json!([THEIRS])),
                ("it-partner", "partner", json!([THEIRS])),
                ("it-both", "partner", json!([OURS, THEIRS])),
            ] {
                let hash = HEXLOWER.encode(&Sha256::digest(&password));
                let user = json!({"password_sha256": hash, "role": role, "accounts": accounts});
                set(&format!("local/users/{name}"), &user.to_string()).await;
            }
            let vendor = json!({"secret": secret, "account": THEIRS});
            set("local/vendors/it-vendor", &vendor.to_string()).await;
            // Longer than a function keeps in memory that there were none.
            tokio::time::sleep(Duration::from_millis(1500)).await;
            let basic = |name: &str, password: &str| {
                Credentials::Basic(name.to_owned(), password.to_owned())
            };
            let caller =
                |who, role, credentials, accounts| Caller { who, credentials, role, accounts };
            vec![
                caller("admin", Role::Admin, basic("admin", &admin.password), &["*"]),
                caller("their admin", Role::Admin, basic("it-admin", &password), &[THEIRS]),
                caller("viewer", Role::Viewer, basic("viewer", &viewer.password), &["*"]),
                caller("their viewer", Role::Viewer, basic("it-viewer", &password), &[THEIRS]),
                caller("our partner", Role::Partner, basic("partner", &partner.password), &[OURS]),
                caller("their partner", Role::Partner, basic("it-partner", &password), &[THEIRS]),
                caller(
                    "partner of both",
                    Role::Partner,
                    basic("it-both", &password),
                    &[OURS, THEIRS],
                ),
                caller(
                    "our vendor",
                    Role::Vendor,
                    Credentials::Secret(stack().vendor_secret.clone()),
                    &[OURS],
                ),
                caller("their vendor", Role::Vendor, Credentials::Secret(secret), &[THEIRS]),
                caller("nobody", Role::Nobody, Credentials::None, &[]),
                caller("wrong password", Role::Nobody, basic("admin", "canary-password"), &[]),
                caller(
                    "wrong secret",
                    Role::Nobody,
                    Credentials::Secret("canary-secret".to_owned()),
                    &[],
                ),
            ]
        })
        .await
}

pub async fn set(parameter: &str, value: &str) {
    let ssm = stack().ssm(&Calls::default());
    let put = ssm.put_parameter().name(format!("/waypost/{parameter}")).value(value);
    put.overwrite(true).r#type("SecureString".into()).send().await.unwrap();
}

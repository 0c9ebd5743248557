//! Every route that takes an account: its parameter, the roles it allows and its statuses.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::support::{Caller, OURS, Role, THEIRS};

pub const UNKNOWN_ACCOUNT: &str = "STORE404";
/// The accounts that a request may name.
pub const ACCOUNTS: [Option<&str>; 4] = [Some(OURS), Some(THEIRS), Some(UNKNOWN_ACCOUNT), None];

pub struct Route {
    pub key: &'static str,
    pub account: AccountParameter,
    resource: Resource,
    success: u16,
    /// The status for an account without this order, or without any data.
    pub unknown: u16,
}

/// The place of a request's account code, and the name of its field.
#[derive(Clone, Copy)]
pub enum AccountParameter {
    Query(&'static str),
    /// Callers with several accounts may leave it out.
    OptionalQuery(&'static str),
    Body(&'static str),
    /// Callers with one account must send it too.
    RequiredBody(&'static str),
}

/// Roles are authorized per resource.
#[derive(Clone, Copy)]
enum Resource {
    Orders,
    Messages,
    InboundLog,
    /// Admins only.
    Operations,
}

impl Resource {
    /// The status for roles without access.
    fn denies(self, role: Role) -> Option<u16> {
        match (role, self) {
            (Role::Unauthenticated, _) => Some(401),
            (Role::Admin, _)
            | (Role::Viewer, Self::InboundLog)
            | (Role::Partner, Self::Orders | Self::Messages)
            | (Role::Vendor, Self::Orders) => None,
            _ => Some(403),
        }
    }
}

const fn route(
    key: &'static str,
    account: AccountParameter,
    resource: Resource,
    success: u16,
    unknown: u16,
) -> Route {
    Route { key, account, resource, success, unknown }
}

pub const ROUTES: [Route; 15] = [
    route(
        "POST /api/external/orders",
        AccountParameter::Body("accountCode"),
        Resource::Orders,
        201,
        201,
    ),
    route(
        "GET /api/external/orders",
        AccountParameter::Query("accountCode"),
        Resource::Orders,
        200,
        200,
    ),
    route(
        "GET /api/external/orders/{order_id}",
        AccountParameter::Query("account_code"),
        Resource::Orders,
        200,
        404,
    ),
    route(
        "PATCH /api/external/orders/{order_id}",
        AccountParameter::Body("accountCode"),
        Resource::Orders,
        200,
        404,
    ),
    route(
        "PATCH /api/external/orders/{order_id}",
        AccountParameter::Query("accountCode"),
        Resource::Orders,
        200,
        404,
    ),
    route(
        "POST /api/external/orders/{order_id}/status",
        AccountParameter::Body("account_code"),
        Resource::Orders,
        202,
        404,
    ),
    route(
        "POST /api/external/orders/{order_id}/status",
        AccountParameter::Query("accountCode"),
        Resource::Orders,
        202,
        404,
    ),
    route(
        "POST /api/external/orders/{order_id}/shipments",
        AccountParameter::Body("accountCode"),
        Resource::Orders,
        201,
        404,
    ),
    route(
        "DELETE /api/external/orders/{order_id}/timeline/{report_id}",
        AccountParameter::Query("accountCode"),
        Resource::Orders,
        // The order has no such report.
        404,
        404,
    ),
    route(
        "POST /api/orders/message-tracking",
        AccountParameter::RequiredBody("account_code"),
        Resource::Messages,
        201,
        404,
    ),
    route(
        "GET /api/orders/{order_id}/messages",
        AccountParameter::Query("account_code"),
        Resource::Messages,
        200,
        404,
    ),
    route(
        "GET /api/messages/whatsapp",
        AccountParameter::Query("account_code"),
        Resource::Messages,
        200,
        200,
    ),
    route(
        "GET /api/webhooks/logs",
        AccountParameter::OptionalQuery("account_code"),
        Resource::InboundLog,
        200,
        200,
    ),
    route(
        "GET /api/orders/stale",
        AccountParameter::Query("accountCode"),
        Resource::Operations,
        200,
        200,
    ),
    route(
        "POST /api/orders/trigger-webhook",
        AccountParameter::Body("account_code"),
        Resource::Operations,
        200,
        404,
    ),
];

/// Routes without an account parameter. A webhook's account comes from its hook or source, an
/// event's from its row (see `inbound_log/access.rs`); sync runs have none (see `sync_runs.rs`).
const WITHOUT_ACCOUNT: [&str; 15] = [
    "GET /webhooks/health",
    "GET /api/webhooks/shiprocket",
    "HEAD /api/webhooks/shiprocket",
    "POST /api/webhooks/shiprocket",
    "GET /college/whatsapp/webhook",
    "POST /college/whatsapp/webhook",
    "GET /webhooks/{source}",
    "HEAD /webhooks/{source}",
    "POST /webhooks/{source}",
    "GET /webhooks/{source}/{hook_id}",
    "HEAD /webhooks/{source}/{hook_id}",
    "POST /webhooks/{source}/{hook_id}",
    "GET /api/webhooks/logs/{id}",
    "POST /api/webhooks/retry/{id}",
    "GET /api/sync/runs",
];

#[test]
fn lists_every_route_of_the_template() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let script = root.join("tools/local/list_routes.py");
    let listed = Command::new(root.join(".venv/bin/python")).arg(script).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let known: BTreeSet<&str> =
        ROUTES.iter().map(|route| route.key).chain(WITHOUT_ACCOUNT).collect();
    assert_eq!(known, listed.lines().collect());
}

impl Route {
    /// openapi.yaml documents only camelCase for bodies of orders.
    pub fn is_documented(&self) -> bool {
        !matches!(
            (self.resource, self.account),
            (Resource::Orders, AccountParameter::Body("account_code"))
        )
    }

    /// The expected status, and the only account whose data the response may show.
    pub fn expects(
        &self,
        caller: &Caller,
        named: Option<&'static str>,
    ) -> (u16, Option<&'static str>) {
        if let Some(status) = self.resource.denies(caller.role) {
            return (status, None);
        }
        let account = match (named, self.account) {
            (None, AccountParameter::RequiredBody(_)) => None,
            (None, AccountParameter::OptionalQuery(_)) => {
                return (self.success, caller.only_account());
            }
            (None, _) => caller.only_account(),
            (Some(named), _) if caller.has(named) => Some(named),
            (Some(_), _) => return (403, None),
        };
        match account {
            None => (422, None),
            Some(UNKNOWN_ACCOUNT) => (self.unknown, None),
            account => (self.success, account),
        }
    }
}

//! Every route of openapi.yaml × every role × everything of another account that a request can
//! name. Answers must be those about what does not exist, and the other account stays as it is.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::join_all;
use serde_json::{Value, json};

use super::operations::{Kind, Named, Operation, Place, operations};
use super::things::{Account, Things};
use crate::support::{
    Answer, Caller, Calls, Role, TestEndpoint, callers_of, eventually, http, stack,
};

const OWN: &str = "ISOLATED-OWN";
const OWN_NUMBER: &str = "106540352242950";
const FOREIGN: &str = "ISOLATED-FOREIGN";
const FOREIGN_NUMBER: &str = "106540352242951";
/// Only for admins of all accounts.
const ALL_ACCOUNTS: [&str; 2] = ["listRuns", "listQueues"];

/// The requests to one route.
struct Route<'a> {
    operation: &'a Operation,
    accounts: [&'a Account; 2],
    own: Things,
    foreign: Things,
    missing: Things,
}

impl<'a> Route<'a> {
    async fn new(operation: &'a Operation, accounts: [&'a Account; 2]) -> Self {
        let own = Things::create(accounts[0], operation).await;
        let foreign = Things::create(accounts[1], operation).await;
        Self { operation, accounts, missing: Things::missing(&own), own, foreign }
    }

    async fn check(&self, callers: &[Caller]) {
        // A provider's credentials are those of its own hook, whoever calls.
        let callers = callers
            .iter()
            .filter(|caller| !self.operation.is_webhook() || caller.role == Role::Unauthenticated);
        for caller in callers {
            self.check_own(caller).await;
            for named in self.foreign_names() {
                self.check_foreign(caller, &named).await;
            }
        }
    }

    /// The request is good: it is refused for what it names, and for nothing else.
    async fn check_own(&self, caller: &Caller) {
        let answer = self.ask(caller, None).await;
        let context = format!("{} as {}: {}", self.operation.id, caller.name, answer.json);
        let expected = match caller.role {
            _ if self.operation.is_webhook() || self.operation.is_public() => return,
            role if self.operation.allows(role) && !ALL_ACCOUNTS.contains(&&*self.operation.id) => {
                return assert!(self.operation.successes.contains(&answer.status), "{context}");
            }
            Role::Unauthenticated => 401,
            _ => 403,
        };
        assert_eq!(answer.status, expected, "{context}");
    }

    async fn check_foreign(&self, caller: &Caller, named: &Named) {
        let foreign = self.ask(caller, Some((named, &self.foreign))).await;
        let missing = self.ask(caller, Some((named, &self.missing))).await;
        let context = format!(
            "{} as {}, {:?} {}: {}",
            self.operation.id, caller.name, named.place, named.name, foreign.json
        );
        assert_eq!(comparable(&foreign), comparable(&missing), "{context}");
        // A list is empty for an unknown order.
        let must_exist = matches!(
            named.kind,
            Kind::Account
                | Kind::Order
                | Kind::Orders
                | Kind::Report
                | Kind::Event
                | Kind::Hook
                | Kind::Delivery
                | Kind::Job
        ) && !(named.kind == Kind::Order && named.place == Place::Query);
        let is_declared = self.operation.named().iter().any(|other| is_same(other, named));
        if must_exist && is_declared && !self.operation.is_webhook() {
            assert!((401..=404).contains(&foreign.status), "{context}");
        }
    }

    /// About own things, but for this one.
    async fn ask(&self, caller: &Caller, other: Option<(&Named, &Things)>) -> Answer {
        let names = self.operation.named().into_iter().filter(|named| {
            named.required && other.is_none_or(|(other, _)| !is_same(other, named))
        });
        let mut values: Vec<(Named, Value)> =
            names.map(|named| (named.clone(), self.own.own_value(&named))).collect();
        values.extend(other.map(|(named, things)| (named.clone(), things.value(named.kind))));
        let mut request = caller.sign(self.operation.request(&http::client(), &values));
        if self.operation.is_webhook() {
            request = request.header("x-api-key", &self.accounts[0].hook_secret);
        }
        let answer = http::send_undocumented(request).await.of_first_failure();
        let text = answer.json.to_string();
        assert!(!text.contains(&self.accounts[1].canary), "{}: {text}", self.operation.id);
        answer
    }

    /// What the route declares, and the account wherever another route takes it.
    fn foreign_names(&self) -> Vec<Named> {
        let mut names = self.operation.named();
        let mut places = vec![
            (Place::Query, "accountCode"),
            (Place::Query, "account_code"),
            (Place::Header, "x-account-code"),
        ];
        if self.operation.has_body() {
            places.extend([(Place::Body, "accountCode"), (Place::Body, "account_code")]);
        }
        for (place, name) in places {
            let account =
                Named { place, name: name.to_owned(), kind: Kind::Account, required: false };
            if !names.iter().any(|named| named.place == place && named.name == name) {
                names.push(account);
            }
        }
        names
    }
}

/// True for two spellings of the account, too.
fn is_same(one: &Named, other: &Named) -> bool {
    let is_account = one.kind == Kind::Account && other.kind == Kind::Account;
    one.place == other.place && (one.name == other.name || is_account)
}

/// An error whole; of a success the status and the names of its fields, as it quotes the request.
/// An empty page may have a `next_page`: a list reads a limited number of rows for one page, and
/// endpoints of other tests share the partitions of some names.
fn comparable(answer: &Answer) -> (u16, Value) {
    match answer.json.as_object() {
        // An erasure is accepted the first time (202) and may be done the second (200).
        Some(fields) if answer.status < 300 => {
            let names = fields.keys().filter(|name| *name != "next_page");
            (200, json!(names.collect::<Vec<_>>()))
        }
        _ => (answer.status, answer.json.clone()),
    }
}

/// Every row of an account, in all tables, but for the counts of what its paths denied.
async fn rows_of(account: &str) -> BTreeSet<String> {
    let mut rows = BTreeSet::new();
    for table in stack().tables.values() {
        let mut pages = stack()
            .dynamodb(&Calls::default())
            .scan()
            .table_name(table)
            .filter_expression("(contains(pk, :code) OR account = :code) AND pk <> :denied")
            .expression_attribute_values(":code", AttributeValue::S(account.to_owned()))
            .expression_attribute_values(":denied", AttributeValue::S("denied".to_owned()))
            .into_paginator()
            .items()
            .send();
        while let Some(row) = pages.next().await {
            let row: std::collections::BTreeMap<_, _> = row.unwrap().into_iter().collect();
            rows.insert(format!("{table}: {row:?}"));
        }
    }
    rows
}

/// The rows once no event of the account is being worked on.
async fn settled_rows(account: &str) -> BTreeSet<String> {
    eventually(&format!("rows of {account} to settle"), async || {
        let before = rows_of(account).await;
        let path = format!("/api/webhooks/logs?status=received&account_code={account}");
        let waiting = stack().user("admin", "GET", &path, None).await;
        let is_settled = waiting.json["items"] == json!([]);
        (is_settled && rows_of(account).await == before).then_some(before)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reveals_and_changes_nothing_of_another_account() {
    let settings = json!({"format": "status_update", "accounts": [FOREIGN]});
    let _endpoint = TestEndpoint::new(settings, json!([])).await;
    let callers = callers_of(OWN, "isolated").await;
    let (own, foreign) =
        (Account::new(OWN, OWN_NUMBER).await, Account::new(FOREIGN, FOREIGN_NUMBER).await);
    let operations = operations();
    let routes = operations.iter().map(|operation| Route::new(operation, [&own, &foreign]));
    let routes = join_all(routes).await;

    let before = settled_rows(FOREIGN).await;
    assert!(before.len() > routes.len(), "{before:#?}");
    join_all(routes.iter().map(|route| route.check(&callers))).await;
    settled_rows(OWN).await;
    let after = settled_rows(FOREIGN).await;
    assert_eq!(before.symmetric_difference(&after).collect::<Vec<_>>(), [] as [&String; 0]);
}

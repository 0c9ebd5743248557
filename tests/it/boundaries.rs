//! The dependency rules between crates.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// The normal dependencies of each workspace member.
fn members() -> BTreeMap<String, Vec<String>> {
    let cargo = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&cargo.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter();
    packages
        .map(|package| (package["name"].as_str().unwrap().to_owned(), normal_dependencies(package)))
        .collect()
}

fn normal_dependencies(package: &Value) -> Vec<String> {
    let all = package["dependencies"].as_array().unwrap().iter();
    all.filter(|dependency| dependency["kind"].is_null())
        .map(|dependency| dependency["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn domain_and_sources_do_no_io() {
    let members = members();
    let io = ["tokio", "reqwest", "hyper", "lambda", "aws", "futures"];
    for pure in ["domain", "sources"] {
        for dependency in &members[pure] {
            assert!(
                !io.iter().any(|prefix| dependency.starts_with(prefix)),
                "{pure} depends on {dependency}"
            );
        }
    }
}

/// The whole dependency tree, dev-dependencies included.
#[test]
fn tests_of_domain_and_sources_build_no_sdk() {
    let tree = Command::new(env!("CARGO"))
        .args([
            "tree",
            "-p",
            "domain",
            "-p",
            "sources",
            "--prefix",
            "none",
            "--offline",
            "-e",
            "normal,build,dev",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let tree = String::from_utf8(tree.stdout).unwrap();
    assert!(tree.contains("domain") && tree.contains("sources"));
    let sdk = tree
        .lines()
        .find(|line| ["aws", "tokio ", "hyper"].iter().any(|name| line.starts_with(name)));
    assert_eq!(sdk, None);
}

/// Every request to a third party leaves through `egress`; the HTTP client of `aws` is for AWS.
#[test]
fn only_egress_and_aws_have_an_http_client() {
    let clients = ["reqwest", "hyper", "hyper-util", "ureq", "isahc", "curl"];
    let mut with_client = BTreeSet::new();
    for (name, dependencies) in members() {
        if dependencies.iter().any(|dependency| clients.contains(&dependency.as_str())) {
            with_client.insert(name);
        }
    }
    assert_eq!(with_client, BTreeSet::from(["aws".to_owned(), "egress".to_owned()]));
}

/// Only the functions that call third parties build the HTTP client; and the simulation, which
/// has all functions, and the program that the benchmark compares them with.
#[test]
fn only_functions_that_call_third_parties_depend_on_egress() {
    let members = members();
    let users =
        members.iter().filter(|(_, dependencies)| dependencies.contains(&"egress".to_owned()));
    let users: Vec<&str> = users.map(|(name, _)| name.as_str()).collect();
    assert_eq!(users, ["baseline", "deliver", "poll", "push", "sim", "tester"]);
}

#[test]
fn dependencies_point_one_way() {
    let members = members();
    let allowed = |name: &str| match name {
        "domain" => vec![],
        "sources" | "aws" => vec!["domain"],
        "doubles" | "egress" | "e2e" | "receiver-sample" => vec![],
        "bench" => vec!["domain", "doubles", "sources"],
        _function => vec!["domain", "sources", "aws", "egress"],
    };
    // The simulation has all functions.
    for (name, dependencies) in members.iter().filter(|(name, _)| *name != "sim") {
        for dependency in dependencies.iter().filter(|dependency| members.contains_key(*dependency))
        {
            assert!(allowed(name).contains(&dependency.as_str()), "{name} depends on {dependency}");
        }
    }
}

//! End-to-end tests against the deployed template: HTTP in and out, table rows and queue depths.
//!
//! `make e2e` starts the local stack and writes `target/local/stack.json`. All tests share that
//! stack and run in parallel, so each creates its own orders and ignores those of other tests.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

mod authentication;
mod bad_inputs;
mod boundaries;
mod budget;
mod console;
mod delivery;
mod end_to_end;
mod endpoints_api;
mod erasure;
mod field;
mod inbound_log;
mod inbound_webhooks;
mod live;
mod messages;
mod metrics;
mod orders_api;
mod parcels;
mod process_limits;
mod queues;
mod samples;
mod stale_orders;
mod support;
mod sweep;
mod sync;
mod sync_runs;
mod tenants;
mod trace;
mod track;
mod trigger_webhook;
mod webhook_test;
mod whatsapp;

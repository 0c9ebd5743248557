//! The deployed template, driven from outside: HTTP in, HTTP out, rows and queue depths in between.
//!
//! `make e2e` starts the stack these tests read from `target/local/stack.json`. They run side by side on one stack,
//! so each makes orders of its own and looks only at what concerns them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

mod accounts;
mod bad_inputs;
mod boundaries;
mod callers;
mod crash;
mod delivering;
mod log;
mod main_way;
mod messages;
mod orders_api;
mod runs;
mod samples;
mod stale;
mod support;
mod sweeping;
mod sync;
mod trigger;
mod webhooks;
mod whatsapp;

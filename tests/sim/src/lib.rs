//! A deterministic simulation of the whole system under faults.
//!
//! All functions run in one process, on one thread, with paused time. A seed decides everything
//! else: who calls what and when, which faults strike, and how long each step takes. The functions
//! are the deployed code; DynamoDB, SQS and SSM are the models of the crate `doubles`; Lambda, the
//! scheduler, customers' servers and the carrier are in this crate. The judge then holds what
//! callers were promised against what happened.

mod actors;
pub mod bugs;
mod call;
pub mod campaign;
mod clock;
mod describe;
mod edge;
mod faults;
mod flows;
mod groups;
mod internet;
mod judge;
pub mod kills;
mod lambda;
mod ledger;
mod logs;
mod releases;
mod run;
mod sandbox;
pub mod scenarios;
mod setup;
mod sockets;
mod story;
mod survey;
mod topology;
mod world;

pub use run::{Outcome, run};
pub use topology::Topology;

//! What clients of sockets saw, and what was lost on the way to them.

use serde_json::Value;

use crate::sandbox::SandboxId;

#[derive(Default)]
pub(crate) struct SocketsLedger {
    pub(crate) seen: Vec<Seen>,
    pub(crate) gone: Vec<Gone>,
    /// When a function logged that it lost updates.
    pub(crate) lost_at: Vec<u64>,
}

/// A frame that a client read.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) client: usize,
    pub(crate) frame: Value,
}

/// A post to a socket that is closed.
#[derive(Debug, Clone)]
pub(crate) struct Gone {
    pub(crate) connection: String,
    pub(crate) sandbox: SandboxId,
    pub(crate) at: u64,
}

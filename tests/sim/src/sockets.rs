//! The clients of sockets: what each may see, what it knows, and the socket that it has.

use std::collections::BTreeMap;

use domain::core::id::{AccountCode, OrderId};
use doubles::websockets::WebSockets;
use serde_json::Value;

use crate::call::{Answer, Call};
use crate::ledger::sockets::{Gone, Seen};
use crate::sandbox::SandboxId;
use crate::world::State;

#[derive(Default)]
pub(crate) struct Sockets {
    pub(crate) api: WebSockets,
    pub(crate) clients: Vec<Client>,
}

/// Somebody who watches an account, or one order of it.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) account: AccountCode,
    pub(crate) order: Option<OrderId>,
    /// The highest version of each order that it saw.
    pub(crate) known: BTreeMap<OrderId, u64>,
    pub(crate) socket: Option<String>,
    /// When it last asked to be registered on this socket.
    pub(crate) asked_at: u64,
    pub(crate) is_registered: bool,
    pub(crate) has_pong: bool,
}

impl Client {
    pub(crate) fn new(account: AccountCode, order: Option<OrderId>) -> Self {
        Self {
            account,
            order,
            known: BTreeMap::new(),
            socket: None,
            asked_at: 0,
            is_registered: false,
            has_pong: true,
        }
    }

    /// It has another socket now, or none.
    pub(crate) fn connect(&mut self, socket: Option<String>) {
        (self.socket, self.is_registered, self.has_pong) = (socket, false, true);
    }

    /// Takes a frame.
    fn read(&mut self, frame: &Value) {
        match frame["type"].as_str() {
            Some("registered") => self.is_registered = true,
            Some("pong") => self.has_pong = true,
            Some("order_update") => {
                let order = frame["orderId"].as_str().and_then(|id| OrderId::parse(id).ok());
                if let (Some(order), Some(version)) = (order, frame["version"].as_u64()) {
                    let known = self.known.entry(order).or_default();
                    *known = version.max(*known);
                }
            }
            Some("error") if frame["code"] == "not_connected" => self.connect(None),
            _ => {}
        }
    }
}

impl State {
    /// Carries out a call of `@connections`.
    pub(crate) fn execute_sockets(
        &mut self,
        sandbox: SandboxId,
        call: &Call,
        now: u64,
    ) -> Result<Value, Answer> {
        let text = |name: &str| call.request[name].as_str().unwrap_or_default();
        let posted = self.sockets.api.post(text("connection"), text("data"), now);
        posted.map(|()| Value::Null).map_err(|failure| {
            let connection = text("connection").to_owned();
            self.ledger.sockets.gone.push(Gone { connection, sandbox, at: now });
            Answer { status: 410, ..failure.into() }
        })
    }

    /// A client reads the frames that have come.
    pub(crate) fn read_frames(&mut self, client: usize) {
        let Some(socket) = self.sockets.clients[client].socket.clone() else { return };
        for text in self.sockets.api.take_frames(&socket) {
            let frame: Value = serde_json::from_str(&text).unwrap_or_default();
            self.tell(&format!("client-{client}"), || format!("reads {text}"));
            self.sockets.clients[client].read(&frame);
            self.ledger.sockets.seen.push(Seen { client, frame });
        }
    }

    /// True if the client's socket is open.
    pub(crate) fn is_connected(&mut self, client: usize) -> bool {
        let now = self.now();
        let Some(socket) = self.sockets.clients[client].socket.clone() else { return false };
        self.sockets.api.is_open(&socket, now)
    }
}

//! The WebSocket API in front of `realtime`.

use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::spawn_local;
use tokio::time::sleep;

use super::Lambda;

const FUNCTION: &str = "realtime";
/// API Gateway notices within so many milliseconds that a client is gone.
const UNNOTICED_MS: u64 = 60_000;

impl Lambda {
    /// Opens a socket with a ticket. `None` if the client sees the handshake fail.
    pub(crate) async fn connect(
        self: &Rc<Self>,
        ticket: &str,
        origin: Option<&str>,
    ) -> Option<String> {
        self.world.pause(30).await;
        let (faults, socket) = {
            let state = &mut *self.world.lock();
            (state.faults, state.sockets.api.begin(crate::clock::now_ms()))
        };
        let mut rest = json!({ "multiValueQueryStringParameters": { "ticket": [ticket] } });
        if let Some(origin) = origin {
            rest["multiValueHeaders"] = json!({ "Origin": [origin] });
        }
        let fails = self.world.lock().strikes("invoke", faults.invoke);
        let status = if fails { 503 } else { self.event("CONNECT", &socket, rest).await };
        let mut state = self.world.lock();
        state.tell("sockets", || format!("{socket} is answered {status}"));
        let now = state.now();
        if status != 200 {
            state.sockets.api.close(&socket);
            return None;
        }
        state.sockets.api.open(&socket, now);
        if state.strikes("lose_response", faults.lose_response) {
            drop(state);
            self.disconnect(&socket);
            return None;
        }
        Some(socket)
    }

    /// Sends a frame of a client.
    pub(crate) async fn send_frame(&self, socket: &str, frame: &Value) {
        self.world.pause(30).await;
        let now = crate::clock::now_ms();
        if !self.world.lock().sockets.api.receive(socket, now) {
            return;
        }
        let chance = self.world.lock().faults.invoke;
        if self.world.lock().strikes("invoke", chance) {
            return;
        }
        let frame = match self.world.lock().bug {
            Some(bug) => bug.frame(frame),
            None => frame.clone(),
        };
        self.event("MESSAGE", socket, json!({ "body": frame.to_string() })).await;
    }

    /// A client is gone. API Gateway notices at once or later, and tells the function; now and then it
    /// does not.
    pub(crate) fn disconnect(self: &Rc<Self>, socket: &str) {
        let (lambda, socket) = (Rc::clone(self), socket.to_owned());
        let (after, is_told) = {
            let random = &mut self.world.lock().random;
            let after = if random.bool() { 0 } else { random.u64(..UNNOTICED_MS) };
            (after, random.u8(..4) > 0)
        };
        spawn_local(async move {
            sleep(Duration::from_millis(after)).await;
            lambda.world.lock().sockets.api.close(&socket);
            lambda.world.tell("sockets", || format!("{socket} is closed"));
            if is_told {
                lambda.event("DISCONNECT", &socket, json!({})).await;
            }
        });
    }

    /// Returns the status of the answer.
    async fn event(&self, kind: &str, socket: &str, mut event: Value) -> u64 {
        let topology = std::sync::Arc::clone(&self.world.lock().topology);
        let Some(spec) = topology.function(FUNCTION) else { return 500 };
        event["requestContext"] = json!({ "connectionId": socket, "eventType": kind });
        event["isBase64Encoded"] = false.into();
        match self.invoke(spec, event).await {
            Some(Ok(answer)) => answer["status"].as_u64().unwrap_or(500),
            _ => 500,
        }
    }
}

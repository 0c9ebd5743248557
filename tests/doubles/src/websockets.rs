//! API Gateway's WebSocket API: sockets, and what `@connections` answers about them.
//!
//! A socket opens with the answer of `$connect`; until then a post finds nobody. API Gateway closes a
//! socket after two hours, and after ten minutes without a frame. It does not notice at once that a
//! client is gone: posts succeed for a while, unread.

use std::collections::BTreeMap;

use crate::failure::Failure;

#[cfg(test)]
mod tests;

/// In milliseconds.
const LIFE: u64 = 2 * 60 * 60 * 1000;
const IDLE: u64 = 10 * 60 * 1000;
/// Of a frame, in bytes.
const MAX_FRAME: usize = 128 * 1024;

#[derive(Debug, Default)]
pub struct WebSockets {
    sockets: BTreeMap<String, Socket>,
    handshakes: u64,
}

#[derive(Debug)]
struct Socket {
    opened_at: Option<u64>,
    last_frame_at: u64,
    /// Since the client took them.
    frames: Vec<String>,
}

impl WebSockets {
    /// Begins a handshake. Returns the connection id that `$connect` gets.
    pub fn begin(&mut self, now: u64) -> String {
        self.handshakes += 1;
        // Real ids have such an ending, too, which URLs escape.
        let id = format!("socket{}=", self.handshakes);
        let socket = Socket { opened_at: None, last_frame_at: now, frames: Vec::new() };
        self.sockets.insert(id.clone(), socket);
        id
    }

    /// `$connect` was answered 2xx.
    pub fn open(&mut self, id: &str, now: u64) {
        if let Some(socket) = self.sockets.get_mut(id) {
            (socket.opened_at, socket.last_frame_at) = (Some(now), now);
        }
    }

    /// Also ends a handshake that was refused.
    pub fn close(&mut self, id: &str) {
        self.sockets.remove(id);
    }

    /// The client sends a frame. False if its socket is closed.
    pub fn receive(&mut self, id: &str, now: u64) -> bool {
        let socket = self.find(id, now);
        if let Some(socket) = socket {
            socket.last_frame_at = now;
            return true;
        }
        false
    }

    pub fn is_open(&mut self, id: &str, now: u64) -> bool {
        self.find(id, now).is_some()
    }

    /// The operation `PostToConnection`.
    pub fn post(&mut self, id: &str, frame: &str, now: u64) -> Result<(), Failure> {
        if frame.len() > MAX_FRAME {
            return Err(failure("PayloadTooLargeException"));
        }
        let socket = self.find(id, now).ok_or_else(|| failure("GoneException"))?;
        socket.last_frame_at = now;
        socket.frames.push(frame.to_owned());
        Ok(())
    }

    /// The frames that came since the client took some.
    pub fn take_frames(&mut self, id: &str) -> Vec<String> {
        let socket = self.sockets.get_mut(id);
        socket.map(|socket| std::mem::take(&mut socket.frames)).unwrap_or_default()
    }

    fn find(&mut self, id: &str, now: u64) -> Option<&mut Socket> {
        let is_open = |socket: &Socket| {
            socket.opened_at.is_some_and(|at| now < at + LIFE) && now < socket.last_frame_at + IDLE
        };
        self.sockets.get_mut(id).filter(|socket| is_open(socket))
    }
}

fn failure(kind: &str) -> Failure {
    Failure { kind: kind.to_owned(), message: String::new(), query_error: None }
}

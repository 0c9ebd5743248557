//! Clients that watch orders live: each gets a ticket, opens a socket, registers with what it knows,
//! pings, and begins again when the socket breaks.

use std::time::Duration;

use domain::core::id::{AccountCode, OrderId, OrderKey};
use domain::page::TrackingLinks;
use futures::future::join_all;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::Actors;
use super::request::{anybody, user};
use crate::clock;
use crate::judge::orders::stored_order_of;
use crate::lambda::ApiRequest;
use crate::ledger::Promise;
use crate::setup::{ACCOUNTS, ADMIN, tracking};
use crate::sockets::Client;
use crate::world::State;

const PATH: &str = "/api/realtime/ticket";
const BEGIN_WITHIN_SECONDS: u64 = 90;
const MOST_SESSIONS: usize = 4;
const SESSION_SECONDS: u64 = 100;
const PING_EVERY: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A client that gets no answer for so long tries another socket.
const PATIENCE: Duration = Duration::from_secs(10);
const TRIES: usize = 20;

impl Actors {
    /// All sessions of all clients. Most are connected at the end.
    pub(super) async fn watch_orders(&self, clients: usize) {
        join_all((0..clients).map(|_| self.watch_one())).await;
    }

    async fn watch_one(&self) {
        self.wait_up_to(BEGIN_WITHIN_SECONDS).await;
        let Some(client) = self.world.lock().add_client() else { return };
        let sessions = self.world.lock().random.usize(1..=MOST_SESSIONS);
        for session in 1..=sessions {
            if !self.open_socket(client).await {
                return;
            }
            self.stay(client).await;
            if session < sessions || self.world.lock().random.u8(..4) == 0 {
                self.leave(client);
            }
            self.wait_up_to(10).await;
        }
    }

    /// Opens a socket, and registers on it. False if that never succeeds.
    async fn open_socket(&self, client: usize) -> bool {
        for _ in 0..TRIES {
            if self.connect(client).await && self.register(client).await {
                return true;
            }
            self.leave(client);
            self.world.pause(20_000).await;
        }
        false
    }

    async fn connect(&self, client: usize) -> bool {
        let (request, origin) = self.world.lock().ticket_request(client);
        let asked = self.ask(&request).await;
        self.expect(&asked, &[201], "a request for a ticket");
        let answer = asked.answer.map(|answer| answer.body).unwrap_or_default();
        let Some(ticket) = answer["ticket"].as_str() else { return false };
        let origin = origin.as_deref();
        let Some(socket) = self.lambda.connect(ticket, origin).await else { return false };
        self.world.tell(&format!("client-{client}"), || format!("opens {socket}"));
        self.world.lock().sockets.clients[client].connect(Some(socket));
        if self.world.lock().random.u8(..4) == 0
            && let Some(second) = self.lambda.connect(ticket, origin).await
        {
            let text = format!("the ticket of client-{client} opens a second socket");
            self.world.lock().ledger.violation(text);
            self.lambda.disconnect(&second);
        }
        true
    }

    async fn register(&self, client: usize) -> bool {
        let frame = {
            let mut state = self.world.lock();
            let client = &mut state.sockets.clients[client];
            (client.asked_at, client.is_registered) = (clock::now_ms(), false);
            json!({ "type": "register", "since": client.known })
        };
        self.send_frame(client, &frame).await;
        self.wait_for(client, |client| client.is_registered).await
    }

    async fn ping(&self, client: usize) -> bool {
        self.world.lock().sockets.clients[client].has_pong = false;
        self.send_frame(client, &json!({ "type": "ping" })).await;
        self.wait_for(client, |client| client.has_pong).await
    }

    async fn send_frame(&self, client: usize, frame: &Value) {
        let socket = self.world.lock().sockets.clients[client].socket.clone();
        if let Some(socket) = socket {
            self.lambda.send_frame(&socket, frame).await;
        }
    }

    /// Reads frames until the condition holds. False if that takes too long.
    async fn wait_for(&self, client: usize, is_done: impl Fn(&Client) -> bool) -> bool {
        let end = clock::elapsed() + PATIENCE;
        loop {
            self.world.lock().read_frames(client);
            if is_done(&self.world.lock().sockets.clients[client]) {
                return true;
            }
            if clock::elapsed() >= end {
                return false;
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Reads and pings, until the session is over or the socket breaks.
    async fn stay(&self, client: usize) {
        let end = clock::elapsed() + self.draw_wait(SESSION_SECONDS);
        let mut ping_at = clock::elapsed() + PING_EVERY;
        while clock::elapsed() < end {
            self.world.lock().read_frames(client);
            if !self.world.lock().is_connected(client) {
                return;
            }
            if clock::elapsed() >= ping_at {
                ping_at += PING_EVERY;
                if !self.ping(client).await {
                    return self.leave(client);
                }
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// The client goes, or its network does. It may not have read its last frames.
    fn leave(&self, client: usize) {
        let socket = {
            let mut state = self.world.lock();
            if state.random.bool() {
                state.read_frames(client);
            }
            let client = &mut state.sockets.clients[client];
            let socket = client.socket.take();
            client.connect(None);
            socket
        };
        if let Some(socket) = socket {
            self.lambda.disconnect(&socket);
        }
    }

    /// After all faults: what was lost is made up for.
    pub(crate) async fn register_once_more(&self) {
        self.read_last_frames();
        self.world.lock().check_told();
        let clients = self.world.lock().sockets.clients.len();
        for client in 0..clients {
            let is_there = self.world.lock().is_connected(client);
            let is_registered = is_there && self.register(client).await;
            if !is_registered && !self.open_socket(client).await {
                let text = format!("client-{client} never gets a socket");
                self.world.lock().ledger.violation(text);
            }
        }
    }

    pub(crate) fn read_last_frames(&self) {
        let mut state = self.world.lock();
        (0..state.sockets.clients.len()).for_each(|client| state.read_frames(client));
    }
}

impl State {
    /// Somebody watches an order that is there, or an account.
    fn add_client(&mut self) -> Option<usize> {
        let orders = self.ledger.orders.iter();
        let orders: Vec<OrderKey> = orders
            .filter(|(_, promise)| **promise == Promise::Accepted)
            .map(|(order, _)| order.clone())
            .collect();
        let is_of_account = orders.is_empty() || self.random.u8(..3) == 0;
        let client = if is_of_account {
            let account = ACCOUNTS[self.random.usize(..ACCOUNTS.len())];
            Client::new(AccountCode::parse(account).ok()?, None)
        } else {
            let OrderKey { account, order } = orders[self.random.usize(..orders.len())].clone();
            Client::new(account, Some(order))
        };
        self.sockets.clients.push(client);
        Some(self.sockets.clients.len() - 1)
    }

    /// A request of a user, or of a page by its link: then the socket has an origin.
    fn ticket_request(&mut self, client: usize) -> (ApiRequest, Option<String>) {
        let Client { account, order, .. } = &self.sockets.clients[client];
        let mut body = json!({ "account_code": account });
        let link = order.as_ref().and_then(|order| self.token_of(account, order));
        if let Some(order) = order {
            body["order_id"] = json!(order);
        }
        match link.filter(|_| self.random.bool()) {
            Some(token) => {
                body["token"] = token.into();
                (anybody("POST", PATH, &body), Some(tracking::SITE.to_owned()))
            }
            None => (user(ADMIN, "POST", PATH, &body), None),
        }
    }

    fn token_of(&self, account: &AccountCode, order: &OrderId) -> Option<String> {
        let key = OrderKey { account: account.clone(), order: order.clone() };
        let order = stored_order_of(self, &key)?.order();
        let links = TrackingLinks::parse(&tracking::setting()).ok()?;
        Some(links.of(&order).split_once("?t=")?.1.to_owned())
    }
}

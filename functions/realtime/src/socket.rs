//! The routes `$connect`, `$default` and `$disconnect`.

use std::collections::BTreeMap;

use aws::error::IoError;
use domain::core::id::OrderId;
use domain::core::timestamp::Timestamp;
use domain::live::{ClientFrame, Grant, Holder, SOCKET_LIFE, Scope, ServerFrame, Ticket};

use crate::Realtime;
use crate::event::{EventType, Single, SocketAnswer, SocketEvent};

impl Realtime {
    pub(crate) async fn serve(&self, event: &SocketEvent, now: Timestamp) -> SocketAnswer {
        let served = match event.request_context.event_type {
            EventType::Connect => self.connect(event, now).await,
            EventType::Message => self.reply(event, now).await,
            EventType::Disconnect => self.disconnect(event).await,
        };
        served.unwrap_or_else(|error| {
            tracing::error!(%error, "socket.failed");
            SocketAnswer::Unavailable
        })
    }

    /// Posted, as every other frame: API Gateway passes on a function's return value only if the route
    /// has a response.
    async fn reply(&self, event: &SocketEvent, now: Timestamp) -> Result<SocketAnswer, IoError> {
        let frame = self.receive(event, now).await.unwrap_or_else(|error| {
            tracing::error!(%error, "socket.failed");
            error_frame("unavailable", "try again later")
        });
        if let Some(open) = &self.sockets {
            open.sockets.post(&event.request_context.connection_id, &frame).await?;
        }
        Ok(SocketAnswer::Done)
    }

    /// Whatever is wrong, the answer is the same.
    async fn connect(&self, event: &SocketEvent, now: Timestamp) -> Result<SocketAnswer, IoError> {
        let ticket = match event.query("ticket") {
            Single::One(ticket) => Ticket::parse(ticket),
            Single::None | Single::Several => None,
        };
        let grant = match ticket {
            Some(ticket) => self.tickets.take(&ticket, now).await?,
            None => None,
        };
        let Some(grant) = grant else {
            tracing::warn!(reason = "ticket", "socket.refused");
            return Ok(SocketAnswer::Refused);
        };
        let account = &grant.scope.account;
        if !self.allows_origin(&grant, &event.origin(), now).await? {
            tracing::warn!(%account, reason = "origin", "socket.refused");
            return Ok(SocketAnswer::Refused);
        }
        self.connections.open(&event.request_context.connection_id, &grant, now).await?;
        tracing::info!(%account, holder = ?grant.holder, "socket.opened");
        Ok(SocketAnswer::Done)
    }

    /// A browser names the site that opens the socket. A program of a caller has none.
    async fn allows_origin(
        &self,
        grant: &Grant,
        origin: &Single<'_>,
        now: Timestamp,
    ) -> Result<bool, IoError> {
        match origin {
            Single::None => Ok(grant.holder == Holder::Caller),
            Single::Several => Ok(false),
            Single::One(origin) => {
                let links = self.links.get(now).await?;
                let account = &grant.scope.account;
                Ok(links.as_ref().as_ref().is_some_and(|it| it.allows_origin(account, origin)))
            }
        }
    }

    /// The frame that answers one of the client.
    async fn receive(&self, event: &SocketEvent, now: Timestamp) -> Result<String, IoError> {
        let Some(frame) = event.frame() else {
            return Ok(error_frame("malformed", "a frame must be text"));
        };
        match ClientFrame::read(frame) {
            Ok(ClientFrame::Ping) => Ok(ServerFrame::Pong.to_text()),
            Ok(ClientFrame::Register { since }) => {
                let connection = &event.request_context.connection_id;
                let Some(grant) = self.connections.find(connection, now).await? else {
                    return Ok(error_frame("not_connected", "connect again"));
                };
                self.register(connection, &grant.scope, &since, now).await?;
                Ok(ServerFrame::Registered.to_text())
            }
            Err(error) => Ok(error_frame("invalid", &error.to_string())),
        }
    }

    /// In this order no change is lost: one that is made before the client's orders are read is among
    /// those missed, and a later one is pushed.
    async fn register(
        &self,
        connection: &str,
        scope: &Scope,
        since: &BTreeMap<OrderId, u64>,
        now: Timestamp,
    ) -> Result<(), IoError> {
        self.connections.register(connection, scope, now).await?;
        let until = now.after(SOCKET_LIFE);
        match scope.order() {
            Some(order) => self.orders.watch(&order, until).await?,
            None => self.connections.watch(&scope.account, until).await?,
        }
        self.catch_up(connection, scope, since).await
    }

    async fn disconnect(&self, event: &SocketEvent) -> Result<SocketAnswer, IoError> {
        self.connections.close(&event.request_context.connection_id).await?;
        Ok(SocketAnswer::Done)
    }
}

fn error_frame(code: &'static str, message: &str) -> String {
    ServerFrame::Error { code, message }.to_text()
}

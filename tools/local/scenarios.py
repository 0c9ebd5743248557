"""Scenarios of check_permissions.py: together they make every call that the policies allow.

A scenario prepares its data with copies that have whole policies and returns the event for the
function under test. A new statement in template.yaml needs a scenario that makes its call.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import polling
import scenario_events as events
import scenario_messages as messages
import scenario_sockets as sockets
from function_copies import Copies
from invocations import batch, http, partner, user, vendor

Json = Any
NOWHERE = "http://127.0.0.1:1"
SLOW_LANE = "slow_deliveries"
NO_QUEUES = {"AWS_ENDPOINT_URL_SQS": NOWHERE}
NO_TABLES = {"AWS_ENDPOINT_URL_DYNAMODB": NOWHERE}


@dataclass(frozen=True)
class Scenario:
    """With all permissions, the event from `prepare` ends with the result `expected`."""

    function: str
    name: str
    prepare: Callable[[Copies], Json]
    expected: str
    environment: dict[str, str] = field(default_factory=dict)


SCENARIOS = [
    Scenario("inbound", "a webhook", events.webhook, "200"),
    Scenario("inbound", "a different webhook under a known id", events.reused_id, "200"),
    Scenario(
        "inbound", "a webhook while the queue is unreachable", events.webhook, "200", NO_QUEUES
    ),
    Scenario("orders", "a new order", events.new_order, "201"),
    Scenario(
        "orders", "list", lambda copies: http(copies, "GET", events.ORDERS, vendor(copies)), "200"
    ),
    Scenario(
        "orders",
        "list by status",
        lambda copies: http(copies, "GET", events.ORDERS, vendor(copies), query="status=pending"),
        "200",
    ),
    Scenario(
        "orders", "new AWB", lambda copies: events.patch(copies, awb=copies.unique("19")), "200"
    ),
    Scenario("orders", "an empty patch", events.patch, "200"),
    Scenario("orders", "a patch that removes a provider's id", events.freed_id, "200"),
    Scenario("orders", "a further parcel", events.shipment, "201"),
    Scenario("orders", "a withdrawal", events.withdrawal, "202"),
    *(
        Scenario(
            function, "wrong credentials", partial(events.wrong_credentials, method, path), "401"
        )
        for function, method, path in [
            ("orders", "GET", events.ORDERS),
            ("messages", "GET", "/api/messages/whatsapp"),
            ("ops", "GET", "/api/endpoints"),
            ("tester", "POST", "/api/external/webhook-test"),
            ("realtime", "POST", "/api/realtime/ticket"),
        ]
    ),
    Scenario("orders", "an erasure", events.erasure_request, "202"),
    Scenario("orders", "a repeated report", events.repeated_report, "202"),
    Scenario(
        "orders",
        "a report while the queue is unreachable",
        lambda copies: events.report(copies, events.create_order(copies), "k"),
        "202",
        NO_QUEUES,
    ),
    Scenario(
        "messages",
        "a message",
        lambda copies: events.message_status(copies, partner(copies)),
        "201",
    ),
    Scenario(
        "messages",
        "a provider's message",
        lambda copies: events.message_status(
            copies, partner(copies), message_id=copies.unique("wamid.")
        ),
        "201",
    ),
    Scenario("messages", "a message that was answered", events.record_of_answered, "201"),
    Scenario("messages", "a message to send", messages.send, "202"),
    Scenario(
        "messages",
        "a message to send while the queue is unreachable",
        lambda copies: messages.send(copies, with_order=False),
        "202",
        NO_QUEUES,
    ),
    Scenario("messages", "an order's messages", events.messages, "200"),
    Scenario("messages", "a conversation", events.conversation, "200"),
    *(
        Scenario("messages", f"a list of {name}", partial(events.provider_states, name), "200")
        for name in ("numbers", "templates")
    ),
    Scenario("messages", "an account's messages", events.account_messages, "200"),
    Scenario("messages", "figures", events.figures, "200"),
    Scenario(
        "messages",
        "a vendor without access",
        lambda copies: events.message_status(copies, vendor(copies)),
        "403",
    ),
    Scenario("process", "a report for a known order", events.known_report, "0 failed"),
    Scenario("process", "a report that teaches a parcel", events.taught_parcel, "0 failed"),
    Scenario("process", "a parked report", events.parked_report, "0 failed"),
    Scenario(
        "process",
        "a status of a message that is linked to its order",
        lambda copies: events.inbound_event(
            copies, events.whatsapp(copies, events.linked_message(copies))
        ),
        "0 failed",
    ),
    Scenario(
        "process",
        "statuses for phone numbers of several accounts",
        lambda copies: events.inbound_event(
            copies, events.whatsapp(copies, copies.unique("wamid."), number="1")
        ),
        "0 failed",
    ),
    Scenario(
        "process",
        "what WhatsApp says besides messages",
        lambda copies: events.inbound_event(copies, events.statements(copies)),
        "0 failed",
    ),
    Scenario("process", "the result of a send", messages.result_of_send, "0 failed"),
    Scenario("process", "a change with a rule", messages.change_with_rule, "0 failed"),
    Scenario("process", "a check of the rules", messages.check_of_rules, "0 failed"),
    Scenario("process", "an erasure", events.erasure, "1 failed"),
    Scenario(
        "process", "an unreadable message", lambda copies: batch(copies, "events", "?"), "0 failed"
    ),
    Scenario(
        "process",
        "a report while the tables are unreachable",
        events.known_report,
        "1 failed",
        NO_TABLES,
    ),
    Scenario(
        "deliver",
        "a delivery",
        lambda copies: events.delivery(copies, copies.stack["receiver_url"]),
        "0 failed",
    ),
    Scenario(
        "deliver",
        "a delivery to a removed endpoint",
        lambda copies: events.delivery(copies, None),
        "0 failed",
    ),
    Scenario(
        "deliver",
        "a delivery that fails",
        lambda copies: events.delivery(copies, NOWHERE),
        "1 failed",
    ),
    Scenario("deliver", "a delivery to a slow endpoint", events.slow_delivery, "0 failed"),
    Scenario("deliver", "a message", messages.message_to_send, "0 failed"),
    Scenario("deliver", "a message of a rule", messages.message_of_rule, "0 failed"),
    Scenario("deliver", "a message that waited", messages.message_that_waited, "0 failed"),
    Scenario(
        "deliver",
        "a message of a removed number",
        lambda copies: messages.message_to_send(copies, number="1"),
        "0 failed",
    ),
    Scenario(
        "deliver-slow",
        "a delivery",
        lambda copies: events.delivery(copies, copies.stack["receiver_url"], SLOW_LANE),
        "0 failed",
    ),
    Scenario(
        "deliver-slow",
        "a delivery to a removed endpoint",
        lambda copies: events.delivery(copies, None, SLOW_LANE),
        "0 failed",
    ),
    Scenario(
        "deliver-slow",
        "a delivery that fails",
        lambda copies: events.delivery(copies, NOWHERE, SLOW_LANE),
        "1 failed",
    ),
    Scenario("tester", "a test of an endpoint", events.endpoint_test, "200"),
    Scenario("tester", "a rotation of a secret", events.rotation, "200"),
    Scenario(
        "tester",
        "a vendor without access",
        lambda copies: http(copies, "POST", "/api/external/webhook-test", vendor(copies), {}),
        "403",
    ),
    Scenario("realtime", "a ticket for an order", sockets.ticket_of_order, "201"),
    Scenario("realtime", "a ticket for an account", sockets.ticket_of_account, "201"),
    Scenario("realtime", "a ticket by a link", sockets.ticket_by_token, "401"),
    Scenario("realtime", "a channel of Pusher", sockets.channel_by_token, "404"),
    Scenario(
        "realtime",
        "a vendor without access",
        lambda copies: http(copies, "POST", sockets.TICKET, vendor(copies), {}),
        "403",
    ),
    Scenario("realtime", "a socket that opens", sockets.opens, "200"),
    Scenario("realtime", "a socket of an order that registers", sockets.registers_order, "200"),
    Scenario("realtime", "a socket of an account that registers", sockets.registers_account, "200"),
    Scenario("realtime", "a socket that closes", sockets.closes, "200"),
    Scenario("push", "an update for a socket", sockets.update, "0 failed"),
    Scenario("process", "a change that somebody watches", sockets.watched_change, "0 failed"),
    Scenario("track", "a page with a message", messages.tracking_page, "200"),
    Scenario("sweep", "a pending event", events.pending_event, "done"),
    Scenario("sweep", "an overdue event", events.overdue_event, "done"),
    Scenario("sweep", "a due delivery", events.due_delivery, "done"),
    Scenario("sweep", "a paused endpoint", events.paused_endpoint, "done"),
    Scenario("sweep", "a removed endpoint", events.removed_endpoint, "done"),
    Scenario(
        "sweep",
        "a removed phone number",
        lambda copies: events.removed_endpoint(copies, "whatsapp:"),
        "done",
    ),
    Scenario(
        "sweep",
        "an order whose retention is over",
        events.expired_order,
        "done",
        {"ORDER_RETENTION_DAYS": "1"},
    ),
    Scenario(
        "sweep",
        "a redrive of deliveries",
        lambda copies: events.running_job(copies, "deliveries"),
        "done",
    ),
    Scenario(
        "sweep",
        "a redrive of events",
        lambda copies: events.running_job(copies, "events"),
        "done",
    ),
    Scenario("sync", "a manual run", lambda _: {"kind": "manual"}, "done"),
    Scenario("sync", "an hourly run", lambda _: {"kind": "hourly", "at": polling.moment()}, "done"),
    Scenario("sync", "a shard", polling.shard_to_plan, "0 failed"),
    Scenario(
        "sync", "an unreadable message", lambda copies: batch(copies, "shards", "?"), "0 failed"
    ),
    Scenario(
        "sync",
        "a shard while the tables are unreachable",
        polling.shard_to_plan,
        "1 failed",
        NO_TABLES,
    ),
    Scenario("poll", "a parcel with a new status", polling.known_parcel, "0 failed"),
    Scenario(
        "poll",
        "an unknown AWB of an account with its own credentials",
        polling.unknown_parcel,
        "0 failed",
    ),
    Scenario(
        "poll", "an unreadable message", lambda copies: batch(copies, "batches", "?"), "0 failed"
    ),
    Scenario(
        "poll",
        "a parcel while the tables are unreachable",
        polling.known_parcel,
        "1 failed",
        NO_TABLES,
    ),
    Scenario("ops", "the inbound log", events.inbound_log, "200"),
    Scenario(
        "ops", "failed events", lambda copies: events.inbound_log(copies, "status=failed"), "200"
    ),
    Scenario(
        "ops",
        "an event",
        lambda copies: events.logged_event(copies, "GET", "/api/webhooks/logs/{id}"),
        "200",
    ),
    Scenario(
        "ops",
        "a retry",
        lambda copies: events.logged_event(copies, "POST", "/api/webhooks/retry/{id}"),
        "202",
    ),
    Scenario(
        "ops",
        "a vendor without access",
        lambda copies: http(copies, "GET", "/api/webhooks/logs", vendor(copies)),
        "403",
    ),
    Scenario(
        "ops",
        "denied webhooks",
        lambda copies: events.admin_get(copies, "/api/webhooks/denied"),
        "200",
    ),
    Scenario("ops", "a pause of an endpoint", events.pause, "200"),
    Scenario("ops", "deliveries", events.list_of_deliveries, "200"),
    Scenario(
        "ops",
        "dead deliveries",
        lambda copies: events.list_of_deliveries(copies, "state=dead"),
        "200",
    ),
    # The other lists may find a whole page among today's.
    Scenario(
        "ops",
        "no deliveries",
        lambda copies: events.admin_get(copies, "/api/deliveries", "endpoint=none"),
        "200",
    ),
    Scenario(
        "ops",
        "no dead deliveries",
        lambda copies: events.admin_get(copies, "/api/deliveries", "endpoint=none&state=dead"),
        "200",
    ),
    Scenario(
        "ops",
        "no events",
        lambda copies: events.admin_get(copies, "/api/webhooks/logs", "account_code=NONE"),
        "200",
    ),
    Scenario(
        "ops",
        "deliveries of an order",
        lambda copies: events.list_of_deliveries(copies, "order_id=O-1&account_code=STORE001"),
        "200",
    ),
    Scenario(
        "ops",
        "a delivery",
        lambda copies: events.dead_delivery(copies, "GET", "/api/deliveries/{id}"),
        "200",
    ),
    Scenario(
        "ops",
        "a replay",
        lambda copies: events.dead_delivery(copies, "POST", "/api/deliveries/{id}/replay"),
        "202",
    ),
    Scenario("ops", "a redrive", lambda copies: events.redrive(copies, "deliveries"), "202"),
    Scenario(
        "ops",
        "a count of failed events",
        lambda copies: events.redrive(copies, "events", dry_run=True),
        "200",
    ),
    Scenario("ops", "a job", lambda copies: events.job(copies, "GET"), "200"),
    Scenario("ops", "the end of a job", lambda copies: events.job(copies, "DELETE"), "200"),
    Scenario("ops", "queues", lambda copies: events.admin_get(copies, "/api/queues"), "200"),
    Scenario(
        "ops",
        "a session",
        lambda copies: http(copies, "POST", "/api/session", user(copies, "viewer")),
        "200",
    ),
    Scenario("ops", "the audit log", lambda copies: events.admin_get(copies, "/api/audit"), "200"),
    Scenario("ops", "runs", lambda copies: events.admin_get(copies, "/api/sync/runs"), "200"),
    Scenario(
        "ops",
        "stale orders",
        lambda copies: events.admin_get(copies, "/api/orders/stale", "account_code=STORE001"),
        "200",
    ),
    # Last, as it waits 20 seconds: no function serves the copy of the deliveries queue.
    Scenario("ops", "a triggered webhook", events.trigger, "200"),
]

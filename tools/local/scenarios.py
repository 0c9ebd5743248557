"""Scenarios of check_permissions.py: together they make every call that the policies allow.

A scenario prepares its data with copies that have whole policies and returns the event for the
function under test. A new statement in template.yaml needs a scenario that makes its call.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import polling
from config import SETTINGS_PREFIX
from copies import Copies
from invocations import batch, http, partner, user, vendor
from settings import ACCOUNT

Json = Any
ORDERS = "/api/external/orders"
NOWHERE = "http://127.0.0.1:1"
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


def _webhook(copies: Copies, awb: str | None = None) -> Json:
    body = {
        "awb": awb or copies.unique("19"),
        "order_id": copies.unique("unknown-"),
        "shipment_status": "IN TRANSIT",
        "shipment_status_id": 18,
        "current_timestamp": "23 05 2023 11:43:52",
        "scans": [],
    }
    headers = {"x-api-key": copies.stack["sources"]["shiprocket"]["api_key"]}
    return http(copies, "POST", "/webhooks/{source}", headers, body, source="carrier")


def _whatsapp(copies: Copies, *messages: str, number: str | None = None) -> Json:
    """Statuses of messages; with a second phone number they belong to several accounts."""
    source = copies.stack["sources"]["whatsapp"]
    status = {"status": "delivered", "timestamp": "1750030073"}
    changes = [
        {
            "field": "messages",
            "value": {
                "messaging_product": "whatsapp",
                "metadata": {"phone_number_id": phone_number},
                "statuses": [{"id": message, **status} for message in messages],
            },
        }
        for phone_number in [source["phone_number_id"], number]
        if phone_number
    ]
    body = {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": changes}]}
    key, signed = source["app_secret"].encode(), json.dumps(body).encode()
    signature = hmac.new(key, signed, hashlib.sha256).hexdigest()
    headers = {"x-hub-signature-256": f"sha256={signature}"}
    return http(copies, "POST", "/webhooks/{source}", headers, body, source="whatsapp")


def _reused_id(copies: Copies) -> Json:
    """A different eSahayak event under an id that is already in the inbound log."""
    name = copies.unique("webhook_")

    def event(order: str) -> Json:
        data = {"order": {"id": copies.unique(order)}}
        body = {
            "id": name,
            "type": "order.delivered",
            "created_at": "2026-01-20T04:45:30Z",
            "data": data,
        }
        headers = {"x-esahayak-event": "order.delivered"}
        return http(copies, "POST", "/webhooks/{source}", headers, body, source="esahayak")

    copies.call("inbound", event("one-"))
    return event("other-")


def _new_order(copies: Copies, **profile: Json) -> Json:
    body = {"orderId": copies.unique("order-"), "awb": copies.unique("19")} | profile
    return http(copies, "POST", ORDERS, partner(copies), body)


def _order(copies: Copies, **profile: Json) -> str:
    return copies.call("orders", _new_order(copies, **profile)).body["orderId"]


def _event_message(event_id: str) -> str:
    return json.dumps({"v": 1, "event_id": event_id})


def _report(copies: Copies, order: str, key: str) -> Json:
    headers = vendor(copies) | {"idempotency-key": key}
    path = ORDERS + "/{order_id}/status"
    return http(copies, "POST", path, headers, {"status": "assigned"}, order_id=order)


def _repeated_report(copies: Copies) -> Json:
    order, key = _order(copies), copies.unique("key-")
    copies.call("orders", _report(copies, order, key))
    return _report(copies, order, key)


def _patch(copies: Copies, **body: Json) -> Json:
    order = _order(copies, awb=copies.unique("19"))
    return http(copies, "PATCH", ORDERS + "/{order_id}", vendor(copies), body, order_id=order)


def _message_status(copies: Copies, headers: dict[str, str], **message: str) -> Json:
    defaults = {"order_id": _order(copies), "account_code": ACCOUNT, "message_status": "sent"}
    return http(copies, "POST", "/api/orders/message-tracking", headers, defaults | message)


def _linked_message(copies: Copies, order: str | None = None) -> str:
    """The id of a provider's message that is linked to an order."""
    message = copies.unique("wamid.")
    fields = {"message_id": message} | ({"order_id": order} if order else {})
    copies.call("messages", _message_status(copies, partner(copies), **fields))
    return message


def _messages(copies: Copies) -> Json:
    order = _order(copies)
    _linked_message(copies, order)
    path = "/api/orders/{order_id}/messages"
    return http(copies, "GET", path, partner(copies), order_id=order)


def _conversation(copies: Copies) -> Json:
    query = "phone=919000000001"
    return http(copies, "GET", "/api/messages/whatsapp", partner(copies), query=query)


def _known_report(copies: Copies) -> Json:
    awb = copies.unique("19")
    _order(copies, awb=awb)
    return _carrier_event(copies, awb)


def _carrier_event(copies: Copies, awb: str) -> Json:
    return _inbound_event(copies, _webhook(copies, awb))


def _inbound_event(copies: Copies, webhook: Json) -> Json:
    """The events queue's message for a webhook that `inbound` has logged."""
    event_id = copies.call("inbound", webhook).body["event_id"]
    return batch(copies, "events", _event_message(event_id))


def _parked_report(copies: Copies) -> Json:
    """The event that reconciles an order with a report that came before it."""
    awb = copies.unique("19")
    copies.call("process", _carrier_event(copies, awb))
    order = _order(copies, awb=awb)
    rows = copies.aws["dynamodb"].scan(
        TableName=copies.of(copies.stack["tables"]["orders"]),
        FilterExpression="order_id = :order AND attribute_exists(adoption)",
        ExpressionAttributeValues={":order": {"S": order}},
    )["Items"]
    return batch(copies, "events", _event_message(rows[0]["adoption"]["S"]))


def _delivery(copies: Copies, url: str | None) -> Json:
    """A delivery to a new endpoint, or without a URL to one that does not exist."""
    endpoint = copies.unique("copy-")
    secret = "whsec_" + b64encode(bytes(32)).decode()
    values = {"secret": secret, "url": url, "settings": '{"backoff":[1]}'}
    for part, value in values.items() if url else ():
        name = f"{SETTINGS_PREFIX}/endpoints/{endpoint}/{part}"
        kind = "SecureString" if part == "secret" else "String"
        copies.aws["ssm"].put_parameter(Name=name, Value=value, Type=kind)
        copies.undo.callback(copies.aws["ssm"].delete_parameter, Name=name)
    message = {
        "v": 1,
        "id": copies.unique("msg_"),
        "run": 1,
        "endpoint": endpoint,
        "format": "standard",
        "account": ACCOUNT,
        "order_id": "O-1",
        "version": 2,
        "body": "{}",
    }
    return batch(copies, "deliveries", json.dumps(message))


def _pending_event(copies: Copies) -> Json:
    event_id = copies.call("inbound", _webhook(copies)).body["event_id"]
    # The sweep gives up after a day.
    since = polling.moment(hours=1)
    copies.aws["dynamodb"].update_item(
        TableName=copies.of(copies.stack["tables"]["inbound"]),
        Key={"pk": {"S": event_id}, "sk": {"S": "event"}},
        UpdateExpression="SET pending = :shard, pending_since = :since",
        ExpressionAttributeValues={":shard": {"S": "0"}, ":since": {"S": since}},
    )
    return {}


def _log(copies: Copies, query: str = "") -> Json:
    copies.call("inbound", _webhook(copies))
    # An unreadable body makes an event with the status `failed`.
    copies.invoke(copies.whole["inbound"], _webhook(copies) | {"body": "?"})
    return http(copies, "GET", "/api/webhooks/logs", user(copies, "viewer"), query=query)


def _logged_event(copies: Copies, method: str, path: str) -> Json:
    event_id = copies.call("inbound", _webhook(copies)).body["event_id"]
    return http(copies, method, path, user(copies, "admin"), id=event_id)


def _trigger(copies: Copies) -> Json:
    body = {"order_ids": [_order(copies)], "account_code": ACCOUNT}
    return http(copies, "POST", "/api/orders/trigger-webhook", user(copies, "admin"), body)


def _admin_get(copies: Copies, path: str, query: str = "") -> Json:
    return http(copies, "GET", path, user(copies, "admin"), query=query)


SCENARIOS = [
    Scenario("inbound", "a webhook", _webhook, "200"),
    Scenario("inbound", "a different webhook under a known id", _reused_id, "200"),
    Scenario("inbound", "a webhook while the queue is unreachable", _webhook, "200", NO_QUEUES),
    Scenario("orders", "a new order", _new_order, "201"),
    Scenario("orders", "list", lambda copies: http(copies, "GET", ORDERS, vendor(copies)), "200"),
    Scenario("orders", "new AWB", lambda copies: _patch(copies, awb=copies.unique("19")), "200"),
    Scenario("orders", "an empty patch", _patch, "200"),
    Scenario("orders", "a repeated report", _repeated_report, "202"),
    Scenario(
        "orders",
        "a report while the queue is unreachable",
        lambda copies: _report(copies, _order(copies), "k"),
        "202",
        NO_QUEUES,
    ),
    Scenario(
        "messages", "a message", lambda copies: _message_status(copies, partner(copies)), "201"
    ),
    Scenario(
        "messages",
        "a provider's message",
        lambda copies: _message_status(copies, partner(copies), message_id=copies.unique("wamid.")),
        "201",
    ),
    Scenario("messages", "an order's messages", _messages, "200"),
    Scenario("messages", "a conversation", _conversation, "200"),
    Scenario(
        "messages",
        "a vendor without access",
        lambda copies: _message_status(copies, vendor(copies)),
        "403",
    ),
    Scenario("process", "a report for a known order", _known_report, "0 failed"),
    Scenario("process", "a parked report", _parked_report, "0 failed"),
    Scenario(
        "process",
        "a status of a message that is linked to its order",
        lambda copies: _inbound_event(copies, _whatsapp(copies, _linked_message(copies))),
        "0 failed",
    ),
    Scenario(
        "process",
        "statuses for phone numbers of several accounts",
        lambda copies: _inbound_event(
            copies, _whatsapp(copies, copies.unique("wamid."), number="1")
        ),
        "0 failed",
    ),
    Scenario(
        "process", "an unreadable message", lambda copies: batch(copies, "events", "?"), "0 failed"
    ),
    Scenario(
        "process",
        "a report while the tables are unreachable",
        _known_report,
        "1 failed",
        NO_TABLES,
    ),
    Scenario(
        "deliver",
        "a delivery",
        lambda copies: _delivery(copies, copies.stack["receiver_url"]),
        "0 failed",
    ),
    Scenario(
        "deliver",
        "a delivery to a removed endpoint",
        lambda copies: _delivery(copies, None),
        "0 failed",
    ),
    Scenario(
        "deliver",
        "a delivery that fails",
        lambda copies: _delivery(copies, NOWHERE),
        "1 failed",
    ),
    Scenario("sweep", "a pending event", _pending_event, "done"),
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
    Scenario("ops", "the inbound log", _log, "200"),
    Scenario("ops", "failed events", lambda copies: _log(copies, "status=failed"), "200"),
    Scenario(
        "ops",
        "an event",
        lambda copies: _logged_event(copies, "GET", "/api/webhooks/logs/{id}"),
        "200",
    ),
    Scenario(
        "ops",
        "a retry",
        lambda copies: _logged_event(copies, "POST", "/api/webhooks/retry/{id}"),
        "202",
    ),
    Scenario(
        "ops",
        "a vendor without access",
        lambda copies: http(copies, "GET", "/api/webhooks/logs", vendor(copies)),
        "403",
    ),
    Scenario("ops", "runs", lambda copies: _admin_get(copies, "/api/sync/runs"), "200"),
    Scenario(
        "ops",
        "stale orders",
        lambda copies: _admin_get(copies, "/api/orders/stale", "account_code=STORE001"),
        "200",
    ),
    # Last, as it waits 20 seconds: no function serves the copy of the deliveries queue.
    Scenario("ops", "a triggered webhook", _trigger, "200"),
]

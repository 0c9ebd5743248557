"""What each function is asked to do so that, over all its scenarios, it makes every call that its policy allows.

A scenario prepares what it needs with copies that have their whole policies, and ends in the event for the function in
question. A new statement wants a scenario that reaches its call.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
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
    """The event that `prepare` makes ends as `expected` if every call is allowed."""

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
    """Statuses of messages; one of another number makes it a matter of several accounts."""
    source = copies.stack["sources"]["whatsapp"]
    changes = [
        {
            "field": "messages",
            "value": {
                "messaging_product": "whatsapp",
                "metadata": {"phone_number_id": of},
                "statuses": [{"id": message, "status": "delivered", "timestamp": "1750030073"} for message in messages],
            },
        }
        for of in [source["phone_number_id"], number]
        if of
    ]
    body = {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": changes}]}
    signature = hmac.new(source["app_secret"].encode(), json.dumps(body).encode(), hashlib.sha256).hexdigest()
    headers = {"x-hub-signature-256": f"sha256={signature}"}
    return http(copies, "POST", "/webhooks/{source}", headers, body, source="whatsapp")


def _reused_id(copies: Copies) -> Json:
    """Another event of eSahayak under an id that came before."""
    name = copies.unique("webhook_")

    def event(order: str) -> Json:
        data = {"order": {"id": copies.unique(order)}}
        body = {"id": name, "type": "order.delivered", "created_at": "2026-01-20T04:45:30Z", "data": data}
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
    return http(copies, "POST", ORDERS + "/{order_id}/status", headers, {"status": "assigned"}, order_id=order)


def _repeated_report(copies: Copies) -> Json:
    order, key = _order(copies), copies.unique("key-")
    copies.call("orders", _report(copies, order, key))
    return _report(copies, order, key)


def _patch(copies: Copies, **body: Json) -> Json:
    order = _order(copies, awb=copies.unique("19"))
    return http(copies, "PATCH", ORDERS + "/{order_id}", vendor(copies), body, order_id=order)


def _tracked(copies: Copies, headers: dict[str, str], **message: str) -> Json:
    body = {"order_id": _order(copies), "account_code": ACCOUNT, "message_status": "sent"} | message
    return http(copies, "POST", "/api/orders/message-tracking", headers, body)


def _linked(copies: Copies, order: str | None = None) -> str:
    """A provider's message that is known to be about an order."""
    message = copies.unique("wamid.")
    more = {"order_id": order} if order else {}
    copies.call("messages", _tracked(copies, partner(copies), message_id=message, **more))
    return message


def _messages(copies: Copies) -> Json:
    order = _order(copies)
    _linked(copies, order)
    return http(copies, "GET", "/api/orders/{order_id}/messages", partner(copies), order_id=order)


def _conversation(copies: Copies) -> Json:
    return http(copies, "GET", "/api/messages/whatsapp", partner(copies), query="phone=919000000001")


def _known_report(copies: Copies) -> Json:
    awb = copies.unique("19")
    _order(copies, awb=awb)
    return _kept(copies, awb)


def _kept(copies: Copies, awb: str) -> Json:
    return _queued(copies, _webhook(copies, awb))


def _queued(copies: Copies, webhook: Json) -> Json:
    event_id = copies.call("inbound", webhook).body["event_id"]
    return batch(copies, "events", _event_message(event_id))


def _adoption(copies: Copies) -> Json:
    awb = copies.unique("19")
    copies.call("process", _kept(copies, awb))
    order = _order(copies, awb=awb)
    rows = copies.aws["dynamodb"].scan(
        TableName=copies.of(copies.stack["tables"]["orders"]),
        FilterExpression="order_id = :order AND attribute_exists(adoption)",
        ExpressionAttributeValues={":order": {"S": order}},
    )["Items"]
    return batch(copies, "events", _event_message(rows[0]["adoption"]["S"]))


def _delivery(copies: Copies, url: str | None) -> Json:
    """To an endpoint of its own; without a URL there is none."""
    endpoint = copies.unique("copy-")
    values = {"secret": "whsec_" + b64encode(bytes(32)).decode(), "url": url, "settings": '{"backoff":[1]}'}
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


def _left_behind(copies: Copies) -> Json:
    event_id = copies.call("inbound", _webhook(copies)).body["event_id"]
    # Not too long ago: after a day it would not be sent any more.
    since = (datetime.now(timezone.utc) - timedelta(hours=1)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    copies.aws["dynamodb"].update_item(
        TableName=copies.of(copies.stack["tables"]["inbound"]),
        Key={"pk": {"S": event_id}, "sk": {"S": "event"}},
        UpdateExpression="SET pending = :shard, pending_since = :since",
        ExpressionAttributeValues={":shard": {"S": "0"}, ":since": {"S": since}},
    )
    return {}


def _log(copies: Copies, query: str = "") -> Json:
    copies.call("inbound", _webhook(copies))
    # The webhook's body cannot be read.
    copies.invoke(copies.whole["inbound"], _webhook(copies) | {"body": "?"})
    return http(copies, "GET", "/api/webhooks/logs", user(copies, "viewer"), query=query)


def _logged(copies: Copies, method: str, path: str) -> Json:
    event_id = copies.call("inbound", _webhook(copies)).body["event_id"]
    return http(copies, method, path, user(copies, "admin"), id=event_id)


def _told(copies: Copies) -> Json:
    body = {"order_ids": [_order(copies)], "account_code": ACCOUNT}
    return http(copies, "POST", "/api/orders/trigger-webhook", user(copies, "admin"), body)


def _of_admins(copies: Copies, path: str, query: str = "") -> Json:
    return http(copies, "GET", path, user(copies, "admin"), query=query)


SCENARIOS = [
    Scenario("inbound", "a webhook", _webhook, "200"),
    Scenario("inbound", "another webhook under a known id", _reused_id, "200"),
    Scenario("inbound", "a webhook while the queue is away", _webhook, "200", NO_QUEUES),
    Scenario("orders", "an order", _new_order, "201"),
    Scenario("orders", "the list", lambda copies: http(copies, "GET", ORDERS, vendor(copies)), "200"),
    Scenario("orders", "another parcel", lambda copies: _patch(copies, awb=copies.unique("19")), "200"),
    Scenario("orders", "a patch of nothing", _patch, "200"),
    Scenario("orders", "a report again", _repeated_report, "202"),
    Scenario(
        "orders",
        "a report while the queue is away",
        lambda copies: _report(copies, _order(copies), "k"),
        "202",
        NO_QUEUES,
    ),
    Scenario("messages", "a message", lambda copies: _tracked(copies, partner(copies)), "201"),
    Scenario(
        "messages",
        "a provider's message",
        lambda copies: _tracked(copies, partner(copies), message_id=copies.unique("wamid.")),
        "201",
    ),
    Scenario("messages", "an order's messages", _messages, "200"),
    Scenario("messages", "a conversation", _conversation, "200"),
    Scenario("messages", "a vendor, who has no part in them", lambda copies: _tracked(copies, vendor(copies)), "403"),
    Scenario("process", "a report of a known order", _known_report, "0 failed"),
    Scenario("process", "the adoption of a report", _adoption, "0 failed"),
    Scenario(
        "process",
        "news of a message that is linked to its order",
        lambda copies: _queued(copies, _whatsapp(copies, _linked(copies))),
        "0 failed",
    ),
    Scenario(
        "process",
        "news of numbers of several accounts",
        lambda copies: _queued(copies, _whatsapp(copies, copies.unique("wamid."), number="1")),
        "0 failed",
    ),
    Scenario("process", "no message of ours", lambda copies: batch(copies, "events", "?"), "0 failed"),
    Scenario("process", "a report while the tables are away", _known_report, "1 failed", NO_TABLES),
    Scenario("deliver", "a delivery", lambda copies: _delivery(copies, copies.stack["receiver_url"]), "0 failed"),
    Scenario("deliver", "a delivery to nobody", lambda copies: _delivery(copies, None), "0 failed"),
    Scenario("deliver", "a delivery that fails", lambda copies: _delivery(copies, NOWHERE), "1 failed"),
    Scenario("sweep", "an event left behind", _left_behind, "done"),
    Scenario("sync", "a run by hand", lambda _: {"kind": "manual"}, "done"),
    Scenario("sync", "the run of an hour", lambda _: {"kind": "hourly", "at": polling.moment()}, "done"),
    Scenario("sync", "a shard", polling.shard_to_plan, "0 failed"),
    Scenario("sync", "no message of ours", lambda copies: batch(copies, "shards", "?"), "0 failed"),
    Scenario("sync", "a shard while the tables are away", polling.shard_to_plan, "1 failed", NO_TABLES),
    Scenario("poll", "a parcel with news", polling.known_parcel, "0 failed"),
    Scenario(
        "poll", "a parcel that the carrier does not know, of an account of its own", polling.unknown_parcel, "0 failed"
    ),
    Scenario("poll", "no message of ours", lambda copies: batch(copies, "batches", "?"), "0 failed"),
    Scenario("poll", "a parcel while the tables are away", polling.known_parcel, "1 failed", NO_TABLES),
    Scenario("ops", "the log", _log, "200"),
    Scenario("ops", "what failed", lambda copies: _log(copies, "status=failed"), "200"),
    Scenario("ops", "an event", lambda copies: _logged(copies, "GET", "/api/webhooks/logs/{id}"), "200"),
    Scenario("ops", "a retry", lambda copies: _logged(copies, "POST", "/api/webhooks/retry/{id}"), "202"),
    Scenario(
        "ops",
        "a vendor, who has no part in it",
        lambda copies: http(copies, "GET", "/api/webhooks/logs", vendor(copies)),
        "403",
    ),
    Scenario("ops", "the runs", lambda copies: _of_admins(copies, "/api/sync/runs"), "200"),
    Scenario(
        "ops", "stale orders", lambda copies: _of_admins(copies, "/api/orders/stale", "account_code=STORE001"), "200"
    ),
    # Last, because it takes long: nobody makes these deliveries.
    Scenario("ops", "how an order stands", _told, "200"),
]

"""What each function is asked to do so that, over all its scenarios, it makes every call that its policy allows.

A scenario prepares what it needs with copies that have their whole policies, and ends in the event for the function in
question. A new statement wants a scenario that reaches its call.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from config import SETTINGS_PREFIX
from copies import Copies

Json = Any
ACCOUNT = "STORE001"
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


def _http(copies: Copies, method: str, path: str, headers: dict[str, str], body: Json = None, order: str = "") -> Json:
    """A request as API Gateway hands it over (payload 2.0)."""
    http = {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "check"}
    route = f"{method} {path.replace('/' + order, '/{order_id}') if order else path}"
    context = {"requestId": copies.unique("request-"), "stage": "$default", "http": http, "timeEpoch": 0}
    event = {
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json"} | headers,
        "requestContext": context | {"routeKey": route},
        "isBase64Encoded": False,
    }
    if order:
        event["pathParameters"] = {"order_id": order}
    if body is not None:
        event["body"] = json.dumps(body)
    return event


def _batch(copies: Copies, queue: str, message: str) -> Json:
    """One record, with a receipt that the queue's copy knows."""
    url = copies.of(copies.stack["queues"][queue])
    copies.aws["sqs"].send_message(QueueUrl=url, MessageBody="gives a receipt")
    received = copies.aws["sqs"].receive_message(QueueUrl=url)["Messages"][0]
    record = {
        "messageId": received["MessageId"],
        "receiptHandle": received["ReceiptHandle"],
        "body": message,
        "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
    }
    return {"Records": [record]}


def _vendor(copies: Copies) -> dict[str, str]:
    return {"x-vendor-server-secret": copies.stack["vendor_secret"]}


def _partner(copies: Copies) -> dict[str, str]:
    user = copies.stack["users"]["partner"]
    return {"authorization": "Basic " + b64encode(f"{user['name']}:{user['password']}".encode()).decode()}


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
    return _http(copies, "POST", "/webhooks/carrier", headers, body)


def _new_order(copies: Copies, **profile: Json) -> Json:
    body = {"orderId": copies.unique("order-"), "awb": copies.unique("19")} | profile
    return _http(copies, "POST", ORDERS, _partner(copies), body)


def _order(copies: Copies, **profile: Json) -> str:
    return copies.call("orders", _new_order(copies, **profile)).body["orderId"]


def _event_message(event_id: str) -> str:
    return json.dumps({"v": 1, "event_id": event_id})


def _report(copies: Copies, order: str, key: str) -> Json:
    headers = _vendor(copies) | {"idempotency-key": key}
    return _http(copies, "POST", f"{ORDERS}/{order}/status", headers, {"status": "assigned"}, order)


def _repeated_report(copies: Copies) -> Json:
    order, key = _order(copies), copies.unique("key-")
    copies.call("orders", _report(copies, order, key))
    return _report(copies, order, key)


def _patch(copies: Copies, **body: Json) -> Json:
    order = _order(copies, awb=copies.unique("19"))
    return _http(copies, "PATCH", f"{ORDERS}/{order}", _vendor(copies), body, order)


def _tracked(copies: Copies, headers: dict[str, str]) -> Json:
    body = {"order_id": _order(copies), "account_code": ACCOUNT, "message_status": "sent"}
    return _http(copies, "POST", "/api/orders/message-tracking", headers, body)


def _messages(copies: Copies) -> Json:
    order = _order(copies)
    return _http(copies, "GET", f"/api/orders/{order}/messages", _partner(copies), order=order)


def _known_report(copies: Copies) -> Json:
    awb = copies.unique("19")
    _order(copies, awb=awb)
    return _kept(copies, awb)


def _kept(copies: Copies, awb: str) -> Json:
    event_id = copies.call("inbound", _webhook(copies, awb)).body["event_id"]
    return _batch(copies, "events", _event_message(event_id))


def _adoption(copies: Copies) -> Json:
    awb = copies.unique("19")
    copies.call("process", _kept(copies, awb))
    order = _order(copies, awb=awb)
    rows = copies.aws["dynamodb"].scan(
        TableName=copies.of(copies.stack["tables"]["orders"]),
        FilterExpression="order_id = :order AND attribute_exists(adoption)",
        ExpressionAttributeValues={":order": {"S": order}},
    )["Items"]
    return _batch(copies, "events", _event_message(rows[0]["adoption"]["S"]))


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
    return _batch(copies, "deliveries", json.dumps(message))


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


SCENARIOS = [
    Scenario("inbound", "a webhook", _webhook, "200"),
    Scenario("inbound", "a webhook while the queue is away", _webhook, "200", NO_QUEUES),
    Scenario("orders", "an order", _new_order, "201"),
    Scenario("orders", "the list", lambda copies: _http(copies, "GET", ORDERS, _vendor(copies)), "200"),
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
    Scenario("messages", "a message", lambda copies: _tracked(copies, _partner(copies)), "201"),
    Scenario("messages", "an order's messages", _messages, "200"),
    Scenario("messages", "a vendor, who has no part in them", lambda copies: _tracked(copies, _vendor(copies)), "403"),
    Scenario("process", "a report of a known order", _known_report, "0 failed"),
    Scenario("process", "the adoption of a report", _adoption, "0 failed"),
    Scenario("process", "no message of ours", lambda copies: _batch(copies, "events", "?"), "0 failed"),
    Scenario("process", "a report while the tables are away", _known_report, "1 failed", NO_TABLES),
    Scenario("deliver", "a delivery", lambda copies: _delivery(copies, copies.stack["receiver_url"]), "0 failed"),
    Scenario("deliver", "a delivery to nobody", lambda copies: _delivery(copies, None), "0 failed"),
    Scenario("deliver", "a delivery that fails", lambda copies: _delivery(copies, NOWHERE), "1 failed"),
    Scenario("sweep", "an event left behind", _left_behind, "done"),
]

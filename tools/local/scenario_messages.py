"""Events of scenarios with messages that Waypost sends."""

from __future__ import annotations

import json
from typing import Any

from config import SETTINGS_PREFIX
from function_copies import Copies
from invocations import batch, http, partner, vendor
from scenario_events import ORDERS, create_order, event_message, report
from settings import ACCOUNT

Json = Any

SEND = "/api/messages/whatsapp"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TEMPLATE = {"name": "hello_world", "language": "en_US"}


def send(copies: Copies, with_order: bool = True) -> Json:
    """A request that sends a message."""
    body = {"account_code": ACCOUNT, "to": "+919000000001", "template": TEMPLATE}
    order = {"order_id": create_order(copies)} if with_order else {}
    return http(copies, "POST", SEND, partner(copies), body | order)


def _sent(copies: Copies) -> str:
    return copies.call("messages", send(copies)).body["id"]


def message_to_send(copies: Copies, number: str | None = None) -> Json:
    """The deliveries queue's message for a message that a request has created."""
    return _queued(copies, _sent(copies), number)


def _queued(
    copies: Copies, message_id: str, number: str | None = None, order: str | None = None
) -> Json:
    number = number or copies.stack["sources"]["whatsapp"]["phone_number_id"]
    message = {"v": 2, "id": message_id, "run": 1, "endpoint": f"whatsapp:{number}"}
    message |= {"format": "whatsapp", "account": ACCOUNT, "order_id": order, "version": None}
    return batch(copies, "deliveries", json.dumps(message | {"body": ""}))


def result_of_send(copies: Copies) -> Json:
    """The events queue's message about a message that the provider took."""
    accepted = {"accepted": {"provider_id": copies.unique("wamid.")}}
    result = {"v": 2, "account": ACCOUNT, "send": _sent(copies)}
    result |= {"at": "2026-01-20T10:00:00.000Z", "outcome": accepted}
    return batch(copies, "events", json.dumps(result))


def tracking_page(copies: Copies) -> Json:
    """A shopper's request for the page of an order that has a message of ours."""
    order = create_order(copies)
    body = {"account_code": ACCOUNT, "to": "+919000000001", "template": TEMPLATE}
    copies.call("messages", http(copies, "POST", SEND, partner(copies), body | {"order_id": order}))
    path = f"{ORDERS}/{{order_id}}"
    shown = copies.call("orders", http(copies, "GET", path, vendor(copies), order_id=order))
    query = shown.body["trackingUrl"].partition("?")[2]
    path = "/track/{account_code}/{order_id}"
    return http(copies, "GET", path, {}, query=query, account_code=ACCOUNT, order_id=order)


RULES = {
    "daily_cap": 1000,
    "rules": [{"on": "assigned", "template": "hello_world", "language": "en_US"}],
}


def change_with_rule(copies: Copies, order: str | None = None) -> Json:
    """A report about an order whose account sends a message then."""
    name = f"{SETTINGS_PREFIX}/accounts/{ACCOUNT}/messages"
    number = copies.stack["sources"]["whatsapp"]["phone_number_id"]
    value = json.dumps(RULES | {"phone_number_id": number})
    copies.aws["ssm"].put_parameter(Name=name, Value=value, Type="String", Overwrite=True)
    copies.undo.callback(copies.aws["ssm"].delete_parameters, Names=[name])
    shopper = {"phone": "+919000000001", "firstName": "Asha"}
    order = order or copies.unique("O-")
    create_order(copies, orderId=order, customer=shopper)
    reported = copies.call("orders", report(copies, order, copies.unique("key-")))
    return batch(copies, "events", event_message(reported.body["reportId"]))


def check_of_rules(copies: Copies, order: str | None = None) -> Json:
    """The events queue's message about a change that may send a message."""
    order = order or copies.unique("O-")
    copies.call("process", change_with_rule(copies, order))
    request = http(copies, "GET", ORDERS + "/{order_id}", vendor(copies), order_id=order)
    changed = copies.call("orders", request).body
    check = {"v": 3, "order": {"account": ACCOUNT, "order": order}, "version": changed["version"]}
    check |= {"order_created_at": changed["createdAt"], "trace": TRACE}
    return batch(
        copies, "events", json.dumps(check | {"entry": changed["timeline"][0]["reportId"]})
    )


def message_of_rule(copies: Copies) -> Json:
    """The deliveries queue's message for a message that a rule has created."""
    order = copies.unique("O-")
    copies.call("process", check_of_rules(copies, order))
    path = "/api/orders/{order_id}/messages"
    listed = copies.call("messages", http(copies, "GET", path, partner(copies), order_id=order))
    return _queued(copies, listed.body["items"][0]["id"], order=order)


def message_that_waited(copies: Copies) -> Json:
    """The same, two minutes later."""
    event = message_of_rule(copies)
    message = json.loads(event["Records"][0]["body"])
    copies.aws["dynamodb"].update_item(
        TableName=copies.of(copies.stack["tables"]["deliveries"]),
        Key={"pk": {"S": message["id"]}},
        UpdateExpression="SET created_at = created_at - :wait",
        ExpressionAttributeValues={":wait": {"N": "120000"}},
    )
    return event

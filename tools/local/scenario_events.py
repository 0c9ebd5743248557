"""Events for the scenarios of check_permissions.py, and the rows and messages they depend on."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode
from typing import Any

import polling
from config import SETTINGS_PREFIX
from function_copies import Copies
from invocations import batch, http, partner, user, vendor
from settings import ACCOUNT, BUSINESS_ACCOUNTS

Json = Any
ORDERS = "/api/external/orders"


def webhook(copies: Copies, awb: str | None = None, order: str | None = None) -> Json:
    body = {
        "awb": awb or copies.unique("19"),
        "order_id": order or copies.unique("unknown-"),
        "shipment_status": "IN TRANSIT",
        "shipment_status_id": 18,
        "current_timestamp": "23 05 2023 11:43:52",
        "scans": [],
    }
    headers = {"x-api-key": copies.stack["sources"]["shiprocket"]["api_key"]}
    return http(copies, "POST", "/webhooks/{source}", headers, body, source="carrier")


def whatsapp(copies: Copies, *messages: str, number: str | None = None) -> Json:
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
    return whatsapp_changes(copies, changes)


def whatsapp_changes(copies: Copies, changes: list[Json]) -> Json:
    source, account = copies.stack["sources"]["whatsapp"], next(iter(BUSINESS_ACCOUNTS))
    body = {"object": "whatsapp_business_account", "entry": [{"id": account, "changes": changes}]}
    key, signed = source["app_secret"].encode(), json.dumps(body).encode()
    signature = hmac.new(key, signed, hashlib.sha256).hexdigest()
    headers = {"x-hub-signature-256": f"sha256={signature}"}
    return http(copies, "POST", "/webhooks/{source}", headers, body, source="whatsapp")


def reused_id(copies: Copies) -> Json:
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


def new_order(copies: Copies, **profile: Json) -> Json:
    body = {"orderId": copies.unique("order-"), "awb": copies.unique("19")} | profile
    return http(copies, "POST", ORDERS, partner(copies), body)


def create_order(copies: Copies, **profile: Json) -> str:
    return copies.call("orders", new_order(copies, **profile)).body["orderId"]


def event_message(event_id: str) -> str:
    return json.dumps({"v": 1, "event_id": event_id})


def report(copies: Copies, order: str, key: str) -> Json:
    headers = vendor(copies) | {"idempotency-key": key}
    path = ORDERS + "/{order_id}/status"
    return http(copies, "POST", path, headers, {"status": "assigned"}, order_id=order)


def repeated_report(copies: Copies) -> Json:
    order, key = create_order(copies), copies.unique("key-")
    copies.call("orders", report(copies, order, key))
    return report(copies, order, key)


def patch(copies: Copies, **body: Json) -> Json:
    order = create_order(copies, awb=copies.unique("19"))
    return http(copies, "PATCH", ORDERS + "/{order_id}", vendor(copies), body, order_id=order)


def shipment(copies: Copies) -> Json:
    """A further parcel of an order."""
    path = ORDERS + "/{order_id}/shipments"
    body = {"awb": copies.unique("19")}
    return http(copies, "POST", path, vendor(copies), body, order_id=create_order(copies))


def taught_parcel(copies: Copies) -> Json:
    """A report that names its order, and a parcel that no order has."""
    return inbound_event(copies, webhook(copies, order=create_order(copies)))


def withdrawal(copies: Copies) -> Json:
    order, admin = create_order(copies), user(copies, "admin")
    copies.call("process", inbound_event(copies, webhook(copies, order=order)))
    path = ORDERS + "/{order_id}"
    shown = copies.call("orders", http(copies, "GET", path, partner(copies), order_id=order))
    report = shown.body["timeline"][0]["reportId"]
    path += "/timeline/{report_id}"
    query = f"accountCode={ACCOUNT}"
    return http(copies, "DELETE", path, admin, query=query, order_id=order, report_id=report)


def erasure_request(copies: Copies, order: str | None = None) -> Json:
    path, query = ORDERS + "/{order_id}/customer", f"accountCode={ACCOUNT}"
    order = order or create_order(copies)
    return http(copies, "DELETE", path, user(copies, "admin"), query=query, order_id=order)


def erasure(copies: Copies) -> Json:
    """The first of two passes, so the message comes back: an order with a message and a report."""
    order, awb = copies.unique("order-"), copies.unique("19")
    create_order(copies, orderId=order, awb=awb, customer={"phone": "919000000001"})
    linked_message(copies, order)
    copies.call("process", carrier_event(copies, awb))
    copies.call("orders", erasure_request(copies, order))
    rows = copies.aws["dynamodb"].scan(
        TableName=copies.of(copies.stack["tables"]["orders"]),
        FilterExpression="attribute_exists(requested_at) AND contains(pk, :order)",
        ExpressionAttributeValues={":order": {"S": order}},
    )["Items"]
    return batch(copies, "events", event_message(rows[0]["event"]["S"]))


def freed_id(copies: Copies) -> Json:
    """A patch that removes a provider's id."""
    refs = {"shiprocket": copies.unique("")}
    order = create_order(copies, refs=refs)
    path, body = ORDERS + "/{order_id}", {"refs": dict.fromkeys(refs)}
    return http(copies, "PATCH", path, vendor(copies), body, order_id=order)


def message_status(copies: Copies, headers: dict[str, str], **message: str) -> Json:
    defaults = {"order_id": create_order(copies), "account_code": ACCOUNT, "message_status": "sent"}
    return http(copies, "POST", "/api/orders/message-tracking", headers, defaults | message)


def linked_message(copies: Copies, order: str | None = None) -> str:
    """The id of a provider's message that is linked to an order."""
    message = copies.unique("wamid.")
    fields = {"message_id": message} | ({"order_id": order} if order else {})
    copies.call("messages", message_status(copies, partner(copies), **fields))
    return message


def record_of_answered(copies: Copies) -> Json:
    """A record of a message that the shopper has answered before."""
    message, source = copies.unique("wamid."), copies.stack["sources"]["whatsapp"]
    reply = {"from": "919000000001", "id": copies.unique("wamid."), "timestamp": "1750030073"}
    reply |= {"type": "text", "text": {"body": "where?"}, "context": {"id": message}}
    value = {"metadata": {"phone_number_id": source["phone_number_id"]}, "messages": [reply]}
    webhook = whatsapp_changes(copies, [{"field": "messages", "value": value}])
    copies.call("process", inbound_event(copies, webhook))
    return message_status(copies, partner(copies), message_id=message)


def messages(copies: Copies) -> Json:
    order = create_order(copies)
    linked_message(copies, order)
    path = "/api/orders/{order_id}/messages"
    return http(copies, "GET", path, partner(copies), order_id=order)


def conversation(copies: Copies) -> Json:
    query = "phone=919000000001"
    return http(copies, "GET", "/api/messages/whatsapp", partner(copies), query=query)


def provider_states(name: str, copies: Copies) -> Json:
    return admin_get(copies, f"/api/messages/{name}", query=f"account_code={ACCOUNT}")


def statements(copies: Copies) -> Json:
    """What WhatsApp says about a number and a template, and that a shopper wants no messages."""
    number = {"display_phone_number": copies.unique("1"), "event": "UNFLAGGED"}
    template = {"message_template_name": copies.unique("t"), "message_template_language": "en"}
    user = copies.unique("91")
    stop = {"wa_id": user, "user_id": f"IN.{user}", "value": "stop"}
    changes = [
        {"field": "phone_number_quality_update", "value": number},
        {"field": "message_template_status_update", "value": template | {"event": "PAUSED"}},
        {"field": "user_preferences", "value": {"user_preferences": [stop]}},
    ]
    return whatsapp_changes(copies, changes)


def account_messages(copies: Copies) -> Json:
    linked_message(copies)
    return http(copies, "GET", "/api/messages", partner(copies), query=f"account_code={ACCOUNT}")


def figures(copies: Copies) -> Json:
    query = f"account_code={ACCOUNT}"
    return http(copies, "GET", "/api/messages/stats", partner(copies), query=query)


def known_report(copies: Copies) -> Json:
    awb = copies.unique("19")
    create_order(copies, awb=awb)
    return carrier_event(copies, awb)


def carrier_event(copies: Copies, awb: str) -> Json:
    return inbound_event(copies, webhook(copies, awb))


def inbound_event(copies: Copies, webhook: Json) -> Json:
    """The events queue's message for a webhook that `inbound` has logged."""
    event_id = copies.call("inbound", webhook).body["event_id"]
    return batch(copies, "events", event_message(event_id))


def parked_report(copies: Copies) -> Json:
    """The event that reconciles an order with a report that came before it."""
    awb = copies.unique("19")
    copies.call("process", carrier_event(copies, awb))
    order = create_order(copies, awb=awb)
    rows = copies.aws["dynamodb"].scan(
        TableName=copies.of(copies.stack["tables"]["orders"]),
        FilterExpression="order_id = :order AND attribute_exists(adoption)",
        ExpressionAttributeValues={":order": {"S": order}},
    )["Items"]
    return batch(copies, "events", event_message(rows[0]["adoption"]["S"]))


def delivery(copies: Copies, url: str | None, queue: str = "deliveries") -> Json:
    """A delivery to a new endpoint, or without a URL to one that does not exist."""
    return _delivery(copies, copies.unique("copy-"), url, queue)


def slow_delivery(copies: Copies) -> Json:
    endpoint = copies.unique("copy-")
    slow_since = polling.moment(hours=1)
    _put_health(copies, {"pk": "endpoints", "sk": endpoint, "slow_since": slow_since})
    return _delivery(copies, endpoint, copies.stack["receiver_url"], "deliveries")


def _delivery(copies: Copies, endpoint: str, url: str | None, queue: str) -> Json:
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
    return batch(copies, queue, json.dumps(message))


def _waiting_delivery(copies: Copies, endpoint: str, partition: str) -> None:
    """A row in the index `due`, due an hour ago."""
    texts = {
        "pk": copies.unique("msg_"),
        "endpoint": endpoint,
        "format": "standard",
        "event": "order.status_changed",
        "account": ACCOUNT,
        "order_id": "O-1",
        "state": "retrying",
        "due": partition,
        "due_at": polling.moment(hours=1),
    }
    row = {name: {"S": text} for name, text in texts.items()}
    copies.aws["dynamodb"].put_item(
        TableName=copies.of(copies.stack["tables"]["deliveries"]),
        Item=row | {"run": {"N": "1"}, "version": {"N": "2"}},
    )


def dead_delivery(copies: Copies, method: str, path: str) -> Json:
    """A delivery to an endpoint that does not exist, and a request about it."""
    message = delivery(copies, None)
    copies.call("deliver", message)
    delivery_id = json.loads(message["Records"][0]["body"])["id"]
    return http(copies, method, path, user(copies, "admin"), id=delivery_id)


def list_of_deliveries(copies: Copies, query: str = "") -> Json:
    """The list, with at least one delivery in it."""
    dead_delivery(copies, "GET", "")
    return http(copies, "GET", "/api/deliveries", user(copies, "viewer"), query=query)


def redrive(copies: Copies, kind: str, **fields: Json) -> Json:
    """A dead delivery and a failed event, and a request about all of them."""
    dead_delivery(copies, "GET", "")
    inbound_log(copies)
    path = f"/api/dlq/{kind}/replay"
    return http(copies, "POST", path, user(copies, "admin"), fields)


def _start_job(copies: Copies, kind: str) -> str:
    # No two scenarios share a job.
    fields = {"limit": int(copies.unique("")) % 1_000_000 + 1}
    return copies.call("ops", redrive(copies, kind, **fields)).body["id"]


def job(copies: Copies, method: str) -> Json:
    job_id = _start_job(copies, "deliveries")
    return http(copies, method, "/api/jobs/{id}", user(copies, "admin"), id=job_id)


def running_job(copies: Copies, kind: str) -> Json:
    """What died at the same moment as the job was started is part of it."""
    _start_job(copies, kind)
    return {}


def due_delivery(copies: Copies) -> Json:
    _waiting_delivery(copies, copies.unique("copy-"), "0")
    return {}


def expired_order(copies: Copies) -> Json:
    order = create_order(copies, status="delivered")
    row = {
        "pk": {"S": "ends:0"},
        "sk": {"S": f"{polling.moment(hours=1)}/{len(ACCOUNT)}:{ACCOUNT}:{order}"},
        "account": {"S": ACCOUNT},
        "order_id": {"S": order},
        "version": {"N": "1"},
        "ended_at": {"S": polling.moment(hours=25)},
    }
    table = copies.of(copies.stack["tables"]["orders"])
    copies.aws["dynamodb"].put_item(TableName=table, Item=row)
    return {}


def paused_endpoint(copies: Copies) -> Json:
    """An endpoint whose probe is due, with a parked delivery."""
    endpoint = copies.unique("copy-")
    _waiting_delivery(copies, endpoint, f"parked:{endpoint}:0")
    texts = {
        "pk": "endpoints",
        "sk": endpoint,
        "state": "paused",
        "reason": "failing",
        "since": polling.moment(hours=2),
        "probe_at": polling.moment(hours=1),
    }
    _put_health(copies, texts)
    return {}


def removed_endpoint(copies: Copies, prefix: str = "") -> Json:
    """One that has had no settings for two hours, and nothing parked."""
    endpoint = prefix + copies.unique("copy-")
    missing_since = polling.moment(hours=2)
    _put_health(copies, {"pk": "endpoints", "sk": endpoint, "missing_since": missing_since})
    return {}


def _put_health(copies: Copies, texts: dict[str, str]) -> None:
    copies.aws["dynamodb"].put_item(
        TableName=copies.of(copies.stack["tables"]["state"]),
        Item={name: {"S": text} for name, text in texts.items()},
    )


def pause(copies: Copies) -> Json:
    endpoint = copies.unique("copy-")
    name = f"{SETTINGS_PREFIX}/endpoints/{endpoint}/url"
    url = "https://shop.example.com/"
    copies.aws["ssm"].put_parameter(Name=name, Value=url, Type="String")
    copies.undo.callback(copies.aws["ssm"].delete_parameter, Name=name)
    admin = user(copies, "admin")
    return http(copies, "POST", "/api/endpoints/{name}/pause", admin, name=endpoint)


def wrong_credentials(method: str, path: str, copies: Copies) -> Json:
    password = f"{copies.unique('nobody')}:canary-password-of-20-bytes"
    credentials = b64encode(password.encode()).decode()
    return http(copies, method, path, {"authorization": f"Basic {credentials}"})


def endpoint_test(copies: Copies) -> Json:
    body = {"endpoint": "demo-standard"}
    return http(copies, "POST", "/api/external/webhook-test", user(copies, "admin"), body)


def rotation(copies: Copies) -> Json:
    endpoint = copies.unique("copy-")
    secret = "whsec_" + b64encode(bytes(24)).decode()
    for part, value, kind in (
        ("secret", secret, "SecureString"),
        ("url", "https://shop.example.com/", "String"),
    ):
        name = f"{SETTINGS_PREFIX}/endpoints/{endpoint}/{part}"
        copies.aws["ssm"].put_parameter(Name=name, Value=value, Type=kind)
        copies.undo.callback(copies.aws["ssm"].delete_parameter, Name=name)
    path, body = "/api/endpoints/{name}/rotate", {"step": "begin"}
    return http(copies, "POST", path, user(copies, "admin"), body, name=endpoint)


def pending_event(copies: Copies) -> Json:
    event_id = copies.call("inbound", webhook(copies)).body["event_id"]
    # The sweep gives up after a day.
    since = polling.moment(hours=1)
    copies.aws["dynamodb"].update_item(
        TableName=copies.of(copies.stack["tables"]["inbound"]),
        Key={"pk": {"S": event_id}, "sk": {"S": "event"}},
        UpdateExpression="SET pending = :shard, pending_since = :since",
        ExpressionAttributeValues={":shard": {"S": "0"}, ":since": {"S": since}},
    )
    return {}


def overdue_event(copies: Copies) -> Json:
    """An event of two hours ago, and a check that has come to its day."""
    event_id = copies.call("inbound", webhook(copies)).body["event_id"]
    received_at = polling.moment(hours=2)
    inbound = copies.of(copies.stack["tables"]["inbound"])
    copies.aws["dynamodb"].update_item(
        TableName=inbound,
        Key={"pk": {"S": event_id}, "sk": {"S": "event"}},
        UpdateExpression="SET #day = :day, #at = :at",
        ExpressionAttributeNames={"#day": "day", "#at": "at"},
        ExpressionAttributeValues={
            ":day": {"S": received_at[:10]},
            ":at": {"S": f"{received_at}/{event_id}"},
        },
    )
    copies.aws["dynamodb"].put_item(
        TableName=inbound,
        Item={"pk": {"S": "sweep"}, "sk": {"S": "overdue"}, "at": {"S": received_at}},
    )
    return {}


def inbound_log(copies: Copies, query: str = "") -> Json:
    copies.call("inbound", webhook(copies))
    # An unreadable body makes an event with the status `failed`.
    copies.invoke(copies.whole["inbound"], webhook(copies) | {"body": "?"})
    return http(copies, "GET", "/api/webhooks/logs", user(copies, "viewer"), query=query)


def logged_event(copies: Copies, method: str, path: str) -> Json:
    event_id = copies.call("inbound", webhook(copies)).body["event_id"]
    return http(copies, method, path, user(copies, "admin"), id=event_id)


def trigger(copies: Copies) -> Json:
    body = {"order_ids": [create_order(copies)], "account_code": ACCOUNT}
    return http(copies, "POST", "/api/orders/trigger-webhook", user(copies, "admin"), body)


def admin_get(copies: Copies, path: str, query: str = "") -> Json:
    return http(copies, "GET", path, user(copies, "admin"), query=query)

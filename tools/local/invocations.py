"""Events for function invocations: API Gateway requests and SQS batches."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

from function_copies import Copies

Json = Any


def http(
    copies: Copies,
    method: str,
    path: str,
    headers: dict[str, str],
    body: Json = None,
    query: str = "",
    **parameters: str,
) -> Json:
    """An API Gateway event (payload 2.0) for a route such as `/a/{order_id}`."""
    route, path = f"{method} {path}", path.format(**parameters)
    http = {
        "method": method,
        "path": path,
        "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.1",
        "userAgent": "check",
    }
    context = {
        "requestId": copies.unique("request-"),
        "stage": "$default",
        "http": http,
        "timeEpoch": 0,
    }
    event = {
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "rawQueryString": query,
        "headers": {"content-type": "application/json"} | headers,
        "requestContext": context | {"routeKey": route},
        "isBase64Encoded": False,
    }
    if parameters:
        event["pathParameters"] = parameters
    if body is not None:
        event["body"] = json.dumps(body)
    return event


def batch(copies: Copies, queue: str, message: str) -> Json:
    """An SQS event with one record, whose receipt handle is valid for the queue's copy."""
    url = copies.of(copies.stack["queues"][queue])
    copies.aws["sqs"].send_message(QueueUrl=url, MessageBody="for its receipt handle")
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


def vendor(copies: Copies) -> dict[str, str]:
    return {"x-vendor-server-secret": copies.stack["vendor_secret"]}


def user(copies: Copies, name: str) -> dict[str, str]:
    user = copies.stack["users"][name]
    credentials = b64encode(f"{user['name']}:{user['password']}".encode()).decode()
    return {"authorization": f"Basic {credentials}"}


def partner(copies: Copies) -> dict[str, str]:
    return user(copies, "partner")

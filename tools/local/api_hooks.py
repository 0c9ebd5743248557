"""Changes requests of schemathesis before they are sent, and judges answers of API Gateway itself.

schemathesis loads it by the name in schemathesis.toml; check_api.py passes values in API_CHECK.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import requests
import schemathesis
from requests.auth import AuthBase

import contract
from api_callers import ROTATED

VALUES = json.loads(os.environ["API_CHECK"])
EXISTING = VALUES["existing"]
# Of a provider; empty for other callers.
SOURCES = VALUES["sources"]
ACCOUNT_FIELDS = {"accountCode", "account_code"}
DEMO = "demo-standard"
# Two orders or messages with one of these are a conflict.
UNIQUE = {"orderId", "awb", "returnAwb", "shiprocket", "esahayak", "message_id", "idempotency-key"}
# A field that only bodies of this source have.
SHAPES = {"object": "whatsapp", "created_at": "esahayak", "status_feed": "shipway"}

API = contract.load()
numbers = itertools.count()


class Credentials(AuthBase):
    """Adds the caller's credentials to the request as it is sent: a signature is over its bytes."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.update(VALUES["headers"])
        if SOURCES:
            body = request.body or b""
            raw = body.encode() if isinstance(body, str) else body
            secret = SOURCES["whatsapp"]["app_secret"].encode()
            signature = hmac.digest(secret, raw, hashlib.sha256).hex()
            request.headers["x-api-key"] = SOURCES["shiprocket"]["api_key"]
            request.headers["x-hub-signature-256"] = f"sha256={signature}"
        return request


@schemathesis.hook
def before_call(
    context: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, Any]
) -> None:
    """Sends a third of the requests as generated. Those end too often as 404 or 409."""
    kwargs["auth"] = Credentials()
    # A redrive leaves other accounts alone.
    if "/dlq/" in case.operation.path and isinstance(case.body, dict):
        case.body |= {"account_code": EXISTING["account"]} | case.body
    # The endpoints of the demo keep their secrets.
    if case.operation.path.endswith("/rotate") and case.path_parameters["name"] == DEMO:
        case.path_parameters["name"] = ROTATED
    number = next(numbers)
    if number % 3 == 1:
        _name(case, EXISTING, number)
    elif number % 3 == 2:
        missing = f"missing-{number}"
        _name(case, EXISTING | {"order_id": missing, "erased_order_id": missing}, number)


def _name(case: schemathesis.Case, existing: dict[str, str], number: int) -> None:
    """Names these things where a request names an order, event, report, hook or account."""
    if case.operation.path.startswith("/api/deliveries/"):
        existing = existing | {"id": existing["delivery_id"]}
    if case.operation.path.startswith("/api/jobs/"):
        existing = existing | {"id": existing["job_id"]}
    if case.operation.path.startswith("/track/"):
        existing = existing | {"account_code": existing["account"]}
        case.query["t"] = existing["token"]
    if case.operation.path.endswith("/pusher-auth"):
        channel = f"private-order-{existing['order_id']}@{existing['account']}"
        case.body = {"socket_id": "1.1", "channel_name": channel}
    if case.method == "DELETE" and case.operation.path.startswith("/api/external/orders/"):
        case.query["accountCode"] = existing["account"]
        if case.operation.path.endswith("/{order_id}"):
            existing = existing | {"order_id": existing["erased_order_id"]}
    for name in case.path_parameters.keys() & existing.keys():
        case.path_parameters[name] = existing[name]
    for name in case.query.keys() & ACCOUNT_FIELDS:
        case.query[name] = existing["account"]
    case.query.pop("page", None)
    # A patch names the same parcel again and again: an order has room for twenty.
    unique = f"{EXISTING['order_id']}-{'patched' if case.method == 'PATCH' else number}"
    _replace(case.headers, UNIQUE, unique)
    if isinstance(case.body, dict):
        _replace(case.body, ACCOUNT_FIELDS, existing["account"])
        _replace(case.body, {"order_id"}, existing["order_id"])
        if "order_ids" in case.body:
            case.body["order_ids"] = [existing["order_id"]]
        _replace(case.body, UNIQUE, unique)
        if isinstance(case.body.get("refs"), dict):
            _replace(case.body["refs"], UNIQUE, unique)
    if SOURCES:
        _sign(case)


def _replace(values: Any, names: set[str], text: str) -> None:
    """Replaces texts only: other values are there to be refused."""
    for name in names & values.keys():
        if isinstance(values[name], str) and values[name]:
            values[name] = text


def _sign(case: schemathesis.Case) -> None:
    """Adds what is not in a header, and sends a body to the source that it is for."""
    if "hub.mode" in case.query:
        case.query["hub.verify_token"] = SOURCES["whatsapp"]["verify_token"]
    if isinstance(case.body, dict):
        case.body["hash"] = SOURCES["shipway"]["hash"]
        sources = [source for field, source in SHAPES.items() if field in case.body]
        if sources and "source" in case.path_parameters:
            case.path_parameters["source"] = sources[0]


@schemathesis.hook
def after_call(
    context: schemathesis.HookContext, case: schemathesis.Case, response: schemathesis.Response
) -> None:
    """Records the route and the status of the answer."""
    with Path(VALUES["answers"]).open("a") as file:
        file.write(f"{case.method.upper()} {case.operation.path} {response.status_code}\n")


@schemathesis.hook
def filter_failure(
    context: schemathesis.HookContext,
    failure: Any,
    case: schemathesis.Case,
    response: schemathesis.Response,
) -> bool:
    """Drops what no function has answered: API Gateway found no route."""
    return not (response.status_code == 404 and _is_gateways(response) and _has_no_route(response))


def _is_gateways(response: schemathesis.Response) -> bool:
    if "x-request-id" in response.headers:
        return False
    try:
        return list(response.json()) == ["message"]
    except ValueError:
        return False


def _has_no_route(response: schemathesis.Response) -> bool:
    base = urlsplit(os.environ["API_URL"]).path
    # API Gateway decodes the path first, so an id with %2F is two segments.
    path = unquote(urlsplit(response.request.url).path).removeprefix(base)
    return not API.has_route(response.request.method, path)

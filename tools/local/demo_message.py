"""The part of the demo with a message: an order out for delivery tells its shopper, who answers."""

from __future__ import annotations

import base64
import json
import time
import urllib.request
from typing import Any
from urllib.parse import quote

from settings import RULES_ACCOUNT

Stack = dict[str, Any]
Json = Any

ORDER = {
    "orderId": "demo-message",
    "accountCode": RULES_ACCOUNT,
    "customer": {"phone": "+919000000007", "firstName": "Asha"},
}
WAIT_SECONDS = 30


def show(stack: Stack) -> None:
    print(
        f"\nA rule of {RULES_ACCOUNT} sends a WhatsApp message when an order is out for delivery:\n"
    )
    orders = "/api/external/orders"
    _call(stack, "POST", orders, ORDER)
    status = {"status": "out_for_delivery", "accountCode": RULES_ACCOUNT}
    _call(stack, "POST", f"{orders}/{ORDER['orderId']}/status", status)
    message = _read(stack)
    for reported in message["statuses"]:
        print(f"  {reported['at']}  {reported['status']}")
    _answer(stack, message["id"])
    print("The shopper's answer is on the order's timeline:")
    print(f"  {json.dumps(_answered(stack), ensure_ascii=False)}", flush=True)


def _read(stack: Stack) -> Json:
    """The order's message, once the shopper has read it."""
    path = f"/api/orders/{ORDER['orderId']}/messages?account_code={RULES_ACCOUNT}"

    def message() -> Json:
        items = _call(stack, "GET", path)["items"]
        return items[0] if items and items[0]["message_status"] == "read" else None

    return _eventually(message)


def _answer(stack: Stack, message_id: str) -> None:
    """Presses a button of the message, as the shopper."""
    reply = {"callback_data": message_id, "button": {"text": "Yes, today", "payload": "today"}}
    body = json.dumps(reply).encode()
    request = urllib.request.Request(f"{stack['graph_url']}/_reply", body, method="POST")
    urllib.request.urlopen(request, timeout=60).close()


def _answered(stack: Stack) -> Json:
    path = f"/api/external/orders/{ORDER['orderId']}?accountCode={quote(RULES_ACCOUNT)}"

    def answer() -> Json:
        timeline = _call(stack, "GET", path)["timeline"]
        return next((fact["answer"] for fact in timeline if fact["answer"]), None)

    return _eventually(answer)


def _eventually(look: Any) -> Json:
    deadline = time.monotonic() + WAIT_SECONDS
    while not (found := look()):
        if time.monotonic() > deadline:
            raise TimeoutError("the demo's message was not read and answered")
        time.sleep(0.2)
    return found


def _call(stack: Stack, method: str, path: str, body: Json = None) -> Json:
    user = stack["users"]["admin"]
    credentials = base64.b64encode(f"{user['name']}:{user['password']}".encode()).decode()
    headers = {"authorization": f"Basic {credentials}", "content-type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{stack['api_url']}{path}", data, headers, method=method)
    with urllib.request.urlopen(request, timeout=60) as response:
        if method == "POST":
            print(f"POST {path} → {response.status}", flush=True)
        return json.load(response)

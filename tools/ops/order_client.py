"""A client of the running local stack: one order, its carrier's webhooks, and its deliveries."""

from __future__ import annotations

import base64
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any, TypeVar

from config import STACK_FILE

SAMPLE = {"current_status_id": 20, "is_return": 0, "scans": []}
WAIT_SECONDS = 60

# The stack's ConfigTtlSeconds is 1, stretched by up to a tenth.
SETTINGS_SECONDS = 1.5

Found = TypeVar("Found")


def stack() -> dict[str, Any]:
    return json.loads(STACK_FILE.read_text())


def unique(prefix: str) -> str:
    return f"{prefix}{time.time_ns() // 1000 % 10**12}"


def call(method: str, url: str, headers: dict[str, str], body: Any = None) -> tuple[int, Any]:
    """(status, JSON)."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        url, data=data, method=method, headers={"content-type": "application/json", **headers}
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, json.loads(response.read() or b"null")
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"null")


def basic(name: str, password: str) -> dict[str, str]:
    credentials = base64.b64encode(f"{name}:{password}".encode()).decode()
    return {"authorization": f"Basic {credentials}"}


def vendor(secret: str) -> dict[str, str]:
    return {"x-vendor-server-secret": secret}


def eventually(result: str, poll: Callable[[], Found | None]) -> Found:
    """Polls until there is a result."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        if (found := poll()) is not None:
            return found
        time.sleep(0.1)
    raise AssertionError(f"no {result} within {WAIT_SECONDS} s")


class OrderClient:
    """A client with a unique order."""

    def __init__(self, caller: dict[str, str]) -> None:
        self.stack = stack()
        self.caller = caller
        self.order_id, self.awb = unique("OPS-"), unique("77")
        self.orders_url = f"{self.stack['api_url']}/api/external/orders"

    def create(self) -> int:
        """Creates the order and returns the HTTP status."""
        items = [{"title": "Tea", "qty": 1, "price": 1}]
        order = {"orderId": self.order_id, "awb": self.awb, "items": items}
        return call("POST", self.orders_url, self.caller, order)[0]

    def read(self) -> tuple[int, Any]:
        return call("GET", f"{self.orders_url}/{self.order_id}", self.caller)

    def report(
        self,
        status_id: int,
        label: str,
        clock: str,
        token: str | None = None,
        path: str = "/webhooks/carrier",
    ) -> int:
        """Sends a webhook of Shiprocket about the order and returns the HTTP status."""
        body = SAMPLE | {
            "awb": self.awb,
            "order_id": self.order_id,
            "shipment_status_id": status_id,
            "shipment_status": label,
            "current_status": label,
            "current_timestamp": f"23 05 2023 {clock}",
        }
        key = token or self.stack["sources"]["shiprocket"]["api_key"]
        return call("POST", f"{self.stack['api_url']}{path}", {"x-api-key": key}, body)[0]

    def with_entries(self, count: int) -> Any:
        """The order, once its timeline has `count` entries."""

        def poll() -> Any:
            status, order = self.read()
            return order if status == 200 and len(order["timeline"]) >= count else None

        return eventually(f"{count} entries", poll)

    def received(self, path: str) -> list[Any]:
        """The deliveries about the order to a path, oldest first."""
        requests = call("GET", f"{self.stack['receiver_url']}/received", {})[1]["requests"]
        to_path = [request for request in requests if request["path"] == path]
        return [request for request in to_path if self.order_id in request["body"]]

    def delivered(self, path: str, count: int) -> Any:
        """The newest delivery to a path, once there are `count`."""

        def poll() -> Any:
            requests = self.received(path)
            return requests[-1] if len(requests) >= count else None

        return eventually(f"{count} deliveries to {path}", poll)

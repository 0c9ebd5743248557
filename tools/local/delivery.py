"""A request to the receiver, and its line on the screen."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

SIGNATURES = {True: "verified", False: "BAD SIGNATURE", None: "not an endpoint"}


@dataclass(frozen=True)
class Request:
    """An item of `GET /received`."""

    method: str
    path: str
    headers: dict[str, str]
    body: str
    received_at: str
    verified: bool | None


def timestamp(seconds: float) -> str:
    """A Unix time in the format of the API."""
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def describe(request: Request, http_status: int) -> str:
    """`10:31:07.512  demo-standard  order.status_changed in_transit  O-1  verified → 200`."""
    time = request.received_at[11:23]
    endpoint = request.path.strip("/")
    event, status, orders = _content(request.body)
    change = f"{event} {status}".strip()
    result = f"{SIGNATURES[request.verified]} → {http_status}"
    return f"  {time}  {endpoint:<26} {change:<40} {', '.join(orders)}  {result}"


def _content(body: str) -> tuple[str, str, list[str]]:
    """(event, status, order ids) of a body in one of the three formats, else empty."""
    try:
        payload = json.loads(body)
    except ValueError:
        payload = None
    if not isinstance(payload, dict):
        return "", "", []
    if isinstance(payload.get("orders"), list):
        orders = [order for order in payload["orders"] if isinstance(order, dict)]
        ids = [str(order.get("order_id")) for order in orders]
        return str(payload.get("event", "")), _each(orders, "status"), ids
    data: Any = payload.get("data", payload)
    if not isinstance(data, dict) or "orderId" not in data:
        return str(payload.get("type", "")), "", []
    event = str(payload.get("type", "order.status_changed"))
    return event, str(data.get("status")), [str(data["orderId"])]


def _each(orders: list[dict[str, Any]], key: str) -> str:
    return "/".join(sorted({str(order.get(key)) for order in orders}))

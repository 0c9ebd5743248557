"""A request the receiver got, and the one line that tells a person about it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

VERDICTS = {True: "verified", False: "BAD SIGNATURE", None: "not an endpoint"}


@dataclass(frozen=True)
class Request:
    """As `GET /received` shows it."""

    method: str
    path: str
    headers: dict[str, str]
    body: str
    received_at: str
    verified: bool | None


def timestamp(seconds: float) -> str:
    """A Unix time, as the API writes times."""
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def describe(request: Request, answer: int) -> str:
    """`10:31:07.512  demo-standard  order.status_changed in_transit  1370001_150870001  verified → 200`."""
    time = request.received_at[11:23]
    endpoint = request.path.strip("/")
    event, status, orders = _content(request.body)
    what = f"{event} {status}".strip()
    return f"  {time}  {endpoint:<26} {what:<40} {', '.join(orders)}  {VERDICTS[request.verified]} → {answer}"


def _content(body: str) -> tuple[str, str, list[str]]:
    """(event, status, order ids) of any of the three formats, empty for anything else."""
    try:
        payload = json.loads(body)
    except ValueError:
        payload = None
    if not isinstance(payload, dict):
        return "", "", []
    if isinstance(payload.get("orders"), list):
        orders = [order for order in payload["orders"] if isinstance(order, dict)]
        return str(payload.get("event", "")), _each(orders, "status"), [str(order.get("order_id")) for order in orders]
    data: Any = payload.get("data", payload)
    if not isinstance(data, dict) or "orderId" not in data:
        return str(payload.get("type", "")), "", []
    return str(payload.get("type", "order.status_changed")), str(data.get("status")), [str(data["orderId"])]


def _each(orders: list[dict[str, Any]], key: str) -> str:
    return "/".join(sorted({str(order.get(key)) for order in orders}))

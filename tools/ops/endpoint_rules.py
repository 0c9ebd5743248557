"""Validation of an endpoint's settings, as in `shared/domain/src/webhooks/endpoint.rs`."""

from __future__ import annotations

import re
from typing import Any

import contract
from config import StackError

STANDARD_ONLY = (
    *("message.received", "endpoint.paused", "endpoint.disabled", "endpoint.recovered"),
)
EVENT_TYPES = (
    *("order.status_changed", "shipment.status_changed", "order.stalled"),
    *STANDARD_ONLY,
)
MAX_WAIT = 24 * 60 * 60
MAX_SCHEDULE = 7 * MAX_WAIT
TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
RESERVED = {
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "traceparent",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "x-vendor-server-secret",
}
RESERVED_PREFIXES = ("webhook-", "x-webhook-")


def events(text: str) -> list[str]:
    """Types of events, and statuses."""
    statuses = contract.load().document["components"]["schemas"]["ReportedStatus"]["enum"]
    known = (*EVENT_TYPES, *statuses)
    for event in text.split(","):
        if event not in known:
            raise StackError(f"EVENTS={event}: expected some of {', '.join(known)}")
    return text.split(",")


def check_format(settings: dict[str, Any]) -> None:
    """What only some formats allow."""
    format_name = settings.get("format", "standard")
    if settings.get("latest_only") and format_name == "status_update":
        raise StackError("LATEST_ONLY=true: the bodies of status_update are batches")
    standard_only = set(settings.get("events") or ()) & set(STANDARD_ONLY)
    if standard_only and format_name != "standard":
        named = ", ".join(sorted(standard_only))
        raise StackError(f"EVENTS: only the format standard has {named}")


def backoff(text: str) -> list[int]:
    return [whole("BACKOFF", wait, 0, MAX_WAIT) for wait in text.split(",")]


def whole(variable: str, text: str, least: int, most: int) -> int:
    fits = text.isascii() and text.isdecimal() and len(text) <= 9
    if not fits or not least <= int(text) <= most:
        raise StackError(f"{variable}={text}: expected a whole number from {least} to {most}")
    return int(text)


def header(text: str) -> tuple[str, str]:
    """`name: value`; without a value the header is to be removed. No message quotes the value."""
    name, colon, value = text.partition(":")
    name, value = name.strip(), value.strip()
    lower = name.lower()
    if not colon or not TOKEN.fullmatch(name):
        raise StackError("HEADER: expected <name>: <value>, or <name>: to remove it")
    if lower in RESERVED or lower.startswith(RESERVED_PREFIXES):
        raise StackError(f"HEADER: {name} is set by HTTP or Waypost itself")
    if not value.isascii() or not value.isprintable():
        raise StackError(f"HEADER: the value of {name} must be visible ASCII")
    return name, value


def check_schedule(settings: dict[str, Any]) -> None:
    """Waits of the format's own schedule are within the limit."""
    waits = settings.get("backoff")
    if not isinstance(waits, list) or not waits:
        return
    retries = settings.get("retry_count", len(waits))
    total = sum(waits[min(retry, len(waits) - 1)] for retry in range(retries))
    if total > MAX_SCHEDULE:
        raise StackError("BACKOFF, RETRY_COUNT: all waits together must be at most 7 days")

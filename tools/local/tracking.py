"""State and responses of the double of Shipway."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

Item = dict[str, Any]

MAX_DELAY_MS = 600_000


class InvalidControl(Exception):
    """A control message is malformed."""


@dataclass(frozen=True)
class Call:
    """An item of `GET /_calls`; `user` is the email only."""

    at: str
    user: str
    awbs: list[str]
    status: int


@dataclass(frozen=True)
class Response:
    """The response to a call."""

    status: int
    headers: dict[str, str]
    body: bytes
    delay_ms: int = 0


@dataclass(frozen=True)
class Mode:
    """A fault for the next `times` calls that ask for an AWB with the prefix `asking`.

    Without `times` it holds for all of them.
    """

    asking: str = ""
    status: int = 200
    headers: dict[str, str] | None = None
    body: str | None = None
    shape: str = "whole"
    delay_ms: int = 0
    times: int | None = None


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _lower_case(items: list[Item]) -> list[Item]:
    return [item | {"awb": str(item["awb"]).lower()} for item in items]


# Faulty bodies of a response, made from its items.
SHAPES: dict[str, Callable[[list[Item]], bytes]] = {
    "whole": _json,
    "one_less": lambda items: _json(items[:-1]),
    "one_more": lambda items: _json(
        [*items, {"awb": "foreign", "tracking_details": {"shipment_status": "DEL"}}]
    ),
    "twice": lambda items: _json(items + items),
    "reversed": lambda items: _json(items[::-1]),
    "lower_case": lambda items: _json(_lower_case(items)),
    "by_awb": lambda items: _json({str(item["awb"]): item for item in items}),
    "truncated": lambda items: (text := _json(items))[: len(text) // 2],
    "not_utf8": lambda items: _json(items).replace(b'"awb"', b'"\xe9", "awb"', 1),
    "html": lambda _: b"<html><body>Service Unavailable</body></html>",
    "refused": lambda _: _json({"success": False, "message": "Something went wrong"}),
}


class Tracking:
    """The double's state. Not thread-safe."""

    def __init__(self, credentials: list[str]) -> None:
        # Credentials → the AWB prefixes they can see; `None`: all.
        self.credentials: dict[str, list[str] | None] = dict.fromkeys(credentials)
        self.items: dict[str, Item] = {}
        self.modes: dict[str, Mode] = {}
        self.calls: list[Call] = []

    def respond(self, user: str, awbs: list[str]) -> Response:
        """The response to a call; unknown parcels are left out."""
        if user not in self.credentials:
            return Response(401, {}, _json({"success": 0, "message": "Invalid credentials"}))
        mode = self._mode(awbs)
        visible = [awb for awb in awbs if awb in self.items and self._can_see(user, awb)]
        items = [{"awb": awb} | self.items[awb] for awb in visible]
        body = SHAPES[mode.shape](items) if mode.body is None else mode.body.encode()
        return Response(mode.status, mode.headers or {}, body, mode.delay_ms)

    def _can_see(self, user: str, awb: str) -> bool:
        prefixes = self.credentials[user]
        return prefixes is None or awb.startswith(tuple(prefixes))

    def _mode(self, awbs: list[str]) -> Mode:
        for asking, mode in self.modes.items():
            if any(awb.startswith(asking) for awb in awbs):
                if mode.times is not None:
                    self._set(replace(mode, times=mode.times - 1))
                return mode
        return Mode()

    def _set(self, mode: Mode) -> None:
        """Sets a mode; `times` 0 removes it."""
        if mode.times == 0:
            self.modes.pop(mode.asking, None)
        else:
            self.modes[mode.asking] = mode

    def control(self, message: Any) -> None:
        """Applies a control message as a whole, or raises InvalidControl."""
        _require(
            isinstance(message, dict) and message.keys() <= {"awb", "credentials", "mode"},
            "expected awb, credentials or mode",
        )
        items, credentials = message.get("awb", {}), message.get("credentials", {})
        objects = isinstance(items, dict) and isinstance(credentials, dict)
        _require(objects, "awb and credentials must be objects")
        for item in items.values():
            _require(item is None or isinstance(item, dict), "an item must be an object or null")
        mode = _read_mode(message["mode"]) if "mode" in message else None
        known = {awb: item for awb, item in (self.items | items).items() if item is not None}
        self.items, self.credentials = known, self.credentials | credentials
        if mode:
            self._set(mode)


def _read_mode(value: Any) -> Mode:
    _require(isinstance(value, dict), "mode must be an object")
    known = {known.name for known in fields(Mode)}
    _require(value.keys() <= known, "mode has an unknown field")
    mode = Mode(**value)
    _require(mode.shape in SHAPES, f"shape must be one of {', '.join(SHAPES)}")
    _require(_is_integer(mode.status, 200, 599), "status must be 200 to 599")
    _require(_is_integer(mode.delay_ms, 0, MAX_DELAY_MS), f"delay_ms must be 0 to {MAX_DELAY_MS}")
    _require(mode.times is None or _is_integer(mode.times, 0, 1_000_000), "times must be a number")
    return mode


def _is_integer(value: Any, low: int, high: int) -> bool:
    return type(value) is int and low <= value <= high


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise InvalidControl(message)

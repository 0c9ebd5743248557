"""What the double of Shipway knows of parcels, and how it answers, well or not."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

Item = dict[str, Any]

MAX_DELAY_MS = 600_000


class InvalidControl(Exception):
    """It was told what it cannot do."""


@dataclass(frozen=True)
class Call:
    """One call for parcels, as `GET /_calls` shows it; `user` is the email alone."""

    at: str
    user: str
    awbs: list[str]
    status: int


@dataclass(frozen=True)
class Answer:
    """What a call is answered."""

    status: int
    headers: dict[str, str]
    body: bytes
    delay_ms: int = 0


@dataclass(frozen=True)
class Mode:
    """How the next `times` calls that ask for an AWB which begins so are answered; without `times`, all."""

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


# Bodies that an answer of these items may have.
SHAPES: dict[str, Callable[[list[Item]], bytes]] = {
    "whole": _json,
    "one_less": lambda items: _json(items[:-1]),
    "one_more": lambda items: _json([*items, {"awb": "foreign", "tracking_details": {"shipment_status": "DEL"}}]),
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
    """All of it. Not safe for threads."""

    def __init__(self, credentials: list[str]) -> None:
        # Who may ask, and the starts of the AWBs that they see; `None`: all.
        self.credentials: dict[str, list[str] | None] = dict.fromkeys(credentials)
        self.items: dict[str, Item] = {}
        self.modes: dict[str, Mode] = {}
        self.calls: list[Call] = []

    def answer(self, user: str, awbs: list[str]) -> Answer:
        """What whoever asks for these is answered; parcels that are not known are left out."""
        if user not in self.credentials:
            return Answer(401, {}, _json({"success": 0, "message": "Invalid credentials"}))
        mode = self._mode(awbs)
        items = [{"awb": awb} | self.items[awb] for awb in awbs if awb in self.items and self._sees(user, awb)]
        body = SHAPES[mode.shape](items) if mode.body is None else mode.body.encode()
        return Answer(mode.status, mode.headers or {}, body, mode.delay_ms)

    def _sees(self, user: str, awb: str) -> bool:
        starts = self.credentials[user]
        return starts is None or awb.startswith(tuple(starts))

    def _mode(self, awbs: list[str]) -> Mode:
        for asking, mode in self.modes.items():
            if any(awb.startswith(asking) for awb in awbs):
                if mode.times is not None:
                    self._set(replace(mode, times=mode.times - 1))
                return mode
        return Mode()

    def _set(self, mode: Mode) -> None:
        """One that is used up is none."""
        if mode.times == 0:
            self.modes.pop(mode.asking, None)
        else:
            self.modes[mode.asking] = mode

    def control(self, told: Any) -> None:
        """Raises InvalidControl; then none of it counts."""
        _require(isinstance(told, dict) and told.keys() <= {"awb", "credentials", "mode"}, "awb, credentials or mode")
        items, credentials = told.get("awb", {}), told.get("credentials", {})
        _require(isinstance(items, dict) and isinstance(credentials, dict), "awb and credentials are objects")
        for item in items.values():
            _require(item is None or isinstance(item, dict), "an item is an object or null")
        mode = _read_mode(told["mode"]) if "mode" in told else None
        known = {awb: item for awb, item in (self.items | items).items() if item is not None}
        self.items, self.credentials = known, self.credentials | credentials
        if mode:
            self._set(mode)


def _read_mode(told: Any) -> Mode:
    _require(isinstance(told, dict), "mode is an object")
    _require(told.keys() <= {known.name for known in fields(Mode)}, "mode has an unknown part")
    mode = Mode(**told)
    _require(mode.shape in SHAPES, f"shape is one of {', '.join(SHAPES)}")
    _require(_is_integer(mode.status, 200, 599), "status is 200 to 599")
    _require(_is_integer(mode.delay_ms, 0, MAX_DELAY_MS), f"delay_ms is 0 to {MAX_DELAY_MS}")
    _require(mode.times is None or _is_integer(mode.times, 0, 1_000_000), "times is a number")
    return mode


def _is_integer(value: Any, low: int, high: int) -> bool:
    return type(value) is int and low <= value <= high


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise InvalidControl(message)

"""Scripted responses of the receiver.

`PUT /answers` {"<path>": [{"status", "headers"?, "delay_ms"?, "body"?}, …]}
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from typing import Any

MAX_DELAY_MS = 600_000


class InvalidScript(Exception):
    """The script is malformed."""


@dataclass(frozen=True)
class Response:
    """One scripted response."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    delay_ms: int = 0
    body: str = ""


def parse_responses(body: bytes) -> dict[str, list[Response]]:
    """The responses of each path, in the order of their use."""
    try:
        script = json.loads(body)
    except ValueError as error:
        raise InvalidScript(f"not JSON: {error}") from error
    _require(isinstance(script, dict), "expected an object of paths")
    for path, responses in script.items():
        _require(path.startswith("/"), f"{path!r}: a path must start with /")
        _require(isinstance(responses, list), f"{path}: expected a list of responses")
    return {
        path: [
            _parse_response(f"{path}[{index}]", response)
            for index, response in enumerate(responses)
        ]
        for path, responses in script.items()
    }


def _parse_response(field: str, response: Any) -> Response:
    _require(isinstance(response, dict), f"{field}: expected an object")
    unknown = response.keys() - {known.name for known in fields(Response)}
    _require(not unknown, f"{field}: unknown field {', '.join(sorted(unknown))}")
    _require(_is_integer(response.get("status"), 200, 599), f"{field}.status: expected 200 to 599")
    delay = response.get("delay_ms", 0)
    _require(_is_integer(delay, 0, MAX_DELAY_MS), f"{field}.delay_ms: expected 0 to {MAX_DELAY_MS}")
    _require(isinstance(response.get("body", ""), str), f"{field}.body: expected a string")
    headers = response.get("headers", {})
    _require(
        isinstance(headers, dict) and all(isinstance(value, str) for value in headers.values()),
        f"{field}.headers: expected an object of strings",
    )
    return Response(**response)


def _is_integer(value: Any, low: int, high: int) -> bool:
    return type(value) is int and low <= value <= high


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise InvalidScript(message)

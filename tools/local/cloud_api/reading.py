"""Reads control messages. Each is applied as a whole or not at all."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, TypeVar

MAX_DELAY_MS = 600_000

T = TypeVar("T")


class InvalidControl(Exception):
    """A control message is malformed."""


def require(condition: bool, message: str) -> None:
    if not condition:
        raise InvalidControl(message)


def is_integer(value: Any, low: int, high: int) -> bool:
    return type(value) is int and low <= value <= high


def read_object(value: Any, name: str, known: set[str]) -> dict[str, Any]:
    """An object without unknown fields."""
    require(isinstance(value, dict), f"{name} must be an object")
    unknown = sorted(value.keys() - known)
    require(not unknown, f"{name} has an unknown field: {', '.join(unknown)}")
    return value


def read_dataclass(kind: type[T], value: Any, name: str) -> T:
    """A dataclass whose fields are those of the object. Its values are not checked."""
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    try:
        return kind(**read_object(value, name, known))
    except TypeError as error:
        raise InvalidControl(f"{name}: {error}") from error


def require_text(value: Any, name: str) -> None:
    require(value is None or isinstance(value, str), f"{name} must be a text")


def require_delay(value: Any, name: str) -> None:
    require(is_integer(value, 0, MAX_DELAY_MS), f"{name} must be 0 to {MAX_DELAY_MS}")

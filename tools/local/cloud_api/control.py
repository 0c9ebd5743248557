"""Reads `POST /_control`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from . import rules, templates
from .bodies import Number
from .reading import is_integer, read_dataclass, read_object, require
from .rules import Rule
from .templates import Template

KNOWN = {"access_tokens", "numbers", "templates", "users", "rule"}


@dataclass(frozen=True)
class Change:
    """A change of the double's state; `None` as a value removes."""

    access_tokens: set[str] | None = None
    numbers: dict[str, Number | None] = field(default_factory=dict)
    templates: dict[str, dict[str, Template | None]] = field(default_factory=dict)
    users: dict[str, str | None] = field(default_factory=dict)
    rule: Rule | None = None


def read(message: Any) -> Change:
    given = read_object(message, "control", KNOWN)
    return Change(
        access_tokens=_read_tokens(given["access_tokens"]) if "access_tokens" in given else None,
        numbers=_read_numbers(given.get("numbers", {})),
        templates=_read_templates(given.get("templates", {})),
        users=_read_users(given.get("users", {})),
        rule=rules.read(given["rule"]) if "rule" in given else None,
    )


def _read_tokens(value: Any) -> set[str]:
    texts = isinstance(value, list) and all(type(item) is str for item in value)
    require(texts and bool(value), "access_tokens must be a list of texts")
    return set(value)


def _read_users(value: Any) -> dict[str, str | None]:
    objects = isinstance(value, dict)
    texts = objects and all(item is None or type(item) is str for item in value.values())
    require(texts, "users must be an object of user ids or null")
    return value


def _read_numbers(value: Any) -> dict[str, Number | None]:
    require(isinstance(value, dict), "numbers must be an object")
    return {name: _read_number(name, item) for name, item in value.items()}


def _read_number(name: str, value: Any) -> Number | None:
    require(name.isascii() and name.isdigit(), "the id of a number must be digits")
    if value is None:
        return None
    require(isinstance(value, dict), f"numbers.{name} must be an object")
    number = read_dataclass(Number, value | {"id": name}, f"numbers.{name}")
    limit = is_integer(number.messages_per_second, 0, 1000)
    require(limit, f"numbers.{name}.messages_per_second: 0 to 1000")
    for text in ("display_phone_number", "business_account", "country_code"):
        require(type(getattr(number, text)) is str, f"numbers.{name}.{text} must be a text")
    return number


def _read_templates(value: Any) -> dict[str, dict[str, Template | None]]:
    objects = isinstance(value, dict) and all(isinstance(it, dict) for it in value.values())
    require(objects, "templates must be an object of languages")
    return {
        name: {
            language: None if item is None else templates.read(item, f"templates.{name}.{language}")
            for language, item in languages.items()
        }
        for name, languages in value.items()
    }

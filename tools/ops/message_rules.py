"""Validation of an account's message rules, as in `shared/domain/src/messaging/rules`.

Both are tested by the cases of `rules/tests/cases.txt` there.
"""

from __future__ import annotations

import json
import re
import unicodedata
import zoneinfo
from collections.abc import Callable, Iterable
from typing import Any

import contract
from config import StackError

MAX_BYTES = 8 * 1024
MAX_DEPTH = 32
MAX_AGE_MINUTES = 7 * 24 * 60
MAX_DAILY_CAP = 1000
MAX_WORDS = 50
MAX_WORD_LETTERS = 64
MAX_COUNTRY_CODE = 3
MIN_OPEN_MINUTES = 3 * 60
DAY_MINUTES = 24 * 60
STOP = ["STOP", "UNSUBSCRIBE", "CANCEL MESSAGES"]
START = ["START", "RESUME"]
# Of `rules/values.rs`.
PLACEHOLDERS = (
    *("first_name", "last_name", "order_id", "status", "shipment_status", "awb", "carrier"),
    *("location", "eta", "tracking_url", "account_code"),
)
PLACEHOLDER = re.compile(r"\{([A-Za-z0-9_. -]{1,64})\}")
LANGUAGE = re.compile(r"[A-Za-z](?=.{1,15}$)[A-Za-z_-]*[A-Za-z]")
TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")

Json = dict[str, Any]
Check = Callable[[str, Any], None]


def parse(text: str) -> Json:
    """The rules of a file. Messages name the field, and quote no value but a placeholder's name."""
    _require(len(text.encode()) <= MAX_BYTES, ".", "must not have over 8192 bytes")
    try:
        rules = json.loads(text, object_pairs_hook=_object, parse_constant=_no_json)
    except (ValueError, RecursionError):
        raise StackError(".: must be JSON") from None
    _require(_depth(rules) <= MAX_DEPTH, ".", "must not have over 32 levels")
    _fields("", rules, RULES, ("phone_number_id",))
    stop, start = (rules.get(field) for field in ("stop_words", "start_words"))
    both = {*map(_folded, stop or STOP)} & {*map(_folded, start or START)}
    _require(not both, "start_words", "must not have a word of stop_words")
    return rules


def _object(pairs: list[tuple[str, Any]]) -> Json:
    fields = dict(pairs)
    for name in fields:
        _require([field for field, _ in pairs].count(name) == 1, name, "is there twice")
    return fields


def _no_json(_: str) -> None:
    raise ValueError


def _depth(value: Any) -> int:
    if not isinstance(value, dict | list):
        return 0
    inner: Iterable[Any] = value.values() if isinstance(value, dict) else value
    return 1 + max(map(_depth, inner), default=0)


def _fields(path: str, value: Any, known: dict[str, Check], needed: tuple[str, ...]) -> None:
    """Checks each field of an object."""
    _require(isinstance(value, dict), path or ".", "must be an object")
    names = {name: f"{path}.{name}" if path else name for name in (*value, *needed)}
    for name, field in names.items():
        _require(name in known, field, f"is unknown; known are {', '.join(known)}")
        _require(name in value, field, "is missing")
        known[name](field, value[name])


def _optional(check: Check) -> Check:
    def checked(field: str, value: Any) -> None:
        if value is not None:
            check(field, value)

    return checked


def _text(fits: Callable[[str], Any], message: str) -> Check:
    return lambda field, value: _require(isinstance(value, str) and fits(value), field, message)


def _whole(most: int) -> Check:
    def check(field: str, value: Any) -> None:
        fits = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most
        _require(fits, field, f"must be a whole number from 1 to {most}")

    return check


def _bool(field: str, value: Any) -> None:
    _require(isinstance(value, bool), field, "must be true or false")


def _rules(field: str, value: Any) -> None:
    _require(isinstance(value, list), field, "must be a list")
    for index, rule in enumerate(value):
        _fields(f"{field}[{index}]", rule, RULE, ("on", "template", "language"))
        others = [other["on"] for other in value[:index]]
        _require(rule["on"] not in others, f"{field}[{index}].on", "has another rule already")


def _status(field: str, value: Any) -> None:
    statuses = contract.load().document["components"]["schemas"]["ReportedStatus"]["enum"]
    _require(value in statuses, field, f"must be one of {', '.join(statuses)}")


def _components(field: str, value: Any) -> None:
    fits = isinstance(value, list) and all(isinstance(part, dict) for part in value)
    _require(fits, field, "must be a list of objects")
    for text in _texts(value):
        for name in PLACEHOLDER.findall(text):
            looks_like_name = any(letter.isalnum() for letter in name)
            known = name in PLACEHOLDERS or not looks_like_name
            names = ", ".join(PLACEHOLDERS)
            _require(known, field, f"has the unknown placeholder `{name}`; known are {names}")


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


def _quiet_hours(field: str, value: Any) -> None:
    _fields(field, value, QUIET_HOURS, ("from", "to", "zone"))
    begin, end = (
        int(hour) * 60 + int(minute)
        for hour, minute in (value[it].split(":") for it in ("from", "to"))
    )
    is_open = DAY_MINUTES - (end - begin) % DAY_MINUTES >= MIN_OPEN_MINUTES
    _require(is_open, field, "must leave at least three hours of a day")


def _words(field: str, value: Any) -> None:
    is_list = isinstance(value, list) and 1 <= len(value) <= MAX_WORDS
    _require(is_list, field, "must have 1 to 50 words")
    message = "must be words of at most 64 characters, with a letter or a digit"
    for index, word in enumerate(value):
        _require(isinstance(word, str), f"{field}[{index}]", "must be a text")
        fits = len(word) <= MAX_WORD_LETTERS and any(letter.isalnum() for letter in word)
        _require(fits, field, message)


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text)
    return " ".join(re.sub(r"^[\W_]+|[\W_]+$", "", plain).split()).upper()


def _require(condition: object, field: str, message: str) -> None:
    if not condition:
        raise StackError(f"{field}: {message}")


QUIET_HOURS: dict[str, Check] = {
    "from": _text(TIME.fullmatch, "must be a time such as 21:00"),
    "to": _text(TIME.fullmatch, "must be a time such as 21:00"),
    "zone": _text(
        lambda zone: zone in zoneinfo.available_timezones(),
        "must be an IANA time zone such as Asia/Kolkata",
    ),
}
RULE: dict[str, Check] = {
    "on": _status,
    "template": _text(
        re.compile("[a-z0-9_]{1,512}").fullmatch, "must be lower-case letters, digits and `_`"
    ),
    "language": _text(LANGUAGE.fullmatch, "must be a language code such as `en` or `pt_BR`"),
    "components": _optional(_components),
    "max_age_minutes": _optional(_whole(MAX_AGE_MINUTES)),
}
RULES: dict[str, Check] = {
    "phone_number_id": _text(re.compile("[0-9]{1,32}").fullmatch, "must be 1 to 32 digits"),
    "rules": _rules,
    "quiet_hours": _optional(_quiet_hours),
    "daily_cap": _optional(_whole(MAX_DAILY_CAP)),
    "stop_words": _optional(_words),
    "start_words": _optional(_words),
    "country_code": _optional(
        _text(
            re.compile("[1-9][0-9]{0,2}").fullmatch,
            "must be 1 to 3 digits, without `+` and leading zeros",
        )
    ),
    "dry_run": _bool,
}

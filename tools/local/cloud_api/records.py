"""Calls, messages, answers and webhooks of the double."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from .rules import Rule

Json = dict[str, Any]


@dataclass(frozen=True)
class Response:
    """The answer to a call; `connection` as in [`Rule`]."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    delay_ms: int = 0
    connection: str = "kept"


@dataclass(frozen=True)
class Outgoing:
    """A webhook to send."""

    body: bytes
    after_seconds: float = 0
    message: str | None = None


@dataclass
class Call:
    """An item of `GET /_calls`: every request to send, without its content."""

    at: str
    number: str
    # The HTTP status of the answer; 0: none was given.
    status: int
    # The code of the error in the answer.
    code: int | None
    message: str | None
    recipient: str | None
    template: str | None
    callback_data: str | None


@dataclass
class Message:
    """An item of `GET /_messages`: an accepted message."""

    id: str
    at: str
    number: str
    # The phone number, else the user id.
    recipient: str
    user_id: str | None
    template: str
    language: str
    category: str
    callback_data: str | None
    message_status: str
    # True for a user id in `to`: no status will follow.
    dropped: bool
    request: Json
    rule: Rule = field(repr=False)

    def shown(self) -> Json:
        return {name: value for name, value in asdict(self).items() if name != "rule"}


FILTERS = ("number", "recipient", "template", "callback_data")

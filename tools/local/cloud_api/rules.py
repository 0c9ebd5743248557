"""Rules: how the double treats messages to a recipient, of a template, or of a number."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from .errors import Refused
from .reading import (
    InvalidControl,
    is_integer,
    read_dataclass,
    require,
    require_delay,
    require_text,
)
from .requests import Send

Json = dict[str, Any]

MESSAGE_STATUSES = ("accepted", "held_for_quality_assessment", "paused")
CONNECTIONS = ("kept", "refused", "lost")
MAX_TIMES = 1_000_000


@dataclass(frozen=True)
class Step:
    """A status that the double reports."""

    status: str
    after_ms: int = 0
    # The time in the status, from the same moment; `None`: the time at which it is due.
    at_ms: int | None = None
    # The code of a failure.
    error: int | None = None
    times: int = 1
    # Replaces fields of the status.
    fields: Json = field(default_factory=dict)


# What happens to an accepted message without a rule.
READ = (Step("sent", 100), Step("delivered", 300), Step("read", 600))


@dataclass(frozen=True)
class Rule:
    """What happens to the next `times` messages that match; without `times` to all of them."""

    # All that are given must match.
    to: str | None = None
    template: str | None = None
    number: str | None = None
    times: int | None = None
    # An answer in place of a message: a code of the API, or any body.
    error: int | None = None
    details: str | None = None
    http_status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None
    # After the message is accepted, before the answer.
    delay_ms: int = 0
    # `refused`: closed without accepting; `lost`: accepted, and closed without an answer.
    connection: str = "kept"
    message_status: str = "accepted"
    # `None`: sent, delivered, read; of messages that are not accepted: none.
    statuses: tuple[Step, ...] | None = None
    pricing: Json = field(default_factory=dict)
    free_entry_point: bool = False

    @property
    def key(self) -> tuple[str | None, str | None, str | None]:
        return (self.to, self.template, self.number)

    def matches(self, number: str, send: Send) -> bool:
        return (
            self.to in (None, send.user)
            and self.template in (None, send.template)
            and self.number in (None, number)
        )

    def refuses(self) -> bool:
        return self.error is not None or self.body is not None or self.http_status is not None

    def refusal(self) -> Refused | None:
        """The error to answer; `None` if the answer is `body`."""
        if self.error is None and self.body is not None:
            return None
        return Refused(
            1 if self.error is None else self.error, self.details or "", self.http_status
        )

    def steps(self) -> tuple[Step, ...]:
        if self.statuses is not None:
            return self.statuses
        return READ if self.message_status == "accepted" else ()


class Rules:
    """All rules. One for a recipient precedes one for a template, and that one for a number."""

    def __init__(self) -> None:
        self._rules: dict[tuple[str | None, str | None, str | None], Rule] = {}

    def set(self, rule: Rule) -> None:
        """Replaces the rule for the same messages; `times` 0 removes it."""
        self._rules.pop(rule.key, None)
        if rule.times != 0:
            self._rules[rule.key] = rule

    def find(self, number: str, send: Send) -> Rule:
        """The rule for a message; without one, the default."""
        matching = [rule for rule in self._rules.values() if rule.matches(number, send)]
        if not matching:
            return Rule()
        return min(matching, key=lambda rule: [part is None for part in rule.key])

    def use(self, rule: Rule) -> None:
        """Counts a message as one of the rule's `times`."""
        if rule.times is not None:
            self.set(replace(rule, times=rule.times - 1))


def read(value: Any) -> Rule:
    """A rule of a control message."""
    rule = read_dataclass(Rule, value, "rule")
    for name in ("to", "template", "number", "details", "body"):
        require_text(getattr(rule, name), f"rule.{name}")
    require(rule.times is None or is_integer(rule.times, 0, MAX_TIMES), "rule.times: a number")
    require(rule.error is None or is_integer(rule.error, 0, 999_999), "rule.error: a code")
    status = rule.http_status
    require(status is None or is_integer(status, 200, 599), "rule.http_status: 200 to 599")
    require_delay(rule.delay_ms, "rule.delay_ms")
    require(rule.connection in CONNECTIONS, f"rule.connection: one of {', '.join(CONNECTIONS)}")
    known = rule.message_status in MESSAGE_STATUSES
    require(known, f"rule.message_status: one of {', '.join(MESSAGE_STATUSES)}")
    for name in ("headers", "pricing"):
        require(isinstance(getattr(rule, name), dict), f"rule.{name} must be an object")
    require(type(rule.free_entry_point) is bool, "rule.free_entry_point: true or false")
    to = rule.to.removeprefix("+") if rule.to else rule.to
    statuses = None if rule.statuses is None else read_steps(rule.statuses)
    return replace(rule, to=to, statuses=statuses)


def read_steps(value: Any) -> tuple[Step, ...]:
    """Statuses as texts or objects. Texts have the times of [`READ`]."""
    if not isinstance(value, list):
        raise InvalidControl("statuses must be a list")
    usual = {step.status: step for step in READ} | {"failed": Step("failed", 300, error=131026)}
    return tuple(
        usual.get(item, Step(item)) if isinstance(item, str) else _read_step(item) for item in value
    )


def _read_step(value: Any) -> Step:
    step = read_dataclass(Step, value, "status")
    require(isinstance(step.status, str), "status.status must be a text")
    require_delay(step.after_ms, "status.after_ms")
    at = step.at_ms
    require(at is None or is_integer(at, -(10**9), 10**9), "status.at_ms: milliseconds")
    require(step.error is None or is_integer(step.error, 0, 999_999), "status.error: a code")
    require(is_integer(step.times, 1, 10), "status.times must be 1 to 10")
    require(isinstance(step.fields, dict), "status.fields must be an object")
    return step

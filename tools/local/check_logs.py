"""Fails if a log line contains a body, a phone number, a name, a password, a key or a secret.

Run it after the end-to-end tests: their requests carry words of the form `canary-<kind>`. The check
searches for those words and for the stack's own secrets in the logs of all functions and of the
API, and in the log files beside stack.json. It never prints a match.
"""

from __future__ import annotations

import base64
import json
import re
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import describe
import logs
from check_result import print_problems
from config import LOCAL, client
from demo import ORDER

Stack = dict[str, Any]

GROUPS = "/aws/"
SETTINGS = "/waypost"  # of every stage: tests add their own
CANARY = re.compile(r"canary-([a-z]+)", re.IGNORECASE)
TICKET = re.compile(r"ticket-[a-z2-7]{32}")  # as `Ticket` of the code makes them
SECRET_PARAMETERS = re.compile(
    r"/(users|vendors|hooks)/[^/]+$|/(secret|legacy_secret|shipway|tracking|pusher)$"
)
PUBLIC_FIELDS = {
    *("account", "accounts", "role", "email", "public_url", "origins"),
    *("app_id", "key", "host"),
}
MIN_SECRET_LENGTH = 9  # shorter texts occur in other words by chance


def secrets_of(stack: Stack) -> dict[str, str]:
    """Every text that must not be logged → its kind."""
    found = {ORDER["customer"]["phone"]: "phone of the demo"} | recipients_of(stack)
    for user in stack["users"].values():
        credentials = f"{user['name']}:{user['password']}".encode()
        found[user["password"]] = "password"
        found[base64.b64encode(credentials).decode()] = "Basic credentials"
    ssm = client("ssm", stack["endpoint_url"])
    pages = ssm.get_paginator("get_parameters_by_path").paginate(
        Path=SETTINGS, Recursive=True, WithDecryption=True
    )
    for parameter in (parameter for page in pages for parameter in page["Parameters"]):
        if SECRET_PARAMETERS.search(parameter["Name"]):
            kind = parameter["Name"].removeprefix(f"{SETTINGS}/")
            found |= dict.fromkeys(_secrets_in(parameter["Value"]), kind)
    return {text: kind for text, kind in found.items() if len(text) >= MIN_SECRET_LENGTH}


def recipients_of(stack: Stack) -> Stack:
    """The phone numbers and user ids to which the double of the Cloud API was sent messages."""
    found: Stack = {}
    for path, key in (("_calls", "calls"), ("_messages", "messages")):
        with urllib.request.urlopen(f"{stack['graph_url']}/{path}") as response:
            items = json.load(response)[key]
        found |= {item["recipient"]: "recipient" for item in items if item["recipient"]}
        found |= {item["user_id"]: "user id" for item in items if item.get("user_id")}
    return found


def _secrets_in(value: Any) -> Iterator[str]:
    """The words of a plain text, or the texts of a JSON object."""
    match value:
        case {"email": email, "license_key": key}:
            yield key
            yield base64.b64encode(f"{email}:{key}".encode()).decode()
        case dict():
            for key, part in value.items():
                if key not in PUBLIC_FIELDS:
                    yield from _secrets_in(part)
        case list():
            yield from (word for part in value for word in _secrets_in(part))
        case str():
            with suppress(ValueError):
                if isinstance(parsed := json.loads(value), dict):
                    yield from _secrets_in(parsed)
                    return
            yield from (word.removeprefix("whsec_") for word in value.split())


def leaks(stack: Stack, secrets: dict[str, str]) -> set[tuple[str, str]]:
    """(log, kind of secret) of each leak."""
    return {(log, kind) for log, line in lines_of(stack) for kind in kinds_in(line, secrets)}


def kinds_in(line: str, secrets: dict[str, str]) -> set[str]:
    found = {f"canary-{kind.lower()}" for kind in CANARY.findall(line)}
    found |= {"ticket of a socket"} if TICKET.search(line) else set()
    return found | {kind for text, kind in secrets.items() if text in line}


def lines_of(stack: Stack) -> Iterator[tuple[str, str]]:
    """(log, line) of everything the stack has logged."""
    for line in logs.read(stack["endpoint_url"], GROUPS):
        yield line.name, line.text
    for file in LOCAL.glob("*.log"):
        for text in file.read_text(errors="replace").splitlines():
            yield file.name, text


@contextmanager
def log_with(stack: Stack, lines: list[str]) -> Iterator[str]:
    """A log that contains every secret, to prove that the check finds them. Yields its name."""
    cloudwatch, group = client("logs", stack["endpoint_url"]), f"{GROUPS}planted"
    cloudwatch.create_log_group(logGroupName=group)
    try:
        cloudwatch.create_log_stream(logGroupName=group, logStreamName="lines")
        now = time.time_ns() // 1_000_000
        events = [{"timestamp": now, "message": f"before {line} after"} for line in lines]
        cloudwatch.put_log_events(logGroupName=group, logStreamName="lines", logEvents=events)
        yield "planted"
    finally:
        cloudwatch.delete_log_group(logGroupName=group)


def problems(stack: Stack) -> Iterator[str]:
    secrets = secrets_of(stack)
    with log_with(stack, ["CANARY-line", f"ticket-{'a' * 32}", *secrets]) as planted:
        found = leaks(stack, secrets)
    expected = {"canary-line", "ticket of a socket", *secrets.values()}
    missed = expected - {kind for log, kind in found if log == planted}
    yield from (f"this check does not find {kind}" for kind in sorted(missed))
    yield from (f"{log}: a line contains {kind}" for log, kind in sorted(found) if log != planted)
    written = {log for log, _ in lines_of(stack)}
    yield from (
        f"{name}: logged nothing" for name in sorted({*stack["functions"].values()} - written)
    )
    with urllib.request.urlopen(f"{stack['receiver_url']}/received") as response:
        if not CANARY.search(response.read().decode()):
            yield "no canary was delivered: run the end-to-end tests first"


def main() -> int:
    return print_problems(problems(describe.read()))


if __name__ == "__main__":
    sys.exit(main())

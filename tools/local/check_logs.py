"""No log line holds what has no business there: a body, a phone, a name, a password, a key, a secret.

Run after the end-to-end tests: what they send carries words of the form `canary-<kind>`. Those are searched for, and
the stack's own secrets, in the logs of all functions and of the API, and in the files beside stack.json. What is found
is never printed.
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
from config import LOCAL, client
from demo import ORDER

Stack = dict[str, Any]

GROUPS = "/aws/"
SETTINGS = "/waypost"  # of whatever installation a test makes
CANARY = re.compile(r"canary-([a-z]+)", re.IGNORECASE)
SECRET_PARAMETERS = re.compile(r"/(users|vendors|hooks)/[^/]+$|/(secret|legacy_secret|shipway)$")
NO_SECRETS = {"account", "accounts", "role", "email"}
SHORTEST_SECRET = 9  # what is shorter stands in other words by chance


def secrets_of(stack: Stack) -> dict[str, str]:
    """What may be in no log: text → kind."""
    found = {ORDER["customer"]["phone"]: "phone of the demo"}
    for user in stack["users"].values():
        credentials = f"{user['name']}:{user['password']}".encode()
        found |= {user["password"]: "password", base64.b64encode(credentials).decode(): "Basic credentials"}
    ssm = client("ssm", stack["endpoint_url"])
    pages = ssm.get_paginator("get_parameters_by_path").paginate(Path=SETTINGS, Recursive=True, WithDecryption=True)
    for parameter in (parameter for page in pages for parameter in page["Parameters"]):
        if SECRET_PARAMETERS.search(parameter["Name"]):
            kind = parameter["Name"].removeprefix(f"{SETTINGS}/")
            found |= dict.fromkeys(_words(parameter["Value"]), kind)
    return {text: kind for text, kind in found.items() if len(text) >= SHORTEST_SECRET}


def _words(value: Any) -> Iterator[str]:
    """The secrets in a parameter: a text's words, or the texts of a JSON object."""
    match value:
        case {"email": email, "license_key": key}:
            yield key
            yield base64.b64encode(f"{email}:{key}".encode()).decode()
        case dict():
            yield from (word for key, part in value.items() if key not in NO_SECRETS for word in _words(part))
        case list():
            yield from (word for part in value for word in _words(part))
        case str():
            with suppress(ValueError):
                if isinstance(parsed := json.loads(value), dict):
                    yield from _words(parsed)
                    return
            yield from (word.removeprefix("whsec_") for word in value.split())


def leaks(stack: Stack, secrets: dict[str, str]) -> set[tuple[str, str]]:
    """(who wrote it, what kind of thing it is) of all that is where it should not be."""
    return {(who, kind) for who, line in lines_of(stack) for kind in kinds_in(line, secrets)}


def kinds_in(line: str, secrets: dict[str, str]) -> set[str]:
    canaries = {f"canary-{kind.lower()}" for kind in CANARY.findall(line)}
    return canaries | {kind for text, kind in secrets.items() if text in line}


def lines_of(stack: Stack) -> Iterator[tuple[str, str]]:
    """(who, line) of everything that the stack wrote."""
    for line in logs.read(stack["endpoint_url"], GROUPS):
        yield line.name, line.text
    for file in LOCAL.glob("*.log"):
        for text in file.read_text(errors="replace").splitlines():
            yield file.name, text


@contextmanager
def planted(stack: Stack, lines: list[str]) -> Iterator[str]:
    """A log in which there is all that should not be: who does not find it would find nothing. Yields its name."""
    cloudwatch, group = client("logs", stack["endpoint_url"]), f"{GROUPS}planted"
    cloudwatch.create_log_group(logGroupName=group)
    try:
        cloudwatch.create_log_stream(logGroupName=group, logStreamName="lines")
        events = [{"timestamp": time.time_ns() // 1_000_000, "message": f"before {line} after"} for line in lines]
        cloudwatch.put_log_events(logGroupName=group, logStreamName="lines", logEvents=events)
        yield "planted"
    finally:
        cloudwatch.delete_log_group(logGroupName=group)


def complaints(stack: Stack) -> Iterator[str]:
    secrets = secrets_of(stack)
    with planted(stack, ["CANARY-line", *secrets]) as gardener:
        found = leaks(stack, secrets)
    missed = {"canary-line", *secrets.values()} - {kind for who, kind in found if who == gardener}
    yield from (f"this check finds no {kind}" for kind in sorted(missed))
    yield from (f"{who}: a line holds {kind}" for who, kind in sorted(found) if who != gardener)
    writers = {who for who, _ in lines_of(stack)}
    yield from (f"{name}: logged nothing" for name in sorted(set(stack["functions"].values()) - writers))
    with urllib.request.urlopen(f"{stack['receiver_url']}/received") as response:
        if not CANARY.search(response.read().decode()):
            yield "no canary came through: run the end-to-end tests first"


def main() -> int:
    found = list(complaints(describe.read()))
    for complaint in found:
        print(complaint)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

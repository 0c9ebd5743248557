"""Shows deliveries and events, and begins them again: `make deliveries`, `events`, `replay-dlq`.

    STAGE=prod NAME=ops PASSWORD=stdin STATE=dead python tools/ops/operate.py deliveries

Calls the API of a stage as its user NAME, whose password is a line of standard input; on the local
stack as its admin. Options come from the environment, where make puts its variables.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from botocore.exceptions import BotoCoreError, ClientError

import installation
import options as command_options
from config import StackError
from installation import Installation
from request import FROM_STDIN, require_known_options
from table import table

Json = Any
TIMEOUT_SECONDS = 30
DEFAULT_LIMIT = 20
# In a column without a value, so that other programs can count columns.
NONE = "-"
PAGE = 100

# The options by the names of the API.
TIMES = {"from": "FROM", "to": "TO"}
DELIVERY_FILTERS = {
    "state": "STATE",
    "endpoint": "ENDPOINT",
    "order_id": "ORDER",
    "account_code": "ACCOUNT",
    "kind": "KIND",
    "reason": "REASON",
    **TIMES,
}
EVENT_FILTERS = {"status": "STATUS", "source": "SOURCE", "account_code": "ACCOUNT", **TIMES}
REDRIVE_FILTERS = {
    "endpoint": "ENDPOINT",
    "reason": "REASON",
    "source": "SOURCE",
    "account_code": "ACCOUNT",
    **TIMES,
}


@dataclass(frozen=True)
class Api:
    url: str
    name: str
    password: str

    def call(self, method: str, path: str, body: Json = None) -> Json:
        """The JSON of a successful answer. Another answer is an error with its message."""
        credentials = base64.b64encode(f"{self.name}:{self.password}".encode()).decode()
        headers = {"authorization": f"Basic {credentials}", "content-type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise StackError(_message(error)) from error
        except OSError as error:
            raise StackError(f"{self.url} does not answer: {error}") from error

    def items(self, path: str, query: Mapping[str, str], limit: int) -> Iterator[Json]:
        """The first items of a list, over its pages. A page may be empty."""
        parameters, left = {**query, "limit": str(min(limit, PAGE))}, limit
        while True:
            page = self.call("GET", f"{path}?{urlencode(parameters)}")
            yield from page["items"][:left]
            left -= len(page["items"])
            if left <= 0 or "next_page" not in page:
                return
            parameters["page"] = page["next_page"]


def _message(error: urllib.error.HTTPError) -> str:
    try:
        found = json.loads(error.read())["error"]
    except (ValueError, KeyError, TypeError):
        return f"the API answers {error.code}"
    field = f"{_with_option(found['field'])} " if "field" in found else ""
    return f"the API answers {error.code}: {field}{found['message']}"


def _with_option(field: str) -> str:
    """The API's name of a filter, and ours."""
    option = {**DELIVERY_FILTERS, **EVENT_FILTERS, **REDRIVE_FILTERS}.get(field)
    return f"{field} ({option}=)" if option else field


@dataclass(frozen=True)
class Options:
    """Variables of make's command line."""

    given: Mapping[str, str]

    def fields(self, names: Mapping[str, str]) -> dict[str, str]:
        """The given ones of these, by the API's names."""
        return {field: self.given[name] for field, name in names.items() if self.given.get(name)}

    def number(self, name: str) -> int | None:
        text = self.given.get(name)
        if not text:
            return None
        # Python refuses to read thousands of digits.
        if not (text.isascii() and text.isdecimal() and len(text) <= 9) or int(text) < 1:
            raise StackError(f"{name}={text}: must be a whole number from 1 to 999999999")
        return int(text)

    def flag(self, name: str) -> bool:
        return self.given.get(name) == "1"


def deliveries(api: Api, options: Options) -> Iterator[str]:
    if options.given.get("ID"):
        yield _pretty(api.call("GET", f"/api/deliveries/{quote(options.given['ID'], safe='')}"))
        return
    limit = options.number("LIMIT") or DEFAULT_LIMIT
    found = api.items("/api/deliveries", options.fields(DELIVERY_FILTERS), limit)
    titles = ("CREATED", "STATE", "REASON", "LAST", "ENDPOINT", "ORDER", "ID")
    yield from table(titles, map(_delivery, found))


def _delivery(it: Json) -> list[str]:
    last = it["last_attempt"] or {}
    answer = last.get("status") or last.get("error")
    why = [it["reason"] or NONE, str(answer or NONE)]
    return [
        it["created_at"],
        it["state"],
        *why,
        it["endpoint"],
        it["order_id"] or "several",
        it["id"],
    ]


def events(api: Api, options: Options) -> Iterator[str]:
    if options.given.get("ID"):
        event = quote(options.given["ID"], safe="")
        retried = options.flag("RETRY")
        shown = f"/api/webhooks/logs/{event}?reveal=true"
        path = f"/api/webhooks/retry/{event}" if retried else shown
        yield _pretty(api.call("POST" if retried else "GET", path))
        return
    limit = options.number("LIMIT") or DEFAULT_LIMIT
    found = api.items("/api/webhooks/logs", options.fields(EVENT_FILTERS), limit)
    names = ("received_at", "status", "reason", "source", "account_code", "id")
    rows = ([it[name] or NONE for name in names] for it in found)
    yield from table(("RECEIVED", "STATUS", "REASON", "SOURCE", "ACCOUNT", "ID"), rows)


def replay_dlq(api: Api, options: Options) -> Iterator[str]:
    if options.given.get("JOB"):
        path = f"/api/jobs/{quote(options.given['JOB'], safe='')}"
        yield _pretty(api.call("DELETE" if options.flag("STOP") else "GET", path))
        return
    queue = options.given.get("QUEUE") or "deliveries"
    if queue not in ("deliveries", "events"):
        raise StackError(f"QUEUE={queue}: must be deliveries or events")
    body: dict[str, Json] = options.fields(REDRIVE_FILTERS)
    if limit := options.number("LIMIT"):
        body["limit"] = limit
    path = f"/api/dlq/{queue}/replay"
    if options.flag("START"):
        yield _pretty(api.call("POST", path, body))
        return
    found = api.call("POST", path, body | {"dry_run": True})
    least = "" if found["is_complete"] else "at least "
    yield f"{least}{found['count']} {queue} match: START=1 begins them again"


COMMANDS: dict[str, Callable[[Api, Options], Iterator[str]]] = {
    "deliveries": deliveries,
    "events": events,
    "replay-dlq": replay_dlq,
}


def _pretty(value: Json) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def connect(where: Installation, options: Options) -> Api:
    if where.is_local and not options.given.get("NAME"):
        admin = installation.local_stack()["users"]["admin"]
        return Api(where.api_url(), admin["name"], admin["password"])
    name = options.given.get("NAME")
    if not name or options.given.get("PASSWORD") != FROM_STDIN:
        raise StackError(
            f"NAME=… of a user and PASSWORD={FROM_STDIN} are missing: "
            "its password, as a line of standard input"
        )
    password = sys.stdin.readline().strip()
    return Api(where.api_url(), name, password)


def main(command: str) -> int:
    try:
        stage = os.environ.get("STAGE")
        if not stage:
            raise StackError("STAGE=… is missing: local, or a deployed stage such as dev or prod")
        require_known_options(os.environ)
        command_options.check(command, os.environ)
        options = Options(os.environ)
        where = installation.find(stage, os.environ.get("REGION", ""))
        for line in COMMANDS[command](connect(where, options), options):
            print(line)
        sys.stdout.flush()
    except BrokenPipeError:
        # `| head` has read enough. Python would complain when it closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (StackError, BotoCoreError, ClientError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

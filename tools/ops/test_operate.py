"""Requests and output of `make deliveries`, `events` and `replay-dlq`, without a stack."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import unittest
from typing import Any
from unittest.mock import MagicMock, patch
from urllib.error import HTTPError

import operate
import options as command_options
from config import StackError
from installation import Installation

DELIVERY = {
    "created_at": "2026-01-20T04:45:31.000Z",
    "state": "dead",
    "reason": "exhausted",
    "last_attempt": {"status": None, "error": "connect"},
    "endpoint": "shop",
    "order_id": None,
    "id": "msg_1",
}


class FakeApi(operate.Api):
    """Answers in turn, and records the calls."""

    def __init__(self, *answers: Any) -> None:
        super().__init__("https://api.example.com", "ops", "secret")
        object.__setattr__(self, "answers", list(answers))
        object.__setattr__(self, "calls", [])

    def call(self, method: str, path: str, body: Any = None) -> Any:
        self.calls.append((method, path, body))
        return self.answers.pop(0)


def run(command: str, api: FakeApi, **options: str) -> list[str]:
    command_options.check(command, options)
    return list(operate.COMMANDS[command](api, operate.Options(options)))


class Operate(unittest.TestCase):
    def test_lists_deliveries_over_pages(self) -> None:
        pages = [
            {"items": [DELIVERY], "next_page": "abc"},
            {"items": [], "next_page": "def"},
            {"items": [DELIVERY, DELIVERY]},
        ]
        api = FakeApi(*pages)
        lines = run("deliveries", api, STATE="dead", FROM="2026-01-20T00:00:00Z", LIMIT="2")
        columns = ["2026-01-20T04:45:31.000Z", "dead", "exhausted", "connect", "shop", "several"]
        self.assertEqual([line.split() for line in lines[1:]], [[*columns, "msg_1"]] * 2)
        titles = ["CREATED", "STATE", "REASON", "LAST", "ENDPOINT", "ORDER", "ID"]
        self.assertEqual(lines[0].split(), titles)
        self.assertEqual([lines[0].index("ID"), lines[1].index("msg_1")], [72, 72])
        query = "state=dead&from=2026-01-20T00%3A00%3A00Z&limit=2"
        paths = [path for _, path, _ in api.calls]
        pages_asked = [query, f"{query}&page=abc", f"{query}&page=def"]
        self.assertEqual(paths, [f"/api/deliveries?{asked}" for asked in pages_asked])

    def test_lists_the_events_of_a_time(self) -> None:
        api = FakeApi({"items": []})
        run("events", api, ACCOUNT="STORE001", FROM="2026-01-20", TO="2026-01-21")
        query = "account_code=STORE001&from=2026-01-20&to=2026-01-21&limit=20"
        self.assertEqual(api.calls, [("GET", f"/api/webhooks/logs?{query}", None)])

    def test_every_column_has_a_value(self) -> None:
        event = {"received_at": "t", "status": "received", "reason": None, "source": "whatsapp"}
        api = FakeApi({"items": [event | {"account_code": None, "id": "e"}]})
        _, line = run("events", api)
        self.assertEqual(line.split(), ["t", "received", "-", "whatsapp", "-", "e"])
        delivery = DELIVERY | {"reason": None, "last_attempt": {"status": 503, "error": None}}
        pages = FakeApi({"items": [delivery, delivery | {"last_attempt": None}]})
        last = [line.split()[3] for line in run("deliveries", pages)]
        self.assertEqual(last, ["LAST", "503", "-"])

    def test_an_error_names_the_option_of_the_field(self) -> None:
        error = {"code": "invalid", "field": "account_code", "message": "is required"}
        answer = io.BytesIO(json.dumps({"error": error}).encode())
        refused = HTTPError("https://api.example.com", 422, "", MagicMock(), answer)
        api = operate.Api("https://api.example.com", "ops", "secret")
        with (
            patch("urllib.request.urlopen", side_effect=refused),
            self.assertRaisesRegex(StackError, r"422: account_code \(ACCOUNT=\) is required"),
        ):
            run("deliveries", api, ORDER="e-1")

    def test_ends_quietly_when_nobody_reads_on(self) -> None:
        script = (
            "import operate, sys; operate.COMMANDS['events'] = lambda *_: map(str, range(99999)); "
        )
        script += "operate.installation.find = operate.connect = lambda *_: None; "
        script += "sys.exit(operate.main('events'))"
        environment = os.environ | {"STAGE": "local", "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-c", script]
        with subprocess.Popen(command, env=environment, stdout=-1, stderr=-1) as listing:
            assert listing.stdout
            assert listing.stderr
            self.assertEqual(listing.stdout.readline(), b"0\n")
            listing.stdout.close()
            self.assertEqual((listing.stderr.read(), listing.wait()), (b"", 0))

    def test_an_id_stays_one_segment(self) -> None:
        api = FakeApi({}, {}, {}, {})
        run("deliveries", api, ID="a/../b?c")
        run("events", api, ID="e", RETRY="1")
        run("replay-dlq", api, JOB="j")
        run("replay-dlq", api, JOB="j", STOP="1")
        expected = [
            ("GET", "/api/deliveries/a%2F..%2Fb%3Fc", None),
            ("POST", "/api/webhooks/retry/e", None),
            ("GET", "/api/jobs/j", None),
            ("DELETE", "/api/jobs/j", None),
        ]
        self.assertEqual(api.calls, expected)

    def test_counts_unless_told_to_start(self) -> None:
        api = FakeApi({"count": 412, "is_complete": False}, {"id": "j"})
        counted = run("replay-dlq", api, ENDPOINT="shop", LIMIT="500")
        self.assertEqual(counted, ["at least 412 deliveries match: START=1 begins them again"])
        run("replay-dlq", api, QUEUE="events", SOURCE="shipway", START="1")
        count, start = api.calls
        body = {"endpoint": "shop", "limit": 500, "dry_run": True}
        self.assertEqual(count, ("POST", "/api/dlq/deliveries/replay", body))
        self.assertEqual(start, ("POST", "/api/dlq/events/replay", {"source": "shipway"}))

    def test_rejects_invalid_options(self) -> None:
        invalid = ("0", "x", "1.5", "9" * 5000, "٣")
        for options in (*({"LIMIT": text} for text in invalid), {"QUEUE": "shards"}):
            with self.assertRaisesRegex(StackError, next(iter(options))):
                run("replay-dlq", FakeApi(), **options)

    def test_asks_for_a_user_of_a_deployed_stage(self) -> None:
        where = Installation("prod", MagicMock())
        with self.assertRaisesRegex(StackError, "NAME=… of a user and PASSWORD=stdin"):
            operate.connect(where, operate.Options({"NAME": "ops"}))
        with patch("sys.stdin", io.StringIO("a password\n")):
            api = operate.connect(
                Installation("prod", _session()),
                operate.Options({"NAME": "a", "PASSWORD": "stdin"}),
            )
        self.assertEqual(api, operate.Api("https://hooks.example.com", "a", "a password"))

    def test_rejects_a_missing_stage(self) -> None:
        with patch.dict("os.environ", clear=True), patch("sys.stderr", io.StringIO()) as stderr:
            self.assertEqual(operate.main("deliveries"), 1)
        self.assertRegex(stderr.getvalue(), "^error: STAGE=… is missing.*\n$")


def _session() -> MagicMock:
    outputs = [{"OutputKey": "ApiUrl", "OutputValue": "https://hooks.example.com"}]
    session = MagicMock()
    session.client.return_value.describe_stacks.return_value = {"Stacks": [{"Outputs": outputs}]}
    return session


if __name__ == "__main__":
    unittest.main()

"""Measures how far endpoints that fail delay one that works, on the running local stack.

Each of three runs sends 200 deliveries to a healthy endpoint alone, then 200 beside as many to an
endpoint that refuses connections. Then a healthy endpoint gets 200 beside 200 to one that hangs for
30 seconds. Fails if the 95th percentile beside the dead endpoint is more than twice that alone, or
if the healthy endpoint beside the hanging one waits longer than 20 seconds.
"""

from __future__ import annotations

import json
import sys
import time
import urllib.request
from base64 import b64encode
from contextlib import ExitStack
from datetime import datetime
from itertools import chain
from typing import Any

import describe
from check_result import print_problems
from config import SETTINGS_PREFIX, client

RUNS = 3
DELIVERIES = 200
PERCENTILE = 0.95
MOST_BESIDE_DEAD = 2.0
MOST_BESIDE_HANGING = 20.0
HANGS_FOR_MS = 30_000
NOWHERE = "http://127.0.0.1:1/"
PATIENCE = 180


class Bench:
    """Endpoints with names of their own, so that none has a history."""

    def __init__(self, stack: dict[str, Any], undo: ExitStack) -> None:
        self.stack, self.undo = stack, undo
        self.ssm = client("ssm", stack["endpoint_url"])
        self.sqs = client("sqs", stack["endpoint_url"])
        self.count = 0

    def endpoint(self, url: str | None = None) -> str:
        """The name of a new endpoint, at the receiver unless it has a URL."""
        self.count += 1
        name = f"bench-{time.time_ns()}-{self.count}"
        values = {
            "secret": "whsec_" + b64encode(bytes(32)).decode(),
            "settings": '{"timeout_seconds":30}',
            "url": url or f"{self.stack['receiver_url']}/{name}",
        }
        for part, value in values.items():
            path = f"{SETTINGS_PREFIX}/endpoints/{name}/{part}"
            kind = "SecureString" if part == "secret" else "String"
            self.ssm.put_parameter(Name=path, Value=value, Type=kind)
            self.undo.callback(self.ssm.delete_parameter, Name=path)
        return name

    def script(self, endpoint: str, responses: list[dict[str, int]]) -> None:
        body = json.dumps({f"/{endpoint}": responses}).encode()
        url = f"{self.stack['receiver_url']}/answers"
        urllib.request.urlopen(urllib.request.Request(url, body, method="PUT")).close()

    def send(self, *endpoints: str) -> dict[str, float]:
        """Sends the deliveries of the endpoints in turn. Returns when each was sent, by id."""
        ids = [[f"msg_{name}-{number}" for name in endpoints] for number in range(DELIVERIES)]
        sent: dict[str, float] = {}
        waiting = list(chain.from_iterable(ids))
        for start in range(0, len(waiting), 10):
            batch = waiting[start : start + 10]
            entries = [self._entry(str(index), name) for index, name in enumerate(batch)]
            queue = self.stack["queues"]["deliveries"]
            self.sqs.send_message_batch(QueueUrl=queue, Entries=entries)
            sent |= dict.fromkeys(batch, time.time())
        return sent

    @staticmethod
    def _entry(entry: str, delivery_id: str) -> dict[str, str]:
        endpoint = delivery_id.removeprefix("msg_").rsplit("-", 1)[0]
        message = {
            **{"v": 1, "id": delivery_id, "run": 1, "endpoint": endpoint, "format": "standard"},
            **{"account": "STORE001", "order_id": "O-1", "version": 2, "body": "{}"},
        }
        return {"Id": entry, "MessageBody": json.dumps(message), "MessageGroupId": endpoint}

    def latencies(self, endpoint: str, sent: dict[str, float]) -> list[float]:
        """Seconds from sending to arriving of each delivery to an endpoint, sorted."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with urllib.request.urlopen(f"{self.stack['receiver_url']}/received") as response:
                requests = json.load(response)["requests"]
            arrived = {
                request["headers"]["webhook-id"]: seconds(request["received_at"])
                for request in reversed(requests)
                if request["path"] == f"/{endpoint}"
            }
            if len(arrived) == DELIVERIES:
                return sorted(at - sent[delivery] for delivery, at in arrived.items())
            time.sleep(0.5)
        raise SystemExit(f"error: {len(arrived)} of {DELIVERIES} deliveries arrived")


def seconds(time_text: str) -> float:
    return datetime.fromisoformat(time_text.replace("Z", "+00:00")).timestamp()


def percentile(latencies: list[float]) -> float:
    return latencies[int(len(latencies) * PERCENTILE) - 1]


def measure(bench: Bench) -> list[str]:
    """Prints a table, and returns what is too slow."""
    problems = []
    print("| run | p95 alone | p95 beside a dead endpoint | ratio | last beside a hanging one |")
    print("|--:|--:|--:|--:|--:|")
    for run in range(1, RUNS + 1):
        alone, beside_dead, beside_hanging = (bench.endpoint() for _ in range(3))
        dead, hanging = bench.endpoint(NOWHERE), bench.endpoint()
        bench.script(hanging, [{"status": 200, "delay_ms": HANGS_FOR_MS}] * DELIVERIES)
        before = percentile(bench.latencies(alone, bench.send(alone)))
        beside = percentile(bench.latencies(beside_dead, bench.send(dead, beside_dead)))
        last = bench.latencies(beside_hanging, bench.send(hanging, beside_hanging))[-1]
        print(f"| {run} | {before:.1f} s | {beside:.1f} s | {beside / before:.2f} | {last:.1f} s |")
        if beside > MOST_BESIDE_DEAD * before:
            problems.append(f"run {run}: a dead endpoint makes the p95 {beside / before:.1f}-fold")
        if last > MOST_BESIDE_HANGING:
            problems.append(f"run {run}: beside a hanging endpoint one waited {last:.1f} s")
    return problems


def main() -> int:
    with ExitStack() as undo:
        problems = measure(Bench(describe.read(), undo))
    return print_problems(problems)


if __name__ == "__main__":
    sys.exit(main())

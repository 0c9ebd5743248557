"""Measures how far endpoints that fail delay one that works, on the running local stack.

Each of three runs sends 200 deliveries to a healthy endpoint alone, then 200 beside as many to an
endpoint that refuses connections. Then a healthy endpoint gets 200 beside 200 to one that hangs for
30 seconds. Fails if the 95th percentile beside the dead endpoint is more than twice that alone, or
if the healthy endpoint beside the hanging one waits longer than 20 seconds.

Then two endpoints get 1,000 deliveries each, and one of them fails. Fails unless the other one
gets all of them, the failing one's are parked or dead, and it gets each exactly once after it works
again, is enabled, and what is dead is replayed.
"""

from __future__ import annotations

import json
import sys
import time
import urllib.request
from base64 import b64encode
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from itertools import chain
from typing import Any, TypeVar

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
MANY = 1000
PATIENCE = 600

Result = TypeVar("Result")


class Bench:
    """Endpoints with names of their own, so that none has a history."""

    def __init__(self, stack: dict[str, Any], undo: ExitStack) -> None:
        self.stack, self.undo = stack, undo
        self.ssm = client("ssm", stack["endpoint_url"])
        self.sqs = client("sqs", stack["endpoint_url"])
        self.dynamodb = client("dynamodb", stack["endpoint_url"])
        self.count = 0

    def endpoint(self, url: str | None = None, settings: dict[str, int] | None = None) -> str:
        """The name of a new endpoint, at the receiver unless it has a URL."""
        self.count += 1
        name = f"bench-{time.time_ns()}-{self.count}"
        values = {
            "secret": "whsec_" + b64encode(bytes(32)).decode(),
            "settings": json.dumps({"timeout_seconds": 30} | (settings or {})),
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

    def send(self, *endpoints: str, count: int = DELIVERIES) -> dict[str, float]:
        """Sends the deliveries of the endpoints in turn. Returns when each was sent, by id."""
        ids = [[f"msg_{name}-{number}" for name in endpoints] for number in range(count)]
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

    def latencies(
        self, endpoint: str, sent: dict[str, float], count: int = DELIVERIES
    ) -> list[float]:
        """Seconds from sending to arriving of each delivery to an endpoint, sorted."""

        def arrived() -> list[float] | None:
            first = dict(reversed(self.requests(endpoint)))
            waits = (at - sent[delivery] for delivery, at in first.items())
            return sorted(waits) if len(first) == count else None

        return eventually(f"{count} deliveries to arrive", arrived)

    def requests(self, endpoint: str) -> list[tuple[str, float]]:
        """The id and the time of each request to an endpoint."""
        with urllib.request.urlopen(f"{self.stack['receiver_url']}/received") as response:
            requests = json.load(response)["requests"]
        return [
            (request["headers"]["webhook-id"], seconds(request["received_at"]))
            for request in requests
            if request["path"] == f"/{endpoint}"
        ]

    def states(self, endpoint: str, count: int) -> Counter[str]:
        """How many deliveries of an endpoint are in which state."""
        table, states = self.stack["tables"]["deliveries"], Counter[str]()
        for start in range(0, count, 100):
            keys = [{"pk": {"S": f"msg_{endpoint}-{start + number}"}} for number in range(100)]
            found = self.dynamodb.batch_get_item(RequestItems={table: {"Keys": keys}})
            states.update(row["state"]["S"] for row in found["Responses"][table])
        return states

    def ask(self, path: str, body: dict[str, Any] | None = None) -> None:
        """A POST to the API as the admin."""
        admin = self.stack["users"]["admin"]
        credentials = b64encode(f"{admin['name']}:{admin['password']}".encode()).decode()
        headers = {"authorization": f"Basic {credentials}", "content-type": "application/json"}
        data = json.dumps(body or {}).encode()
        request = urllib.request.Request(f"{self.stack['api_url']}{path}", data, headers)
        urllib.request.urlopen(request).close()


def eventually(what: str, attempt: Callable[[], Result | None]) -> Result:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if (result := attempt()) is not None:
            return result
        time.sleep(0.5)
    raise SystemExit(f"error: timed out waiting for {what}")


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


def revive(bench: Bench) -> list[str]:
    """Prints what became of the deliveries of an endpoint that fails, and works again."""
    failing, working = bench.endpoint(settings={"retry_count": 0}), bench.endpoint()
    bench.script(failing, [{"status": 503}] * (2 * MANY))
    sent = bench.send(failing, working, count=MANY)
    bench.latencies(working, sent, MANY)

    def rest() -> Counter[str] | None:
        states = bench.states(failing, MANY)
        return states if states["parked"] + states["dead"] == MANY else None

    states = eventually("all deliveries to be parked or dead", rest)
    before = len(bench.requests(failing))
    print(f"of {MANY} deliveries to a failing endpoint: {dict(states)}, {before} requests")
    bench.script(failing, [])
    bench.ask(f"/api/endpoints/{failing}/enable")
    bench.ask("/api/dlq/deliveries/replay", {"endpoint": failing})

    def taken() -> Counter[str] | None:
        done = bench.states(failing, MANY)["delivered"] == MANY
        ids = [delivery for delivery, _ in bench.requests(failing)[before:]]
        return Counter(ids) if done else None

    times = eventually("all deliveries to be delivered", taken)
    repeated = [delivery for delivery, count in times.items() if count > 1]
    print(f"once it works: {len(times)} delivered, {len(repeated)} of them more than once")
    return [f"{delivery} was delivered {times[delivery]} times" for delivery in repeated]


def main() -> int:
    with ExitStack() as undo:
        bench = Bench(describe.read(), undo)
        problems = measure(bench) + revive(bench)
    return print_problems(problems)


if __name__ == "__main__":
    sys.exit(main())

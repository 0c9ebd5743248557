"""Sends generated requests to every route of openapi.yaml as every kind of caller.

schemathesis makes them, valid and invalid ones, the same in every run. The check fails on a 5xx, on
an answer whose status, type, headers or body openapi.yaml does not describe, on a route that
accepted no request at all, on an accepted event that is not processed, and on one of the API's own
that failed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import api_callers
import contract
import describe
from api_callers import Api, Caller, Existing
from check_result import print_problems
from contract import Contract
from delivery import timestamp

HERE = Path(__file__).resolve().parent
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
PROCESSES = 10
# A redrive among the requests reopens events, which the schedule of `sweep` queues.
REDRIVE_SECONDS = 180
BRIEF = ["--phases", "fuzzing", "--max-examples", "8"]
THOROUGH = ["--phases", "examples,coverage,fuzzing", "--max-examples", "20"]
STATEFUL = ["--phases", "stateful", "--max-examples", "10"]


@dataclass(frozen=True)
class Job:
    """One run of schemathesis."""

    caller: Caller
    paths: list[str]
    options: list[str]

    def run(self, api: Api, existing: Existing, answers: Path) -> str | None:
        """The report of schemathesis, if it found something."""
        environment = os.environ | {
            "PYTHONPATH": str(HERE),
            "API_URL": api.url,
            "API_CHECK": api_callers.environment(api, self.caller, existing, str(answers)),
        }
        chosen = [argument for path in self.paths for argument in ("--include-path", path)]
        command = [SCHEMATHESIS, "--config-file", HERE / "schemathesis.toml", "run"]
        command += [contract.OPENAPI, "--url", api.url, "--no-color", *chosen, *self.options]
        done = subprocess.run(command, env=environment, stdout=-1, stderr=-2, text=True)
        report = done.stdout.partition("= FAILURES =")[2] or done.stdout
        return f"{self.caller.name}: {report}" if done.returncode else None


def jobs(callers: list[Caller], document: Contract) -> Iterator[Job]:
    tags: dict[str, str] = {path: item["tags"][0] for _, path, item in document.operations()}
    for caller in callers:
        thorough = [path for path, tag in tags.items() if tag in caller.thorough]
        # The first two paths have most of the requests; a run takes a second to start.
        parts = [thorough[:1], thorough[1:2], thorough[2:]]
        yield from (Job(caller, part, THOROUGH) for part in parts if part)
        if "orders" in caller.thorough:
            yield Job(caller, thorough, STATEFUL)
        yield Job(caller, [path for path in tags if path not in thorough], BRIEF)


def not_accepted(document: Contract, answers: Path) -> Iterator[str]:
    """Routes without any successful answer."""
    statuses = Counter(tuple(line.rsplit(" ", 1)) for line in answers.read_text().splitlines())
    print(f"{statuses.total()} requests", flush=True)
    accepted = {route for route, status in statuses if status.startswith("2")}
    routes = {f"{method.upper()} {path}" for method, path, _ in document.operations()}
    yield from (f"{route}: accepted no request" for route in sorted(routes - accepted))


def events(api: Api, since: str) -> Iterator[str]:
    deadline = time.monotonic() + REDRIVE_SECONDS
    while (waiting := api.events("status=received", since)) and time.monotonic() < deadline:
        time.sleep(0.5)
    yield from (f"event {event['id']} of {event['source']} is not processed" for event in waiting)
    failed = api.events("status=failed&source=api", since)
    yield from (f"event {event['id']} failed: {event['reason']}" for event in failed)


def problems(api: Api) -> Iterator[str]:
    document, since = contract.load(), timestamp(time.time())
    planned = list(jobs(list(api_callers.callers(api)), document))
    existing = api.existing(len(planned))
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(PROCESSES) as pool:
        answers = Path(folder) / "answers"
        reports = pool.map(lambda job, found: job.run(api, found, answers), planned, existing)
        yield from (report for report in reports if report)
        yield from not_accepted(document, answers)
    yield from events(api, since)


def main() -> int:
    api = Api(describe.read())
    try:
        api.prepare()
        return print_problems(problems(api))
    finally:
        api.remove()


if __name__ == "__main__":
    sys.exit(main())

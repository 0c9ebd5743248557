"""Logs of the functions, from the emulator's CloudWatch Logs."""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter
from typing import NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

import processes
from config import LOCAL, client
from delivery import timestamp

KEPT_FILE = LOCAL / "functions.log"
FUNCTIONS = "/aws/lambda/"


class Line(NamedTuple):
    """A line, its time in milliseconds, and the function that wrote it."""

    at: int
    name: str
    text: str


def show() -> int:
    """Prints the logs of the running stack, or of the last one."""
    running = processes.load()
    if running:
        keep(running)
    print(KEPT_FILE.read_text() if KEPT_FILE.exists() else "no logs yet", end="")
    return 0


def keep(running: processes.Processes) -> None:
    """Saves the logs to a file: the emulator keeps them in memory only."""
    if not running.emulator.alive():
        return
    try:
        # The sort is stable, so the lines of a stream keep their order.
        lines = sorted(read(running.endpoint_url, FUNCTIONS), key=attrgetter("at"))
    except (BotoCoreError, ClientError):
        return  # still starting, without logs
    KEPT_FILE.write_text(
        "".join(f"{timestamp(line.at / 1000)} {line.name} {line.text}\n" for line in lines)
    )


def read(endpoint_url: str, prefix: str) -> Iterator[Line]:
    """All lines of the log groups with this name prefix."""
    logs = client("logs", endpoint_url)
    for page in logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix):
        for group in page["logGroups"]:
            name = group["logGroupName"]
            for events in logs.get_paginator("filter_log_events").paginate(logGroupName=name):
                for event in events["events"]:
                    yield Line(event["timestamp"], name.rsplit("/", 1)[1], event["message"])

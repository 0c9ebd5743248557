"""What the functions logged, from the emulator's CloudWatch Logs."""

from __future__ import annotations

from collections.abc import Iterator
from operator import itemgetter

from botocore.exceptions import BotoCoreError, ClientError

import processes
from config import LOCAL, client
from delivery import timestamp

KEPT_FILE = LOCAL / "functions.log"


def show() -> int:
    """Prints the logs of the running stack, or of the last one."""
    running = processes.load()
    if running:
        keep(running)
    print(KEPT_FILE.read_text() if KEPT_FILE.exists() else "no logs yet", end="")
    return 0


def keep(running: processes.Processes) -> None:
    """Saves them to a file, for they end with the emulator."""
    if not running.emulator.alive():
        return
    try:
        events = sorted(_events(running.endpoint_url), key=itemgetter(0))  # stable: a stream's lines stay in order
    except (BotoCoreError, ClientError):
        return  # still starting: it has none to give
    KEPT_FILE.write_text("".join(f"{line}\n" for _, line in events))


def _events(endpoint_url: str) -> Iterator[tuple[int, str]]:
    """(milliseconds, line) of everything logged."""
    logs = client("logs", endpoint_url)
    for page in logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix="/aws/lambda/"):
        for group in page["logGroups"]:
            name = group["logGroupName"]
            for events in logs.get_paginator("filter_log_events").paginate(logGroupName=name):
                for event in events["events"]:
                    time = timestamp(event["timestamp"] / 1000)
                    yield event["timestamp"], f"{time} {name.rsplit('/', 1)[1]} {event['message']}"

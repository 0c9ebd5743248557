"""Starts the stack's processes, records them in a file, and stops exactly those."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import nullcontext, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from config import LOCAL

PROCESSES_FILE = LOCAL / "processes.json"
GRACE_SECONDS = 5


@dataclass(frozen=True)
class Process:
    """A pid with its command line, which tells our process from another under a reused pid."""

    pid: int
    command: list[str]

    def alive(self) -> bool:
        """Reaps the process if it is a dead child of this one."""
        with suppress(ChildProcessError):
            os.waitpid(self.pid, os.WNOHANG)
        return command_of(self.pid) == self.command


@dataclass(frozen=True)
class Processes:
    """The stack's processes; `owner` is the `make run` that started them, None after `make up`."""

    emulator: Process
    receiver: Process
    shipway: Process
    graph: Process
    owner: Process | None
    emulator_port: int
    receiver_port: int
    shipway_port: int
    graph_port: int

    def alive(self) -> bool:
        """False also for a stack whose `make run` was killed."""
        owned = self.owner is None or self.owner.alive()
        started = (self.emulator, self.receiver, self.shipway, self.graph)
        return owned and all(process.alive() for process in started)

    @property
    def endpoint_url(self) -> str:
        return f"http://127.0.0.1:{self.emulator_port}"

    @property
    def receiver_url(self) -> str:
        return f"http://127.0.0.1:{self.receiver_port}"

    @property
    def shipway_url(self) -> str:
        return f"http://127.0.0.1:{self.shipway_port}"

    @property
    def graph_url(self) -> str:
        return f"http://127.0.0.1:{self.graph_port}"

    def save(self) -> None:
        PROCESSES_FILE.write_text(json.dumps(asdict(self)))


def load() -> Processes | None:
    """The record of the last start, running or not."""
    try:
        saved = json.loads(PROCESSES_FILE.read_text())
    except FileNotFoundError:
        return None
    for name in ("emulator", "receiver", "shipway", "graph", "owner"):
        saved[name] = saved[name] and Process(**saved[name])
    return Processes(**saved)


def command_of(pid: int) -> list[str] | None:
    """The command line of a live process; a zombie has none."""
    if sys.platform == "linux":
        try:
            return Path(f"/proc/{pid}/cmdline").read_text().split("\0")[:-1] or None
        except OSError:
            return None
    shown = subprocess.run(["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True)
    return shown.stdout.split() or None


def this_process() -> Process:
    return Process(os.getpid(), command_of(os.getpid()) or [])


def start(command: list[str], env: dict[str, str], output: Path | None) -> Process:
    """Starts a command in a new session: it gets no Ctrl-C, and its group can be stopped whole."""
    with output.open("w") if output else nullcontext() as log:
        child = subprocess.Popen(
            command,
            cwd=LOCAL,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    return Process(child.pid, command)


def stop(process: Process) -> None:
    """Stops a process and its children: the functions run in the emulator's group."""
    if process.alive():
        os.killpg(process.pid, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_SECONDS
    while process.alive() and time.monotonic() < deadline:
        time.sleep(0.05)
    if command_of(process.pid) in (None, process.command):
        with suppress(ProcessLookupError):  # children that outlived it
            os.killpg(process.pid, signal.SIGKILL)

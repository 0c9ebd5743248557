"""The local stack's commands: run, up, down, logs, and `with <command …>`, which runs a command against the stack."""

from __future__ import annotations

import fcntl
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import demo
import describe
import lifecycle
import logs
import processes
from config import LOCAL, STACK_FILE, StackError


def run() -> int:
    """Starts everything in the foreground, shows the demo, and stays until Ctrl-C."""
    with _exclusively():
        if lifecycle.running():
            raise StackError("already running: `make up` deploys changed code into it, `make down` stops it")
        stack = lifecycle.start(foreground=True)
    try:
        demo.show(describe.read())
        while stack.alive():
            time.sleep(0.5)
        print("the stack was stopped from elsewhere")
        return 1
    finally:
        if processes.load() == stack:
            lifecycle.stop()


def up() -> int:
    """Starts everything in the background; deploys into a stack that is already there."""
    with _exclusively():
        stack = lifecycle.running()
        if stack:
            lifecycle.redeploy(stack)
        else:
            lifecycle.start(foreground=False)
    print(f"ready: {STACK_FILE} (make logs, make down)", flush=True)
    return 0


def down() -> int:
    with _exclusively():
        lifecycle.stop()
    return 0


def with_stack(command: list[str]) -> int:
    """Runs a command against the stack; one that was not running before is stopped afterwards."""
    was_running = lifecycle.running()
    up()
    try:
        code = subprocess.run(command).returncode
    finally:
        if not was_running:
            down()
    if code != 0:
        print(f"what the functions logged: {logs.KEPT_FILE}")
    return code


@contextmanager
def _exclusively() -> Iterator[None]:
    """Two commands that start or stop the same stack at once would undo each other's work."""
    LOCAL.mkdir(parents=True, exist_ok=True)
    with (LOCAL / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StackError("another make run, up, down or test is starting or stopping this stack") from error
        yield


def main(arguments: list[str]) -> int:
    # All the same to us: Ctrl-C (which a shell's background jobs ignore unless told), `kill`, a terminal that closes.
    for number in lifecycle.STOP_SIGNALS:
        signal.signal(number, signal.default_int_handler)
    commands = {"run": run, "up": up, "down": down, "logs": logs.show}
    try:
        if arguments[0] == "with":
            return with_stack(arguments[1:])
        return commands[arguments[0]]()
    except StackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped")
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

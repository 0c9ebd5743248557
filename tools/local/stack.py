"""Commands of the local stack: run, up, down, logs, and `with <command …>`."""

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
    """Starts the stack in the foreground, plays the demo, and stays until Ctrl-C."""
    with _exclusively():
        if lifecycle.running():
            raise StackError("already running: `make up` deploys changes, `make down` stops it")
        stack = lifecycle.start(foreground=True)
    try:
        demo.show(describe.read())
        while stack.alive():
            time.sleep(0.5)
        print("another command stopped the stack")
        return 1
    except KeyboardInterrupt:
        # The normal end: after any other exit code make prints an error.
        print("\nstopping", flush=True)
        return 0
    finally:
        if processes.load() == stack:
            lifecycle.stop()


def up() -> int:
    """Starts the stack in the background, or deploys changes into the running one."""
    _start_or_redeploy()
    print(f"ready: {STACK_FILE} (make logs, make down)")
    print("Paste these lines into a shell; then every example of the docs runs as it is:\n")
    print(demo.export_lines(describe.read()), flush=True)
    return 0


def _start_or_redeploy() -> None:
    with _exclusively():
        stack = lifecycle.running()
        if stack:
            lifecycle.redeploy(stack)
        else:
            lifecycle.start(foreground=False)


def down() -> int:
    with _exclusively():
        lifecycle.stop()
    return 0


def with_stack(command: list[str]) -> int:
    """Runs a command against the stack, and stops the stack afterwards if it started it."""
    was_running = lifecycle.running()
    _start_or_redeploy()
    try:
        code = subprocess.run(command).returncode
    finally:
        if not was_running:
            down()
    if code != 0:
        print(f"logs of the functions: {logs.KEPT_FILE}")
    return code


@contextmanager
def _exclusively() -> Iterator[None]:
    """Only one command at a time may start or stop the stack."""
    LOCAL.mkdir(parents=True, exist_ok=True)
    with (LOCAL / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StackError("another make command is starting or stopping this stack") from error
        yield


def main(arguments: list[str]) -> int:
    # Ctrl-C (which background jobs of a shell ignore by default), `kill` and a closed terminal all
    # stop the stack.
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

"""Runs a long step: one line with title, elapsed time and counter; its output goes to a log file.

    python3 tools/local/progress.py "installing the tools" pip.log pip install …

Standard library only: it also installs .venv.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from paths import LOCAL, ROOT

REDRAW_SECONDS = 0.2
PLAIN_SECONDS = 30  # between the lines of a step when stdout is not a terminal
TAIL_LINES = 40
CARGO_BAR = re.compile(r"^\s*\w+ \[[=> ]*\] (\d+/\d+)")
# Lines of pip about an older version that it replaces; shown alone they read as an error.
PIP_UNINSTALL = re.compile(r"uninstall|existing installation", re.IGNORECASE)
CARGO_ENVIRONMENT = {
    "CARGO_TERM_COLOR": "never",
    "CARGO_TERM_PROGRESS_WHEN": "always",
    "CARGO_TERM_PROGRESS_WIDTH": "80",
}


class Step:
    """The line of a running step: redrawn on a terminal, otherwise repeated every 30 seconds."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.note = ""
        self.begin = time.monotonic()
        self.terminal = sys.stdout.isatty()
        self.ended = threading.Event()
        self.ticker = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> Step:
        if not self.terminal:
            print(f"==> {self.title}", flush=True)
        self.ticker.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self.ended.set()
        self.ticker.join()
        seconds = time.monotonic() - self.begin
        took = f"failed after {seconds:.1f} s" if kind else f"{seconds:.1f} s"
        print(f"\r\x1b[K==> {self.title}: {took}" if self.terminal else f"    {took}", flush=True)

    def _tick(self) -> None:
        while not self.ended.wait(REDRAW_SECONDS if self.terminal else PLAIN_SECONDS):
            minutes, seconds = divmod(int(time.monotonic() - self.begin), 60)
            text = f"{minutes}:{seconds:02}  {self.note}".rstrip()
            if self.terminal:
                line = f"==> {self.title}  {text}"[: shutil.get_terminal_size().columns - 1]
                print(f"\r\x1b[K{line}", end="", flush=True)
            else:
                print(f"    {text}", flush=True)


class StepFailed(Exception):
    """A command ended with an error; the end of its output is already printed."""


def run(title: str, command: list[str], log_file: Path, env: dict[str, str] | None = None) -> None:
    """Runs a command in the repository's root, with its output in the log file."""
    log_file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with Step(title) as step, log_file.open("w", buffering=1) as log:
            code = _run(command, (env or dict(os.environ)) | CARGO_ENVIRONMENT, step, log)
            if code != 0:
                raise StepFailed(f"{title}: failed; the whole output is in {log_file}")
    except StepFailed:
        print(*log_file.read_text().splitlines()[-TAIL_LINES:], sep="\n", flush=True)
        raise


def _run(command: list[str], env: dict[str, str], step: Step, log: IO[str]) -> int:
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as child:
        assert child.stdout
        try:
            counts = False
            for line in _lines(child.stdout):
                if bar := CARGO_BAR.match(line):
                    counts, step.note = True, f"{bar[1]} crates"
                    continue
                log.write(f"{line}\n")
                if not counts and not PIP_UNINSTALL.search(line):
                    step.note = line.strip()
        except BaseException:
            child.terminate()
            raise
        return child.wait()


def _lines(output: IO[bytes]) -> Iterator[str]:
    """Lines as soon as they are complete; cargo ends its progress bar with a carriage return."""
    rest = b""
    while chunk := os.read(output.fileno(), 65536):
        *whole, rest = re.split(rb"[\r\n]", rest + chunk)
        yield from (line.decode(errors="replace") for line in whole if line.strip())
    if rest.strip():
        yield rest.decode(errors="replace")


def main(title: str, log_name: str, *command: str) -> int:
    try:
        run(title, list(command), LOCAL / log_name)
    except StepFailed as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

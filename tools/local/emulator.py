"""The AWS emulator: MiniStack on 127.0.0.1, with IAM enforced and all state in memory."""

from __future__ import annotations

import os
import shutil
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import processes
from config import LOCAL, StackError, aws_environment

MAIN = Path(__file__).resolve().with_name("emulator_main.py")
LOG_FILE = LOCAL / "emulator.log"
TEMPORARY = LOCAL / "tmp"
START_SECONDS = 60


def start(port: int) -> processes.Process:
    """Starts the emulator without the caller's AWS setup: functions inherit its environment."""
    shutil.rmtree(TEMPORARY, ignore_errors=True)
    TEMPORARY.mkdir(parents=True)
    env = aws_environment(f"http://127.0.0.1:{port}") | {
        "PATH": os.environ["PATH"],
        "TMPDIR": str(TEMPORARY),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "AUTH": "true",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
    }
    return processes.start([sys.executable, str(MAIN)], env, LOG_FILE)


def wait_until_ready(process: processes.Process, endpoint_url: str) -> None:
    """Returns once the emulator answers requests."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{endpoint_url}/_ministack/health", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            if not process.alive():
                break
            time.sleep(0.1)
    raise StackError(f"the emulator did not start; its log is {LOG_FILE}")


def clean_up() -> None:
    """Removes the code that the emulator unpacked."""
    shutil.rmtree(TEMPORARY, ignore_errors=True)

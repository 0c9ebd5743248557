"""Starts the receiver samples of docs/receivers and talks to them."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "docs" / "receivers"
START_SECONDS = 30
ANSWER_SECONDS = 10


class SampleError(Exception):
    """A sample cannot be started, and why."""


def runtime(program: str, advice: str) -> str:
    """Returns the program's path. A missing runtime fails the tests instead of skipping them."""
    path = shutil.which(program)
    if path is None:
        raise SampleError(f"{program} is missing, and the receiver samples need it: {advice}")
    return path


def node(_port: int) -> list[str]:
    program = runtime("node", "install Node.js 20 or later")
    return [program, str(SAMPLES / "node" / "receiver.mjs")]


def python(_port: int) -> list[str]:
    return [sys.executable, str(SAMPLES / "python" / "receiver.py")]


def php(port: int) -> list[str]:
    program = runtime("php", "on Debian apt-get install php-cli")
    # -n: no php.ini and no shared extensions, so that the machine's settings do not matter.
    options = ["-n", "-d", "display_errors=0", "-S", f"127.0.0.1:{port}"]
    return [program, *options, str(SAMPLES / "php" / "index.php")]


def rust(_port: int) -> list[str]:
    cargo = runtime("cargo", "install Rust with rustup")
    command = [cargo, "build", "--locked", "--message-format=json", "-p", "receiver-sample"]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if built.returncode != 0:
        raise SampleError(f"{' '.join(command)} failed:\n{built.stderr}")
    # Cargo names the program: its directory depends on CARGO_TARGET_DIR and on cargo's settings.
    messages = [json.loads(line) for line in built.stdout.splitlines()]
    return [next(message["executable"] for message in messages if message.get("executable"))]


@dataclass
class Answer:
    status: int
    body: bytes


class Running:
    """One running sample. `stop` ends it by its pid and deletes its files."""

    def __init__(self, command: Callable[[int], list[str]], secret: str) -> None:
        self.port = free_port()
        arguments = command(self.port)
        self.directory = tempfile.TemporaryDirectory(prefix="waypost-receiver-")
        files = Path(self.directory.name)
        self.stdout, self.stderr = files / "stdout", files / "stderr"
        environment = {
            "PATH": os.environ["PATH"],
            "PORT": str(self.port),
            "WEBHOOK_SECRET": secret,
            "HANDLED_IDS": str(files / "handled-ids"),
        }
        with self.stdout.open("wb") as out, self.stderr.open("wb") as err:
            self.process = subprocess.Popen(arguments, env=environment, stdout=out, stderr=err)

    def wait_until_accepting(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise SampleError(f"{self.process.args} does not accept: {self.errors()}")

    def post(self, headers: list[tuple[str, bytes]], body: bytes, method: str = "POST") -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_SECONDS)
        try:
            connection.putrequest(method, "/waypost")
            connection.putheader("content-type", "application/json")
            connection.putheader("content-length", str(len(body)))
            for name, value in headers:
                connection.putheader(name, value)
            # A sample may refuse a large body before it has read all of it.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.endheaders(body)
            response = connection.getresponse()
            return Answer(response.status, response.read())
        finally:
            connection.close()

    def send_part(self, headers: list[tuple[str, bytes]], part: bytes, length: int) -> None:
        """Ends the request after a part of its body, and waits until the sample closes."""
        lines = [b"POST /waypost HTTP/1.1", b"host: localhost", b"content-length: %d" % length]
        lines += [name.encode() + b": " + value for name, value in headers]
        with socket.create_connection(("127.0.0.1", self.port), timeout=ANSWER_SECONDS) as client:
            client.sendall(b"\r\n".join([*lines, b"", b""]) + part)
            client.shutdown(socket.SHUT_WR)
            while client.recv(4096):
                pass

    def handled(self) -> list[str]:
        """The ids handled so far. Samples print before they answer, so none is still to come."""
        lines = self.stdout.read_text().splitlines()
        return [line.removeprefix("handled ") for line in lines if line.startswith("handled ")]

    def errors(self) -> str:
        return self.stderr.read_text(errors="replace")

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.directory.cleanup()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]

"""From nothing to a running stack, from a running one to a newer one, and back to nothing."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import build
import describe
import emulator
import logs
import processes
import receiver
import settings
import shipway
from config import EMULATOR_PORT, LOCAL, RECEIVER_PORT, SHIPWAY_PORT, STACK_FILE, port
from deploy import deploy
from processes import Processes

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def running() -> Processes | None:
    """The running stack, if it is whole and ready."""
    known = processes.load()
    return known if known and known.alive() and STACK_FILE.exists() else None


def start(*, foreground: bool) -> Processes:
    """Starts a stack; if that fails, nothing of it stays. In the foreground the receiver prints to our output."""
    stop()  # what a killed `make run` left
    ports = [port(setting) for setting in (EMULATOR_PORT, RECEIVER_PORT, SHIPWAY_PORT)]
    for number, (variable, _) in zip(ports, (EMULATOR_PORT, RECEIVER_PORT, SHIPWAY_PORT), strict=True):
        processes.require_free_port(number, variable)
    secrets = settings.new()
    signing = {name: endpoint.secret for name, endpoint in secrets.endpoints.items()}
    try:
        started = Processes(
            emulator=emulator.start(ports[0]),
            receiver=receiver.start(ports[1], signing, None if foreground else LOCAL / "receiver.log"),
            shipway=shipway.start(ports[2], secrets.shipway_credentials(), LOCAL / "shipway.log"),
            owner=processes.this_process() if foreground else None,
            emulator_port=ports[0],
            receiver_port=ports[1],
            shipway_port=ports[2],
        )
        started.save()
        deployed = _build_and_deploy(started)
        with _step("storing the demo settings"):
            settings.store(secrets, started)
        describe.write(describe.describe(started, secrets) | deployed)
    except BaseException:
        stop()
        raise
    return started


def redeploy(stack: Processes) -> None:
    """Settings and secrets stay: only code and template may have changed."""
    describe.write(describe.read() | _build_and_deploy(stack))


def stop() -> None:
    """Leaves nothing but log files behind."""
    known = processes.load()
    with _uninterrupted():
        STACK_FILE.unlink(missing_ok=True)
        if known:
            logs.keep(known)
            for process in (known.shipway, known.receiver, known.emulator):
                processes.stop(process)
            processes.PROCESSES_FILE.unlink(missing_ok=True)
        emulator.clean_up()


def _build_and_deploy(stack: Processes) -> dict[str, Any]:
    with _step("building the functions"):
        template = build.build()
    with _step("waiting for the emulator"):
        emulator.wait_until_ready(stack.emulator, stack.endpoint_url)
    with _step("deploying template.yaml"):
        return describe.describe_deployed(stack, deploy(template, stack.endpoint_url))


@contextmanager
def _step(title: str) -> Iterator[None]:
    """Says what is going on and how long it took: no wait without a word."""
    print(f"==> {title}", flush=True)
    begin = time.monotonic()
    yield
    print(f"    {time.monotonic() - begin:.1f} s", flush=True)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """A second Ctrl-C does not leave half of it running."""
    handlers = {number: signal.signal(number, signal.SIG_IGN) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)

"""Starts, redeploys and stops the stack."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import build
import describe
import emulator
import graph
import logs
import ports
import processes
import receiver
import settings
import shipway
from config import LOCAL, STACK_FILE
from deploy import deploy
from processes import Processes
from progress import Step

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def running() -> Processes | None:
    """The running stack, if it is complete and ready."""
    known = processes.load()
    return known if known and known.alive() and STACK_FILE.exists() else None


def start(*, foreground: bool) -> Processes:
    """Starts a stack, or stops it again on failure.

    In the foreground the receiver prints to stdout.
    """
    stop()  # leftovers of a killed `make run`
    emulator_port, receiver_port, shipway_port, graph_port = ports.require_free()
    secrets = settings.new()
    signing = {name: endpoint.secret for name, endpoint in secrets.endpoints.items()}
    try:
        started = Processes(
            emulator=emulator.start(emulator_port),
            receiver=receiver.start(
                receiver_port, signing, None if foreground else LOCAL / "receiver.log"
            ),
            shipway=shipway.start(
                shipway_port, secrets.shipway_credentials(), LOCAL / "shipway.log"
            ),
            graph=graph.start(graph_port, secrets.graph_settings(), LOCAL / "graph.log"),
            owner=processes.this_process() if foreground else None,
            emulator_port=emulator_port,
            receiver_port=receiver_port,
            shipway_port=shipway_port,
            graph_port=graph_port,
        )
        started.save()
        deployed = _build_and_deploy(started)
        with Step("storing the demo settings"):
            settings.store(secrets, started, deployed["api_url"])
        describe.write(describe.describe(started, secrets) | deployed)
    except BaseException:
        stop()
        raise
    return started


def redeploy(stack: Processes) -> None:
    """Deploys changed code and template; settings and secrets are kept."""
    describe.write(describe.read() | _build_and_deploy(stack))


def stop() -> None:
    """Stops every process and removes all files but the logs."""
    known = processes.load()
    with _uninterrupted():
        STACK_FILE.unlink(missing_ok=True)
        if known:
            logs.keep(known)
            for process in (known.graph, known.shipway, known.receiver, known.emulator):
                processes.stop(process)
            processes.PROCESSES_FILE.unlink(missing_ok=True)
        emulator.clean_up()


def _build_and_deploy(stack: Processes) -> dict[str, Any]:
    template = build.build()
    with Step("deploying template.yaml"):
        emulator.wait_until_ready(stack.emulator, stack.endpoint_url)
        deployed = describe.describe_deployed(stack, deploy(template, stack.endpoint_url))
    graph.connect(stack.graph_url, deployed["api_url"])
    return deployed


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """A second Ctrl-C does not interrupt the shutdown."""
    handlers = {number: signal.signal(number, signal.SIG_IGN) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)

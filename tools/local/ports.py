"""The ports of the local stack: `python3 tools/local/ports.py` says whether they are free.

The first `make run` asks that before it installs anything, so this uses the standard library only.
"""

from __future__ import annotations

import os
import socket
import sys

EMULATOR_PORT = ("WAYPOST_PORT", 4566)
RECEIVER_PORT = ("WAYPOST_RECEIVER_PORT", 4599)
SHIPWAY_PORT = ("WAYPOST_SHIPWAY_PORT", 4600)
GRAPH_PORT = ("WAYPOST_GRAPH_PORT", 4601)
PORTS = (EMULATOR_PORT, RECEIVER_PORT, SHIPWAY_PORT, GRAPH_PORT)


class StackError(Exception):
    """An error the user can act on: shown as one message, without a traceback."""


def port(setting: tuple[str, int]) -> int:
    """The port in the environment variable, or the default."""
    variable, default = setting
    text = os.environ.get(variable, str(default))
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise StackError(f"{variable}={text} is not a port number")
    return int(text)


def require_free() -> list[int]:
    """The ports of the stack, which nothing uses."""
    numbers = [port(setting) for setting in PORTS]
    for number, (variable, _) in zip(numbers, PORTS, strict=True):
        _require_free(number, variable)
    return numbers


def _require_free(port: int, variable: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise StackError(
                f"port {port} on 127.0.0.1 is in use: free it, or set {variable} to another port"
            ) from error


def main() -> int:
    try:
        require_free()
    except StackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

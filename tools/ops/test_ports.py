"""The check of the ports, which the first start makes before anything is installed."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import unittest

from config import ROOT


class Ports(unittest.TestCase):
    def check(self, port: int | str) -> subprocess.CompletedProcess[str]:
        # Without .venv: its interpreter, but none of its packages.
        command = [sys.executable, "-I", "-S", str(ROOT / "tools/local/ports.py")]
        env = os.environ | {"WAYPOST_RECEIVER_PORT": str(port)}
        others = ("WAYPOST_PORT", "WAYPOST_SHIPWAY_PORT", "WAYPOST_GRAPH_PORT")
        env |= {variable: str(free_port()) for variable in others}
        return subprocess.run(command, env=env, capture_output=True, text=True)

    def test_names_a_port_that_is_in_use(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            done = self.check(port)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"error: port {port} on 127.0.0.1 is in use", done.stderr)
        self.assertIn("WAYPOST_RECEIVER_PORT", done.stderr)
        self.assertEqual(self.check(port).returncode, 0)

    def test_rejects_what_is_no_port(self) -> None:
        self.assertIn("error: WAYPOST_RECEIVER_PORT=65536", self.check("65536").stderr)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


if __name__ == "__main__":
    unittest.main()

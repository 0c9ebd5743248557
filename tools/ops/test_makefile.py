"""Values on make's command line reach the tools literally: no make or shell expands them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from config import ROOT

# Stands in for the tools: prints the option NAME of its environment.
TOOL = """#!{python}
import os, sys
sys.stdout.write(os.environ.get("NAME", "absent"))
"""
# Includes a sub-make, which gets the values through MAKEFLAGS.
NESTED = "nested:\n\t@$(MAKE) --no-print-directory -f Makefile user-add\n"


class Values(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.canary = self.folder / "canary"
        self.tool = self.folder / "tool"
        self.tool.write_text(TOOL.format(python=sys.executable))
        self.tool.chmod(0o755)

    def make(self, *arguments: str, **env: str) -> str:
        outer = {"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES"}
        clean = {key: value for key, value in os.environ.items() if key not in outer} | env
        done = subprocess.run(
            ["make", *arguments], cwd=ROOT, env=clean, capture_output=True, text=True
        )
        self.assertFalse(self.canary.exists(), f"make {arguments} ran a command")
        return done.stdout + done.stderr

    def values(self) -> list[str]:
        touch = f"touch {self.canary}"
        return [
            f"$(shell {touch})",
            f"${{shell {touch}}}",
            f"$(eval $(shell {touch}))",
            f"$({touch})",
            f"`{touch}`",
            f"'; {touch} #",
            f'"; {touch} #',
            "a$b$$c $(NAME) # d\\",
            "$(error boom)",
        ]

    def test_passes_values_literally(self) -> None:
        for value in self.values():
            with self.subTest(value):
                name, tool = f"NAME={value}", f"PYTHON={self.tool}"
                self.assertEqual(self.make("user-add", name, tool), value)

    def test_passes_values_literally_after_a_nested_make(self) -> None:
        nested = self.folder / "nested.mk"
        nested.write_text(NESTED)
        for value in self.values():
            with self.subTest(value):
                files = ("-f", "Makefile", "-f", str(nested))
                name, tool = f"NAME={value}", f"PYTHON={self.tool}"
                self.assertEqual(self.make(*files, "nested", name, tool), value)

    def test_reports_the_literal_value_from_the_real_tool(self) -> None:
        for value in self.values():
            with self.subTest(value):
                output = self.make("user-add", f"STAGE={value}", "NAME=a")
                self.assertIn(f"error: STAGE={value}: lower-case letters", output)

    def test_expands_no_unknown_variable(self) -> None:
        for target in ("help", "sync-now", "up"):
            for value in self.values():
                with self.subTest(target, value=value):
                    self.make("-n", target, f"OTHER={value}", f"RELEASE={value}")

    def test_names_the_option_that_an_unknown_one_was_meant_to_be(self) -> None:
        for target in ("endpoint-set", "deliveries"):
            output = self.make(target, "STAGE=local", "NAME=a", "TIMEOUT=3")
            self.assertIn("error: TIMEOUT= is no option: did you mean TIMEOUT_SECONDS=?", output)
        self.assertIn("error: QQQ= is no option\n", self.make("users", "STAGE=local", "QQQ=3"))
        environment = self.make("users", "STAGE=!", TIMEOUT="3")
        self.assertIn("error: STAGE=!", environment)

    def test_rejects_an_unknown_fuzz_target(self) -> None:
        for value in self.values():
            with self.subTest(value):
                self.assertIn("TARGET is one of: ", self.make("-n", "fuzz", f"TARGET={value}"))

    def test_ignores_the_fuzz_target_for_other_goals(self) -> None:
        output = self.make("-n", "help", "TARGET=unknown")
        self.assertNotIn("TARGET is one of: ", output)

    def test_ignores_options_in_the_environment(self) -> None:
        output = self.make("user-add", f"PYTHON={self.tool}", NAME=f"$(shell touch {self.canary})")
        self.assertEqual(output, "absent")


if __name__ == "__main__":
    unittest.main()

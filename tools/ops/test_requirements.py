"""The lock files of the Python tools have what the requirements.in beside them ask for."""

from __future__ import annotations

import re
import unittest

from config import ROOT

REQUIREMENT = re.compile(r"^([a-z0-9-]+)(==[^\s;]+)?", re.MULTILINE)


class LockFiles(unittest.TestCase):
    def test_lock_every_requirement(self) -> None:
        for file in (ROOT / "tools").glob("*/requirements.in"):
            locked = REQUIREMENT.findall(file.with_suffix(".txt").read_text())
            known = {*locked, *((name, "") for name, _ in locked)}
            missing = set(REQUIREMENT.findall(file.read_text())) - known
            self.assertEqual(missing, set(), f"{file.parent.name}: run make lock")


if __name__ == "__main__":
    unittest.main()

"""Long steps: their output goes to a log file, its end to the screen on failure."""

from __future__ import annotations

import io
import sys
import tempfile
import unittest
from contextlib import redirect_stdout
from pathlib import Path

import check_snapshots
import progress


class Run(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.log = self.folder / "logs" / "step.log"

    def run_step(self, code: str) -> str:
        output = io.StringIO()
        with redirect_stdout(output):
            try:
                progress.run("a step", [sys.executable, "-c", code], self.log)
            except progress.StepFailed as error:
                print(f"error: {error}")
        return output.getvalue()

    def test_keeps_the_output_off_the_screen(self) -> None:
        screen = self.run_step("print('noise')")
        self.assertRegex(screen, r"^==> a step\n    [0-9.]+ s\n$")
        self.assertEqual(self.log.read_text(), "noise\n")

    def test_shows_the_end_of_the_log_after_a_failure(self) -> None:
        screen = self.run_step("print(*range(100), sep='\\n'); exit('broken')")
        self.assertNotIn("\n59\n", screen)
        self.assertIn("\n98\n99\nbroken\n", screen)
        self.assertIn(f"error: a step: failed; the whole output is in {self.log}", screen)

    def test_keeps_progress_bars_out_of_the_log(self) -> None:
        bar = "    Building [=====>      ] 12/300: serde"
        self.run_step(f"import sys; sys.stdout.write('Compiling a\\n{bar}\\rCompiling b')")
        self.assertEqual(self.log.read_text(), "Compiling a\nCompiling b\n")
        match = progress.CARGO_BAR.match(bar)
        self.assertEqual(match and match[1], "12/300")

    def test_hides_the_removal_of_older_packages(self) -> None:
        for line, hidden in [
            ("  Attempting uninstall: setuptools", True),
            ("    Found existing installation: setuptools 66.1.1", True),
            ("      Successfully uninstalled setuptools-66.1.1", True),
            ("Installing collected packages: setuptools, boto3", False),
        ]:
            with self.subTest(line):
                self.assertEqual(bool(progress.PIP_UNINSTALL.search(line)), hidden)


class Snapshots(unittest.TestCase):
    def test_finds_snapshots_without_a_test(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            root = Path(name)
            (root / "crate" / "snapshots").mkdir(parents=True)
            for snapshot in ("used", "orphan"):
                (root / "crate" / "snapshots" / f"{snapshot}.snap").touch()
            references = root / "references"
            references.write_text(f"{root}/crate/src/../snapshots/used.snap\n")
            (root / "crate" / "src").mkdir()
            found = check_snapshots.unreferenced(references, ["crate"], root)
            self.assertEqual(found, [Path("crate/snapshots/orphan.snap")])
            references.unlink()
            self.assertEqual(len(check_snapshots.unreferenced(references, ["crate"], root)), 2)


if __name__ == "__main__":
    unittest.main()

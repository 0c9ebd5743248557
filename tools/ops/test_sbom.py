"""The software bill of materials: of a made-up tree, of this workspace, and against a build."""

from __future__ import annotations

import json
import re
import subprocess
import unittest
from typing import Any

import sbom
from config import ROOT, StackError, function_names
from release import TARGETS

TARGET = TARGETS["x86_64"]
TREE = """\
0 orders v0.1.0 (/repo/functions/orders)|MIT OR Apache-2.0
1 domain v0.1.0 (/repo/shared/domain)|MIT OR Apache-2.0
2 memchr v2.8.3|Unlicense/MIT
1 memchr v2.8.3|Unlicense/MIT

0 sweep v0.1.0 (/repo/functions/sweep)|MIT OR Apache-2.0
1 domain v0.1.0 (/repo/shared/domain)|MIT OR Apache-2.0 (*)
"""
ORDERS, SWEEP, DOMAIN, MEMCHR = (
    "pkg:cargo/orders@0.1.0",
    "pkg:cargo/sweep@0.1.0",
    "pkg:cargo/domain@0.1.0",
    "pkg:cargo/memchr@2.8.3",
)


def artifact(package: str, file: str) -> str:
    message = {"reason": "compiler-artifact", "package_id": package, "filenames": [file]}
    return json.dumps(message) + "\n"


class MadeUpTree(unittest.TestCase):
    def test_reads_crates_licences_and_uses(self) -> None:
        crates = sbom.read(TREE)
        self.assertEqual(
            {crate.id: (crate.licence, crate.uses) for crate in crates.values()},
            {
                ORDERS: ("MIT OR Apache-2.0", {DOMAIN, MEMCHR}),
                SWEEP: ("MIT OR Apache-2.0", {DOMAIN}),
                DOMAIN: ("MIT OR Apache-2.0", {MEMCHR}),
                MEMCHR: ("Unlicense OR MIT", set()),
            },
        )

    def test_rejects_a_crate_without_a_licence(self) -> None:
        with self.assertRaisesRegex(StackError, "bare 1.0.0 names no licence"):
            sbom.read("0 bare v1.0.0|\n")

    def test_rejects_an_unexpected_line(self) -> None:
        with self.assertRaisesRegex(StackError, "unexpected line: nonsense"):
            sbom.read("nonsense\n")

    def test_compares_with_what_a_build_compiled(self) -> None:
        registry, here = "registry+index#memchr@2.8.3", "path+file:///repo"
        messages = (
            "a line of cargo-lambda\n"
            + artifact(registry, f"/t/{TARGET}/release/deps/libmemchr-1.rlib")
            + artifact("registry+index#cc@1.0.0", "/t/release/deps/libcc-1.rlib")
            + artifact(f"{here}/shared/domain#0.1.0", f"/t/{TARGET}/release/deps/d.rlib")
            + artifact(f"{here}/functions/orders#0.1.0", f"/t/{TARGET}/release/orders")
            + json.dumps({"reason": "build-finished", "success": True})
        )
        built = sbom.compiled(messages, TARGET)
        self.assertEqual(built, {MEMCHR, DOMAIN, ORDERS})
        self.assertEqual(
            sbom.differences(sbom.read(TREE), built | {"pkg:cargo/other@1.0.0"}),
            [
                "pkg:cargo/other@1.0.0 is in the binaries, not in the list",
                f"{SWEEP} is in the list, not in the binaries",
            ],
        )


class ThisWorkspace(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.text = sbom.render(sbom.read(sbom.tree(TARGET)), TARGET)
        cls.document: dict[str, Any] = json.loads(cls.text)
        cls.components = {found["name"]: found for found in cls.document["components"]}

    def test_lists_the_functions_and_what_they_use(self) -> None:
        version = self.document["metadata"]["component"]["version"]
        functions = {f"pkg:cargo/{name}@{version}" for name in function_names()}
        roots = self.document["dependencies"][0]
        self.assertEqual((roots["ref"], set(roots["dependsOn"])), ("waypost", functions))
        for name in ("domain", "egress", "tokio", "aws-lc-sys", "aws-sdk-dynamodb"):
            self.assertIn(name, self.components)

    def test_lists_nothing_that_only_builds_or_tests(self) -> None:
        command = ["cargo", "metadata", "--locked", "--format-version", "1"]
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        packages = json.loads(done.stdout)["packages"]
        macros = {
            package["name"]
            for package in packages
            if any("proc-macro" in target["kind"] for target in package["targets"])
        }
        self.assertIn("serde_derive", macros)
        unlinked = macros | {"cc", "proptest", "insta", "e2e", "doubles", "receiver-sample"}
        self.assertEqual(unlinked & self.components.keys(), set())

    def test_names_version_licence_and_checksum_of_each_crate(self) -> None:
        lock = (ROOT / "Cargo.lock").read_text()
        for name, found in self.components.items():
            with self.subTest(name):
                self.assertTrue(found["licenses"][0]["expression"])
                self.assertIn(f'name = "{name}"\nversion = "{found["version"]}"\n', lock)
                hashes = [entry["content"] for entry in found.get("hashes", [])]
                is_own = list((ROOT / "functions").glob(name)) + list((ROOT / "shared").glob(name))
                self.assertEqual(len(hashes), 0 if is_own else 1)
                self.assertTrue(all(f'checksum = "{digest}"' in lock for digest in hashes))

    def test_refers_to_listed_crates_only(self) -> None:
        references = {found["bom-ref"] for found in self.document["components"]}
        dependencies = self.document["dependencies"]
        self.assertEqual({entry["ref"] for entry in dependencies}, references | {"waypost"})
        for entry in dependencies:
            self.assertLessEqual(set(entry["dependsOn"]), references)

    def test_is_the_same_in_every_build(self) -> None:
        again = sbom.render(sbom.read(sbom.tree(TARGET)), TARGET)
        self.assertEqual(again, self.text)
        self.assertIsNone(re.search(r"\d{4}-\d{2}-\d{2}T", self.text))
        self.assertNotIn(str(ROOT), self.text)

    def test_differs_for_another_target(self) -> None:
        other = TARGETS["arm64"]
        serial = sbom.document(sbom.read(sbom.tree(other)), other)["serialNumber"]
        self.assertNotEqual(serial, self.document["serialNumber"])


if __name__ == "__main__":
    unittest.main()

"""The checks of `make build`, on valid, invalid and damaged binaries."""

from __future__ import annotations

import random
import struct
import sys
import unittest
from pathlib import Path

import elf
import release
from release import GUARDED, UNGUARDED, Binary

X86_64, ARM64, RISCV = 62, 183, 243
ADDRESS = 0x400000


def binary(*versions: str, machine: int = X86_64, extra: bytes = b"") -> bytes:
    """A minimal ELF file that requires these versions of libc.so.6."""
    names = [b"", b"libc.so.6", *map(str.encode, versions)]
    strings = b"\0".join(names) + b"\0"
    offsets = [strings.index(b"\0" + name + b"\0") + 1 for name in names[1:]]
    requirements = struct.pack("<HHIII", 1, len(versions), offsets[0], 16, 0)
    for index, offset in enumerate(offsets[1:], 1):
        requirements += struct.pack(
            "<IHHII", 0, 0, index + 1, offset, 16 if index < len(versions) else 0
        )
    headers = 64 + 2 * 56
    at_strings, at_requirements = headers, headers + len(strings)
    at_dynamic = at_requirements + len(requirements)
    tags = [
        (5, ADDRESS + at_strings),
        (0x6FFFFFFE, ADDRESS + at_requirements),
        (0x6FFFFFFF, 1),
        (0, 0),
    ]
    dynamic = b"".join(struct.pack("<QQ", *tag) for tag in tags if versions or not tag[0])
    size = at_dynamic + len(dynamic)
    ident = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    header = ident + struct.pack("<HHIQQQIHHHHHH", 3, machine, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    load = struct.pack("<IIQQQQQQ", 1, 5, 0, ADDRESS, ADDRESS, size, size, 4096)
    dyn = struct.pack(
        "<IIQQQQQQ", 2, 6, at_dynamic, ADDRESS + at_dynamic, 0, len(dynamic), len(dynamic), 8
    )
    return header + load + dyn + strings + requirements + dynamic + extra


class Elf(unittest.TestCase):
    def test_compares_versions_as_numbers(self) -> None:
        required = elf.read(binary("GLIBC_2.2.5", "GLIBC_2.34", "GLIBC_2.9"))
        self.assertEqual(required.machine, "x86_64")
        self.assertEqual(required.glibc(), (2, 34))
        self.assertEqual(required.newer_than_glibc((2, 34)), [])
        self.assertEqual(required.newer_than_glibc((2, 9)), ["GLIBC_2.34"])

    def test_counts_a_version_without_a_number_as_newer(self) -> None:
        required = elf.read(binary("GLIBC_2.17", "GLIBC_ABI_DT_RELR", "GLIBC_PRIVATE"))
        self.assertEqual(required.newer_than_glibc((2, 34)), ["GLIBC_ABI_DT_RELR", "GLIBC_PRIVATE"])
        self.assertEqual(required.glibc(), (2, 17))

    def test_finds_no_requirements_in_a_static_binary(self) -> None:
        required = elf.read(binary())
        self.assertEqual(
            (required.versions, required.glibc(), required.newer_than_glibc((2, 34))),
            (frozenset(), (0,), []),
        )

    def test_rejects_damaged_files(self) -> None:
        whole = binary("GLIBC_2.34")
        for text in (b"", b"#!/bin/sh\n", whole[:5], whole[:100], b"\x7fELF\x01\x01" + whole[6:]):
            with self.subTest(text[:20]), self.assertRaises(elf.NotElf):
                elf.read(text)

    @unittest.skipUnless(sys.platform == "linux", "this machine has no ELF files")
    def test_reads_a_real_binary(self) -> None:
        required = elf.read(Path(sys.executable).resolve().read_bytes())
        self.assertIn(required.machine, elf.MACHINES.values())
        self.assertGreaterEqual(required.glibc(), (2, 2, 5))


class Check(unittest.TestCase):
    def problems(self, content: bytes, arch: str = "x86_64") -> list[str]:
        good = Binary(
            "deliver",
            binary("GLIBC_2.28", machine={"x86_64": X86_64, "arm64": ARM64}[arch], extra=GUARDED),
        )
        return release.check([good, Binary("inbound", content)], arch)

    def test_accepts_valid_binaries(self) -> None:
        self.assertEqual(self.problems(binary("GLIBC_2.34")), [])
        self.assertEqual(self.problems(binary("GLIBC_2.34", machine=ARM64), "arm64"), [])

    def test_rejects_a_binary_when_it_needs_a_newer_glibc(self) -> None:
        expected = "inbound: needs GLIBC_2.38, which Amazon Linux 2023 (glibc 2.34) does not have"
        self.assertEqual(self.problems(binary("GLIBC_2.34", "GLIBC_2.38")), [expected])

    def test_rejects_a_binary_with_the_loopback_feature(self) -> None:
        (problem,) = self.problems(binary("GLIBC_2.34", extra=b"before" + UNGUARDED + b"after"))
        self.assertIn("inbound: built with the loopback feature", problem)

    def test_rejects_a_caller_when_its_marker_is_missing(self) -> None:
        good = Binary("deliver", binary("GLIBC_2.34", extra=GUARDED))
        (problem,) = release.check([good, Binary("poll", binary("GLIBC_2.34"))], "x86_64")
        self.assertRegex(problem, "^poll: lacks the marker .* cannot work$")
        self.assertEqual(
            release.check([good, Binary("orders", binary("GLIBC_2.34"))], "x86_64"), []
        )

    def test_rejects_a_binary_for_another_processor(self) -> None:
        self.assertEqual(
            self.problems(binary(machine=ARM64)), ["inbound: is for arm64, not for x86_64"]
        )
        self.assertEqual(
            self.problems(binary(machine=RISCV)), ["inbound: is for machine 243, not for x86_64"]
        )

    def test_rejects_a_binary_when_its_zip_is_too_large(self) -> None:
        bulky = b"\0" * (release.ZIPPED_BYTES + 1)
        self.assertEqual(self.problems(binary(extra=bulky)), [])
        noise = random.Random(7).randbytes(release.ZIPPED_BYTES + 1)
        (problem,) = self.problems(binary(extra=noise))
        self.assertIn("bytes zipped, the limit for fast cold starts is 4,194,304", problem)

    def test_rejects_a_script(self) -> None:
        self.assertEqual(
            self.problems(b"#!/bin/sh\n"), ["inbound: not a 64-bit little-endian ELF file"]
        )

    def test_checks_for_the_markers_of_the_code(self) -> None:
        code = b"".join(path.read_bytes() for path in (release.ROOT / "shared").rglob("*.rs"))
        for marker in (GUARDED, UNGUARDED):
            self.assertIn(b'"' + marker + b'"', code)


if __name__ == "__main__":
    unittest.main()

"""Requirements of an ELF binary: its processor, and versions of shared libraries.

They are read from the program headers, as the dynamic loader does: section headers can be stripped.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

MACHINES = {62: "x86_64", 183: "arm64"}

PT_LOAD, PT_DYNAMIC = 1, 2
DT_NULL, DT_STRTAB, DT_VERNEED = 0, 5, 0x6FFFFFFE


class NotElf(Exception):
    """Not a 64-bit little-endian ELF file, the format of both Lambda architectures."""


@dataclass(frozen=True)
class Requirements:
    """`versions` are (library, version), such as `("libc.so.6", "GLIBC_2.34")`."""

    machine: str
    versions: frozenset[tuple[str, str]]

    def glibc(self) -> tuple[int, ...]:
        """The newest glibc that any symbol requires; (0,) for a static binary."""
        return max(
            (number for _, version in self.versions if (number := _glibc_number(version))),
            default=(0,),
        )

    def newer_than_glibc(self, limit: tuple[int, ...]) -> list[str]:
        """The required versions that this glibc lacks.

        Versions without a number, such as GLIBC_ABI_DT_RELR, count as newer.
        """
        return sorted(
            version
            for _, version in self.versions
            if version.startswith("GLIBC_") and not () < _glibc_number(version) <= limit
        )


def read(binary: bytes) -> Requirements:
    """Raises NotElf for any other file, and for a damaged one."""
    try:
        if binary[:6] != b"\x7fELF\x02\x01":
            raise NotElf("not a 64-bit little-endian ELF file")
        (machine,) = struct.unpack_from("<H", binary, 18)
        return Requirements(
            MACHINES.get(machine, f"machine {machine}"), frozenset(_Image(binary).versions())
        )
    except (struct.error, ValueError) as error:
        raise NotElf(f"damaged: {error}") from error


class _Image:
    """The file, with a lookup from addresses in memory to offsets."""

    def __init__(self, binary: bytes) -> None:
        self.binary = binary
        (offset,) = struct.unpack_from("<Q", binary, 32)
        size, count = struct.unpack_from("<HH", binary, 54)
        # type, flags, offset, address, physical address, bytes in file, bytes in memory, alignment
        self.segments = [
            struct.unpack_from("<IIQQQQQQ", binary, offset + index * size) for index in range(count)
        ]

    def versions(self) -> Iterator[tuple[str, str]]:
        dynamic = dict(self._dynamic())
        if DT_VERNEED not in dynamic:
            return
        strings = self._in_file(dynamic[DT_STRTAB])
        library = self._in_file(dynamic[DT_VERNEED])
        while True:
            _, count, file, first, following = struct.unpack_from("<HHIII", self.binary, library)
            version = library + first
            for _ in range(count):
                _, _, _, name, next_version = struct.unpack_from("<IHHII", self.binary, version)
                yield self._text(strings + file), self._text(strings + name)
                version += next_version
            if not following:
                return
            library += following

    def _dynamic(self) -> Iterator[tuple[int, int]]:
        for kind, _, offset, _, _, size, _, _ in self.segments:
            if kind == PT_DYNAMIC:
                for at in range(offset, offset + size, 16):
                    tag, value = struct.unpack_from("<QQ", self.binary, at)
                    if tag == DT_NULL:
                        break
                    yield tag, value

    def _in_file(self, address: int) -> int:
        """The file offset of an address of the loaded program."""
        for kind, _, offset, start, _, size, _, _ in self.segments:
            if kind == PT_LOAD and start <= address < start + size:
                return address - start + offset
        raise ValueError(f"address {address:#x} is in no segment")

    def _text(self, at: int) -> str:
        return self.binary[at : self.binary.index(b"\0", at)].decode()


def _glibc_number(version: str) -> tuple[int, ...]:
    """(2, 34) of `GLIBC_2.34`, empty for any other text."""
    family, _, number = version.partition("_")
    numbers = number.split(".")
    return (
        tuple(map(int, numbers)) if family == "GLIBC" and all(map(str.isdecimal, numbers)) else ()
    )

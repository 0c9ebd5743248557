"""`make build`: builds the release binaries of all functions, checks each one and lists its crates.

    ARCH=x86_64 python tools/ops/release.py

One cargo-lambda build shares the dependencies of all functions; zig links against an old glibc. The
checks read the bytes of the binaries, however they were built.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

import elf
import sbom
from config import ROOT, StackError, function_names

# The CodeUri of template.yaml.
OUTPUT = ROOT / "target" / "lambda"

DEFAULT_ARCH = "x86_64"
TARGETS = {"x86_64": "x86_64-unknown-linux-gnu", "arm64": "aarch64-unknown-linux-gnu"}

# The glibc of Amazon Linux 2023, on which provided.al2023 functions run.
GLIBC = (2, 34)
MIB = 1024 * 1024
ZIPPED_BYTES = 4 * MIB

# By default aws-lc also collects entropy from CPU timing jitter at the first TLS handshake: 34 to
# 89 ms of every cold start. The kernel and the CPU's generator are its other entropy sources.
ENVIRONMENT = {"AWS_LC_SYS_NO_JITTER_ENTROPY": "1"}

# `BUILD_MARKER` in shared/egress/src/client.rs: each binary that calls other servers contains one.
CALLERS = ("deliver", "poll", "push", "tester")
GUARDED = b"waypost-egress:public-only"
UNGUARDED = b"waypost-egress:with-loopback"


@dataclass(frozen=True)
class Binary:
    """The binary of a function."""

    name: str
    content: bytes

    def zipped(self) -> int:
        """Size of the zip file that `sam deploy` uploads, in bytes."""
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as writer:
            writer.writestr("bootstrap", self.content)
        return len(archive.getvalue())


def build(arch: str) -> None:
    """Builds and checks. Older binaries are deleted first, even if the build fails."""
    if arch not in TARGETS:
        raise StackError(f"ARCH={arch} is not a Lambda architecture: {' or '.join(TARGETS)}")
    _require_standard_library(TARGETS[arch])
    for old in (*OUTPUT.glob("*/bootstrap"), *OUTPUT.glob("*.cdx.json")):
        old.unlink()
    messages = _compile(TARGETS[arch])
    binaries = [
        Binary(name, (OUTPUT / name / "bootstrap").read_bytes()) for name in function_names()
    ]
    problems = check(binaries, arch)
    if problems:
        raise StackError("\n       ".join(["these binaries must not be deployed:", *problems]))
    _report(binaries)
    _list_crates(messages, TARGETS[arch])


def check(binaries: list[Binary], arch: str) -> list[str]:
    """The problems of these binaries, each with the name of the binary."""
    problems = [
        f"{binary.name}: {problem}" for binary in binaries for problem in _problems(binary, arch)
    ]
    for binary in binaries:
        if binary.name in CALLERS and GUARDED not in binary.content:
            marker = GUARDED.decode()
            problems.append(
                f"{binary.name}: lacks the marker {marker!r}, so the loopback check cannot work"
            )
    return problems


def _problems(binary: Binary, arch: str) -> list[str]:
    if UNGUARDED in binary.content:
        return ["built with the loopback feature: its SSRF guard allows the local machine"]
    try:
        required = elf.read(binary.content)
    except elf.NotElf as error:
        return [str(error)]
    if required.machine != arch:
        return [f"is for {required.machine}, not for {arch}"]
    problems = []
    newer = required.newer_than_glibc(GLIBC)
    if newer:
        lacking = f"Amazon Linux 2023 (glibc {_dotted(GLIBC)}) does not have"
        problems.append(f"needs {', '.join(newer)}, which {lacking}")
    zipped = binary.zipped()
    if zipped > ZIPPED_BYTES:
        limit = f"the limit for fast cold starts is {ZIPPED_BYTES:,}"
        problems.append(f"{zipped:,} bytes zipped, {limit}")
    return problems


def _require_standard_library(target: str) -> None:
    """Fails early if the pinned toolchain cannot build for the target."""
    command = ["rustc", "--print", "target-libdir", "--target", target]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    if not any(Path(done.stdout.strip()).glob("libcore-*.rlib")):
        raise StackError(
            f"Rust's standard library for {target} is missing: rustup target add {target}"
        )


def _compile(target: str) -> str:
    """Returns the messages of cargo."""
    tools = Path(sys.executable).parent
    command = [
        *(str(tools / "cargo-lambda"), "lambda", "build", "--release", "--locked"),
        *("--target", target, "--lambda-dir", str(OUTPUT)),
        *("--message-format", "json-render-diagnostics"),
        # Other crates of the workspace have binaries too.
        *(option for name in function_names() for option in ("--package", name)),
    ]
    # cargo-lambda finds zig through the first Python on the PATH.
    env = os.environ | ENVIRONMENT | {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    print("==> release build (minutes after a code change: whole-program optimisation)", flush=True)
    begin = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise StackError("the functions do not compile; see above")
    print(f"    {time.monotonic() - begin:.0f} s")
    return done.stdout


def _list_crates(messages: str, target: str) -> None:
    """Writes the software bill of materials beside the binaries."""
    crates = sbom.read(sbom.tree(target))
    problems = sbom.differences(crates, sbom.compiled(messages, target))
    if problems:
        raise StackError("\n       ".join(["the list of crates is wrong:", *problems]))
    file = OUTPUT / "waypost.cdx.json"
    file.write_text(sbom.render(crates, target))
    print(f"    {len(crates)} crates listed in {file.relative_to(ROOT)}")


def _report(binaries: list[Binary]) -> None:
    for binary in binaries:
        required = elf.read(binary.content)
        print(
            f"    {binary.name:<12} {len(binary.content) / MIB:6.2f} MiB, "
            f"{binary.zipped() / MIB:.2f} zipped, "
            f"{required.machine}, glibc {_dotted(required.glibc())}"
        )


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


if __name__ == "__main__":
    try:
        build(os.environ.get("ARCH") or DEFAULT_ARCH)
    except StackError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)

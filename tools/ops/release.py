"""`make build`: every function as it is deployed, and proof that each one may be.

    ARCH=x86_64 python tools/ops/release.py

One cargo-lambda build makes them all, so that they share their dependencies; zig links against an old glibc. What
comes out is checked as bytes, whatever it was built from.
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
from config import ROOT, StackError, function_names

# Where template.yaml's CodeUri points.
OUTPUT = ROOT / "target" / "lambda"

DEFAULT_ARCH = "x86_64"
TARGETS = {"x86_64": "x86_64-unknown-linux-gnu", "arm64": "aarch64-unknown-linux-gnu"}

# Amazon Linux 2023, on which provided.al2023 functions run, has glibc 2.34.
GLIBC = (2, 34)
MIB = 1024 * 1024
ZIPPED_BYTES = 4 * MIB

# aws-lc would gather randomness from the processor's timing jitter too: 34 to 89 ms once in every process, at its first
# TLS handshake, and so in every cold start. The kernel and the processor's own generator seed it without that.
ENVIRONMENT = {"AWS_LC_SYS_NO_JITTER_ENTROPY": "1"}

# `EGRESS` in shared/aws/src/http.rs: in every binary that can call somebody else's server, one of the two.
CALLERS = ("deliver", "poll")
GUARDED = b"waypost-egress:public-only"
UNGUARDED = b"waypost-egress:with-loopback"


@dataclass(frozen=True)
class Binary:
    """A built function."""

    name: str
    content: bytes

    def zipped(self) -> int:
        """Bytes that `sam deploy` uploads."""
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as writer:
            writer.writestr("bootstrap", self.content)
        return len(archive.getvalue())


def build(arch: str) -> None:
    """Builds and checks; what was built before is gone whether or not that works out."""
    if arch not in TARGETS:
        raise StackError(f"ARCH={arch} is no processor that Lambda has: {' or '.join(TARGETS)}")
    _require_standard_library(TARGETS[arch])
    for bootstrap in OUTPUT.glob("*/bootstrap"):
        bootstrap.unlink()
    _compile(TARGETS[arch])
    binaries = [Binary(name, (OUTPUT / name / "bootstrap").read_bytes()) for name in function_names()]
    broken = check(binaries, arch)
    if broken:
        raise StackError("\n       ".join(["not to be deployed:", *broken]))
    _report(binaries)


def check(binaries: list[Binary], arch: str) -> list[str]:
    """What speaks against deploying these binaries: one sentence each, which names the binary."""
    broken = [f"{binary.name}: {problem}" for binary in binaries for problem in _problems(binary, arch)]
    callers = [binary for binary in binaries if binary.name in CALLERS]
    blind = f"does not say {GUARDED.decode()!r}: the check for the loopback feature has gone blind"
    return broken + [f"{binary.name}: {blind}" for binary in callers if GUARDED not in binary.content]


def _problems(binary: Binary, arch: str) -> list[str]:
    if UNGUARDED in binary.content:
        return ["built with the loopback feature: it would call the machine it runs on"]
    try:
        needs = elf.read(binary.content)
    except elf.NotElf as error:
        return [str(error)]
    if needs.machine != arch:
        return [f"is for {needs.machine}, not for {arch}"]
    problems = []
    beyond = needs.beyond_glibc(GLIBC)
    if beyond:
        problems.append(f"needs {', '.join(beyond)}, which Amazon Linux 2023 (glibc {_dotted(GLIBC)}) does not have")
    zipped = binary.zipped()
    if zipped > ZIPPED_BYTES:
        problems.append(f"{zipped:,} bytes zipped are more than {ZIPPED_BYTES:,}: its cold starts get slow")
    return problems


def _require_standard_library(target: str) -> None:
    """Asks the pinned toolchain before minutes are spent on a build that it cannot finish."""
    command = ["rustc", "--print", "target-libdir", "--target", target]
    folder = Path(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip())
    if not any(folder.glob("libcore-*.rlib")):
        raise StackError(f"Rust's standard library for {target} is missing: rustup target add {target}")


def _compile(target: str) -> None:
    tools = Path(sys.executable).parent
    command = [
        *(str(tools / "cargo-lambda"), "lambda", "build", "--release", "--locked"),
        *("--target", target, "--lambda-dir", str(OUTPUT)),
        # Other crates of the workspace have programs too.
        *(option for name in function_names() for option in ("--package", name)),
    ]
    # cargo-lambda finds zig through the first Python of the path.
    env = os.environ | ENVIRONMENT | {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    print("==> release build: minutes where code has changed (each function is optimised as a whole)", flush=True)
    begin = time.monotonic()
    if subprocess.run(command, cwd=ROOT, env=env).returncode != 0:
        raise StackError("the functions do not compile; see above")
    print(f"    {time.monotonic() - begin:.0f} s")


def _report(binaries: list[Binary]) -> None:
    for binary in binaries:
        needs = elf.read(binary.content)
        print(
            f"    {binary.name:<12} {len(binary.content) / MIB:6.2f} MiB, {binary.zipped() / MIB:.2f} zipped, "
            f"{needs.machine}, glibc {_dotted(needs.glibc())}"
        )


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


if __name__ == "__main__":
    try:
        build(os.environ.get("ARCH") or DEFAULT_ARCH)
    except StackError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)

"""Builds the functions with the dev profile and stages them as template.yaml expects."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import progress
from config import LOCAL, ROOT, TEMPLATE, StackError, function_names

STAGING = LOCAL / "deploy"
LOG_FILE = LOCAL / "build.log"

# Output of `make build`.
RELEASE = ROOT / "target" / "lambda"


def build() -> Path:
    """Compiles every function and returns the staged template.

    With RELEASE=1 it stages the binaries of the last `make build`, byte for byte.
    """
    if os.environ.get("RELEASE"):
        return _stage(
            {name: RELEASE / name / "bootstrap" for name in function_names()}, shutil.copy2
        )
    packages = [argument for name in function_names() for argument in ("-p", name)]
    # Demo and tests deliver to 127.0.0.1 and poll a carrier there; the SSRF guard of release builds
    # refuses that address.
    command = ["cargo", "build", "--features", "deliver/loopback,poll/loopback", *packages]
    try:
        progress.run("building the functions", command, LOG_FILE)
    except progress.StepFailed as error:
        raise StackError(str(error)) from error
    binaries = _target_directory() / "debug"
    return _stage({name: binaries / name for name in function_names()}, _copy_stripped)


def _target_directory() -> Path:
    command = ["cargo", "metadata", "--format-version", "1", "--no-deps"]
    output = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout
    return Path(json.loads(output)["target_directory"])


def _stage(binaries: dict[str, Path], copy: Callable[[Path, Path], object]) -> Path:
    """Copies each binary to the template's CodeUri, beside an unchanged copy of the template."""
    for name, binary in binaries.items():
        folder = STAGING / "target" / "lambda" / name
        folder.mkdir(parents=True, exist_ok=True)
        copy(binary, folder / "bootstrap")
    staged = STAGING / TEMPLATE.name
    shutil.copyfile(TEMPLATE, staged)
    return staged


def _copy_stripped(binary: Path, bootstrap: Path) -> None:
    """Without line tables a binary is a third of the size to zip and upload."""
    modified = binary.stat().st_mtime_ns
    if bootstrap.exists() and bootstrap.stat().st_mtime_ns == modified:
        return
    subprocess.run(["strip", "-S", "-o", bootstrap, binary], check=True)
    bootstrap.chmod(0o755)
    os.utime(bootstrap, ns=(modified, modified))
